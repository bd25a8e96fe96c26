/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/parser.h"

/* EXPOSE: words at blanks, at least one. */
int sb_parse_words(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	struct sb_words words = {0};

	sb_words_split(parser->args, parser->args_len, &words);
	SB_ARRAY_FOREACH (&words, word)
		sb_strv_add(&instr->words, word->text);
	sb_words_release(&words);
	if (instr->words.len == 0)
		return sb_parser_fail(parser, 0, err, "at least one argument is needed");
	return 0;
}

int sb_parse_volume(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	if (sb_parser_json(parser, 0, &instr->words, &instr->is_json, err) < 0)
		return -1;
	if (!instr->is_json)
		return sb_parse_words(parser, instr, err);
	if (instr->words.len == 0)
		return sb_parser_fail(parser, 0, err, "at least one argument is needed");
	for (size_t i = 0; i < instr->words.len; i++) {
		const char *word = instr->words.items[i];

		if (sb_skip_blanks(word, strlen(word)) == strlen(word))
			return sb_parser_fail(parser, 0, err, "a volume can't be an empty string");
	}
	return 0;
}

/* WORKDIR, USER, STOPSIGNAL, MAINTAINER: the rest of the line is the one argument. */
int sb_parse_line(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	if (parser->args_len == 0)
		return sb_parser_fail(parser, 0, err, "exactly one argument is needed");
	sb_strv_add(&instr->words, parser->args);
	return 0;
}

/* `[a-z][a-z0-9-_.]*`, once in lower case. */
static bool is_stage_name(const char *name)
{
	if (!sb_is_letter(name[0]))
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!sb_is_letter(*p) && !sb_is_digit(*p) && strchr("-_.", *p) == NULL)
			return false;
	return true;
}

static int take_stage_name(struct sb_parser *parser, const struct sb_word *word,
	struct sb_instruction *instr, struct sb_error *err)
{
	if (!is_stage_name(word->text)) {
		sb_parser_fail(
			parser, word->offset, err, "'%s' is no name for a stage", word->text);
		return sb_error_hint(
			err, "a name is a letter, then letters, digits, '-', '_' and '.'");
	}
	instr->name = sb_strdup(word->text);
	for (char *p = instr->name; *p != '\0'; p++)
		*p = sb_lower(*p);
	return 0;
}

int sb_parse_from(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	struct sb_words words = {0};
	int result = 0;

	sb_words_split(parser->args, parser->args_len, &words);
	if (words.len == 3 && strcasecmp(words.items[1].text, "AS") == 0) {
		result = take_stage_name(parser, &words.items[2], instr, err);
	} else if (words.len != 1) {
		sb_parser_fail(parser, 0, err, "either one or three arguments are needed");
		result = sb_error_hint(err, "write 'FROM IMAGE' or 'FROM IMAGE AS NAME'");
	}
	if (result == 0)
		sb_strv_add(&instr->words, words.items[0].text);
	sb_words_release(&words);
	return result;
}
