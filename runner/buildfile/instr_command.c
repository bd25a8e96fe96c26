/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/healthcheck.h"
#include "buildfile/parser.h"

/* The command at byte `offset` of args, in exec or shell form. */
static int parse_command_at(
	struct sb_parser *parser, size_t offset, struct sb_command *out, struct sb_error *err)
{
	if (sb_parser_json(parser, offset, &out->exec, &out->is_exec, err) < 0)
		return -1;
	if (!out->is_exec)
		out->shell = sb_strdup(parser->args + offset);
	return 0;
}

int sb_parse_command(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	return parse_command_at(parser, 0, &instr->command, err);
}

int sb_parse_run(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	if (parse_command_at(parser, 0, &instr->command, err) < 0)
		return -1;
	if (instr->command.is_exec)
		return 0;
	return sb_parser_heredocs(parser, &instr->heredocs, err);
}

int sb_parse_shell(struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	if (parse_command_at(parser, 0, &instr->command, err) < 0)
		return -1;
	if (!instr->command.is_exec) {
		sb_parser_fail(parser, 0, err, "the arguments must be in JSON form");
		return sb_error_hint(err, "for example: SHELL [\"/bin/bash\", \"-c\"]");
	}
	if (instr->command.exec.len == 0)
		return sb_parser_fail(parser, 0, err, "at least one argument is needed");
	return 0;
}

static int parse_health_command(
	struct sb_parser *parser, size_t offset, struct sb_instruction *instr, struct sb_error *err)
{
	struct sb_healthcheck_times ignored;

	if (parse_command_at(parser, offset, &instr->command, err) < 0)
		return -1;
	if (instr->command.is_exec ? instr->command.exec.len == 0 : instr->command.shell[0] == '\0')
		return sb_parser_fail(parser, offset, err, "the command after CMD is missing");
	if (sb_healthcheck_flags(instr, &ignored, err) < 0) {
		sb_error_context(err, "%s", parser->name);
		return sb_error_locate(err, instr->at);
	}
	return 0;
}

int sb_parse_healthcheck(
	struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err)
{
	const char *args = parser->args;
	size_t len = 0;

	while (args[len] != '\0' && !sb_is_blank(args[len]))
		len++;

	const size_t rest = len + sb_skip_blanks(args + len, parser->args_len - len);

	if (len == 3 && strncasecmp(args, "CMD", len) == 0)
		return parse_health_command(parser, rest, instr, err);
	if (len == 4 && strncasecmp(args, "NONE", len) == 0) {
		if (rest < parser->args_len)
			return sb_parser_fail(parser, rest, err, "NONE takes no arguments");
		instr->is_none = true;
		return 0;
	}
	if (len == 0)
		sb_parser_fail(parser, 0, err, "at least one argument is needed");
	else
		sb_parser_fail(parser, 0, err, "unknown type '%.*s'", (int)len, args);
	return sb_error_hint(err, "write 'HEALTHCHECK CMD command' or 'HEALTHCHECK NONE'");
}
