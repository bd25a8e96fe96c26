/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/excerpt.h"
#include "buildfile/parser.h"

/* What a whole Buildfile must have and a trigger can't. */
enum part { WHOLE_FILE, ONE_TRIGGER };

static int fail_before_from(const struct sb_instruction *instr, struct sb_error *err)
{
	sb_fail_at(err, SB_E_SYNTAX, instr->at, "%s: there is no build stage yet",
		sb_instruction_name(instr->kind));
	return sb_error_hint(err, "begin with FROM; only ARG may stand before it");
}

static int check_stages(const struct sb_buildfile *buildfile, struct sb_error *err)
{
	const struct sb_source_pos at = {.file = buildfile->file};
	bool has_from = false;

	if (buildfile->instructions.len == 0)
		return sb_fail_at(err, SB_E_SYNTAX, at, "there are no instructions");
	SB_ARRAY_FOREACH (&buildfile->instructions, instr) {
		has_from = has_from || instr->kind == SB_INSTR_FROM;
		if (!has_from && instr->kind != SB_INSTR_ARG)
			return fail_before_from(instr, err);
	}
	if (!has_from) {
		sb_fail_at(err, SB_E_SYNTAX, at, "there are no stages to build");
		return sb_error_hint(err, "a stage begins with FROM");
	}
	return 0;
}

static int parse_lines(
	struct sb_parser *parser, struct sb_buildfile *buildfile, struct sb_error *err)
{
	for (;;) {
		if (sb_logical_read(&parser->source, parser->escape, &parser->line, err) < 0)
			return -1;
		if (parser->line.text.len == 0)
			return 0;

		const size_t blanks = sb_skip_blanks(parser->line.text.data, parser->line.text.len);

		if (sb_parser_instruction(
			    parser, blanks, SB_ARRAY_ADD(&buildfile->instructions), err) < 0)
			return -1;
	}
}

static int parse(struct sb_buildfile *buildfile, enum part part, struct sb_error *err)
{
	struct sb_parser parser = {
		.source = sb_source_of(buildfile->file, buildfile->text, buildfile->len),
		.line = SB_LOGICAL_INIT,
		.escape = '\\',
	};

	if (part == WHOLE_FILE) {
		struct sb_directives directives;

		if (sb_directives_read(parser.source, &directives, err) < 0)
			return -1;
		parser.escape = directives.escape;
		buildfile->check = SB_STEAL(directives.check);
		buildfile->check_line = directives.check_line;
	}
	buildfile->escape = parser.escape;

	const int result = parse_lines(&parser, buildfile, err);

	sb_logical_release(&parser.line);
	return result;
}

static struct sb_buildfile *buildfile_new(const char *file, const char *text, size_t len)
{
	struct sb_buildfile *buildfile = SB_NEW(struct sb_buildfile);

	buildfile->file = sb_strdup(file);
	buildfile->text = sb_memdup0(text, len);
	buildfile->len = len;
	return buildfile;
}

int sb_buildfile_parse(const char *file, const char *text, size_t len, struct sb_buildfile **out,
	struct sb_error *err)
{
	const struct sb_source_pos at = {.file = file};

	if (len > SB_MAX_BUILDFILE)
		return sb_fail_at(err, SB_E_LIMIT, at, "more than %d bytes", SB_MAX_BUILDFILE);
	if (len == 0)
		return sb_fail_at(err, SB_E_SYNTAX, at, "the file is empty");

	SB_AUTO(sb_buildfile) buildfile = buildfile_new(file, text, len);

	if (parse(buildfile, WHOLE_FILE, err) < 0 || check_stages(buildfile, err) < 0) {
		sb_buildfile_show(buildfile, err);
		return -1;
	}
	*out = SB_STEAL(buildfile);
	return 0;
}

static int check_trigger(const struct sb_buildfile *buildfile, struct sb_error *err)
{
	const struct sb_instruction *trigger = buildfile->instructions.items;

	if (buildfile->instructions.len != 1)
		return sb_fail(err, SB_E_SYNTAX,
			"an ONBUILD trigger is one instruction, this one has %zu",
			buildfile->instructions.len);
	if (trigger->kind == SB_INSTR_ONBUILD || trigger->kind == SB_INSTR_FROM ||
		trigger->kind == SB_INSTR_MAINTAINER)
		return sb_fail(err, SB_E_SYNTAX, "ONBUILD: %s can't be a trigger",
			sb_instruction_name(trigger->kind));
	return 0;
}

int sb_buildfile_parse_trigger(const char *text, struct sb_buildfile **out, struct sb_error *err)
{
	const size_t len = strlen(text);

	if (len > SB_MAX_BUILDFILE)
		return sb_fail(err, SB_E_LIMIT, "more than %d bytes", SB_MAX_BUILDFILE);

	SB_AUTO(sb_buildfile) buildfile = buildfile_new("ONBUILD", text, len);

	if (parse(buildfile, ONE_TRIGGER, err) < 0 || check_trigger(buildfile, err) < 0)
		return -1;
	*out = SB_STEAL(buildfile);
	return 0;
}
