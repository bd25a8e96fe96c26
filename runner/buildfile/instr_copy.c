/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "buildfile/heredoc.h"
#include "buildfile/parser.h"

static int check_arity(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	if (instr->words.len >= 2)
		return 0;
	if (instr->words.len == 1)
		sb_parser_fail(parser, 0, err,
			"at least two arguments are needed, but there is only '%s'",
			instr->words.items[0]);
	else
		sb_parser_fail(parser, 0, err, "at least two arguments are needed");
	return sb_error_hint(err, "write '%s SOURCE… DESTINATION'", parser->name);
}

/*
 * Words of the shell form; heredoc words become "<<NAME", which is how the driver knows them from a
 * file's name.
 */
static int split_sources(
	struct sb_parser *parser, struct sb_words *words, struct sb_strv *out, struct sb_error *err)
{
	SB_ARRAY_FOREACH (words, word) {
		struct sb_heredoc_token token;

		if (!sb_heredoc_token_parse(word->text, strlen(word->text), &token)) {
			sb_strv_add(out, word->text);
			continue;
		}
		sb_strv_addf(out, "<<%s", token.name);
		free(token.name);
		if (word == words->items + words->len - 1 && words->len > 1)
			return sb_parser_fail(
				parser, word->offset, err, "a heredoc can't be the destination");
	}
	return 0;
}

int sb_parse_copy(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	if (sb_parser_json(parser, 0, &instr->words, &instr->is_json, err) < 0)
		return -1;
	if (instr->is_json)
		return check_arity(parser, instr, err);

	struct sb_words words = {0};

	sb_words_split(parser->args, parser->args_len, &words);

	const int result = split_sources(parser, &words, &instr->words, err);

	sb_words_release(&words);
	if (result < 0 || check_arity(parser, instr, err) < 0)
		return -1;
	return sb_parser_heredocs(parser, &instr->heredocs, err);
}
