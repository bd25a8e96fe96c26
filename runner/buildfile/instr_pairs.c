/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/parser.h"

static void add_pair(struct sb_pairs *pairs, const char *key, size_t key_len, const char *value)
{
	*SB_ARRAY_ADD(pairs) = (struct sb_pair){sb_memdup0(key, key_len), sb_strdup_or_null(value)};
}

/* The old form `ENV name rest of the line`: one pair. */
static int parse_legacy(
	struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	const char *args = parser->args;
	size_t len = 0;

	while (args[len] != '\0' && !sb_is_blank(args[len]))
		len++;

	const size_t value = len + sb_skip_blanks(args + len, parser->args_len - len);

	if (value == parser->args_len) {
		sb_parser_fail(parser, 0, err, "'%s' has no value", args);
		return sb_error_hint(err, "write '%s %.*s=VALUE'", parser->name, (int)len, args);
	}
	add_pair(&instr->pairs, args, len, args + value);
	return 0;
}

static int add_words(struct sb_parser *parser, const struct sb_words *words, bool needs_value,
	struct sb_pairs *out, struct sb_error *err)
{
	SB_ARRAY_FOREACH (words, word) {
		const char *equals = strchr(word->text, '=');

		if (equals == NULL && needs_value) {
			sb_parser_fail(parser, word->offset, err, "'%s' has no '='", word->text);
			return sb_error_hint(
				err, "the form is NAME=VALUE; a value with blanks needs quotes");
		}
		if (equals == word->text)
			return sb_parser_fail(
				parser, word->offset, err, "the name before '=' is empty");
		add_pair(out, word->text,
			equals != NULL ? (size_t)(equals - word->text) : strlen(word->text),
			equals != NULL ? equals + 1 : NULL);
	}
	return 0;
}

int sb_parse_pairs(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	struct sb_words words = {0};
	int result;

	sb_words_split_quoted(parser->args, parser->args_len, parser->escape, &words);
	if (words.len == 0)
		result = sb_parser_fail(parser, 0, err, "at least one argument is needed");
	else if (strchr(words.items[0].text, '=') == NULL)
		result = parse_legacy(parser, instr, err);
	else
		result = add_words(parser, &words, true, &instr->pairs, err);
	sb_words_release(&words);
	return result;
}

int sb_parse_arg(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	struct sb_words words = {0};
	int result;

	sb_words_split_quoted(parser->args, parser->args_len, parser->escape, &words);
	if (words.len == 0)
		result = sb_parser_fail(parser, 0, err, "at least one argument is needed");
	else
		result = add_words(parser, &words, false, &instr->pairs, err);
	sb_words_release(&words);
	return result;
}
