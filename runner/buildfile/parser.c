/* SPDX-License-Identifier: MIT */
#include "buildfile/parser.h"

#include <stdarg.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "buildfile/chars.h"
#include "buildfile/heredoc.h"
#include "buildfile/json.h"

struct sb_source_pos sb_parser_at(const struct sb_parser *parser, size_t offset)
{
	return sb_logical_at(&parser->line, parser->args_offset + offset);
}

int sb_parser_fail(
	const struct sb_parser *parser, size_t offset, struct sb_error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_autofree char *message = sb_vasprintf(fmt, args);
	va_end(args);
	return sb_fail_at(
		err, SB_E_SYNTAX, sb_parser_at(parser, offset), "%s: %s", parser->name, message);
}

int sb_parser_json(struct sb_parser *parser, size_t offset, struct sb_strv *out, bool *out_is_json,
	struct sb_error *err)
{
	switch (sb_json_parse_strings(parser->args + offset, parser->args_len - offset, out)) {
	case SB_JSON_STRINGS:
		*out_is_json = true;
		return 0;
	case SB_JSON_NOT_STRINGS:
		return sb_parser_fail(parser, offset, err,
			"an argument in JSON form must be an array of strings only");
	case SB_JSON_NUL:
		return sb_parser_fail(parser, offset, err, "a NUL can't be part of an argument");
	case SB_JSON_NONE:
		break;
	}
	*out_is_json = false;
	return 0;
}

int sb_parser_heredocs(struct sb_parser *parser, struct sb_heredocs *out, struct sb_error *err)
{
	struct sb_heredoc_tokens tokens = {0};
	int result = 0;

	sb_heredoc_tokens_find(parser->args, parser->args_len, &tokens);
	SB_ARRAY_FOREACH (&tokens, token) {
		struct sb_heredoc heredoc = {0};

		result = sb_heredoc_read(
			&parser->source, token, sb_parser_at(parser, token->offset), &heredoc, err);
		if (result < 0)
			break;
		*SB_ARRAY_ADD(out) = heredoc;
	}
	sb_heredoc_tokens_release(&tokens);
	return result;
}

static const char *def_name(const void *data, size_t i)
{
	(void)data;
	return sb_instruction_name((enum sb_instruction_kind)i);
}

static int fail_unknown(const char *name, struct sb_source_pos at, struct sb_error *err)
{
	sb_fail_at(err, SB_E_SYNTAX, at, "unknown instruction '%s'", name);
	return sb_hint_suggestion(err, name, def_name, NULL, SB_INSTR_MAINTAINER + 1);
}

int sb_parser_instruction(
	struct sb_parser *parser, size_t offset, struct sb_instruction *instr, struct sb_error *err)
{
	const struct sb_logical *line = &parser->line;
	const char *text = line->text.data;
	const size_t len = line->text.len;
	size_t at = offset;

	while (at < len && !sb_is_blank(text[at]))
		at++;

	sb_autofree char *name = sb_memdup0(text + offset, at - offset);
	const struct sb_instr_def *def = sb_instr_def_find(name);

	instr->at = sb_logical_at(line, offset);
	if (def == NULL)
		return fail_unknown(name, instr->at, err);
	instr->kind = def->kind;
	instr->text = sb_strdup(line->shown.data);
	at += sb_skip_blanks(text + at, len - at);
	if (sb_flags_parse(line, &at, def->flags, &instr->flags, err) < 0)
		return sb_error_context(err, "%s", def->name);
	parser->name = def->name;
	parser->args = text + at;
	parser->args_len = len - at;
	parser->args_offset = at;
	if (def->parse(parser, instr, err) < 0)
		return -1;
	instr->end_line = parser->source.line;
	return 0;
}
