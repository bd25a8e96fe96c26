/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/parser.h"

/*
 * The trigger as the image's config holds it, so that a child's build can parse it: the line, and
 * the heredocs that belong to it.
 */
static char *trigger_text(
	const struct sb_parser *parser, size_t offset, const struct sb_instruction *trigger)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;

	sb_strv_add(&parts, parser->line.text.data + offset);
	SB_ARRAY_FOREACH (&trigger->heredocs, heredoc)
		sb_strv_addf(&parts, "%s%s", heredoc->body, heredoc->name);
	return sb_strv_join(&parts, "\n");
}

/*
 * Looked at before the trigger is parsed: a hostile `ONBUILD ONBUILD …` would recurse as deep as
 * the line is long.
 */
static int check_kind(struct sb_parser *parser, struct sb_error *err)
{
	size_t len = 0;

	while (parser->args[len] != '\0' && !sb_is_blank(parser->args[len]))
		len++;

	sb_autofree char *name = sb_memdup0(parser->args, len);
	const struct sb_instr_def *def = sb_instr_def_find(name);

	if (def == NULL)
		return 0;
	if (def->kind == SB_INSTR_ONBUILD)
		return sb_parser_fail(parser, 0, err, "a trigger can't be another ONBUILD");
	if (def->kind == SB_INSTR_FROM || def->kind == SB_INSTR_MAINTAINER)
		return sb_parser_fail(parser, 0, err, "%s can't be a trigger", def->name);
	return 0;
}

int sb_parse_onbuild(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	const size_t offset = parser->args_offset;

	if (parser->args_len == 0)
		return sb_parser_fail(parser, 0, err, "at least one argument is needed");
	if (check_kind(parser, err) < 0)
		return -1;
	instr->trigger = SB_NEW(struct sb_instruction);
	if (sb_parser_instruction(parser, offset, instr->trigger, err) < 0)
		return -1;
	free(instr->trigger->text);
	instr->trigger->text = trigger_text(parser, offset, instr->trigger);
	return 0;
}
