/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/lint_options.h"
#include "cli/render_lint.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static int parse_format(void *field, const char *value, struct sb_error *err);
static void release(void *fields);

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

struct lint_fields {
	const char *file;
	const char *context;
	const char *target;
	const char *platform;
	const char *root;
	struct sb_strv build_args;
	struct sb_strv skip;
	struct sb_strv experimental;
	enum sb_fail_on fail_on;
	enum format format;
};

#define FIELD(name) offsetof(struct lint_fields, name)

static const struct sb_option options[] = {
	{"file", 'f', SB_OPTION_TEXT, "FILE", FIELD(file), "the same as FILE", NULL},
	{"format", 0, SB_OPTION_PARSED, "FORM", FIELD(format), "text (default), json or sarif",
		parse_format},
	{"fail-on", 0, SB_OPTION_PARSED, "SEVERITY", FIELD(fail_on),
		"exit with status 1 from here on: error (default), warning, info; or never",
		sb_fail_on_parse},
	{"skip", 0, SB_OPTION_PARSED, "RULE,...", FIELD(skip), "leave rules out (repeatable)",
		sb_rule_names_parse},
	{"experimental", 0, SB_OPTION_PARSED, "RULE,...", FIELD(experimental),
		"use experimental rules too, or all of them (repeatable)", sb_rule_names_parse},
	{"context", 0, SB_OPTION_TEXT, "DIR", FIELD(context),
		"the build context, for its ignore file (default: FILE's folder)", NULL},
	{"target", 0, SB_OPTION_TEXT, "STAGE", FIELD(target), "the stage that is built", NULL},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", FIELD(platform),
		"the platform that is built for (default: the host's)", sb_platform_option_parse},
	{"build-arg", 0, SB_OPTION_LIST, "NAME[=VALUE]", FIELD(build_args),
		"a value for ARG (repeatable)", NULL},
	SB_OPTION_ROW_ROOT(struct lint_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_lint = {
	.name = "lint",
	.usage = "lint [options] [FILE]",
	.summary =
		"find what will hurt in a Buildfile: leaked secrets, root, caches, bases that move",
	.details =
		"FILE is a Buildfile, a folder that has one, or '-' for standard input (default:\n"
		"Buildfile, then Dockerfile). A finding is waived by a comment above its\n"
		"instruction, '# safebuild: ignore=RULE why', or for the file by '# "
		"check=skip=RULE'\n"
		"on its first line.\n\n"
		"Exit status: 0 nothing at or over --fail-on, 1 findings, 2 wrong usage or a\n"
		"Buildfile that does not parse, 3 the file can't be read.\n",
	.options = options,
	.fields_size = sizeof(struct lint_fields),
	.max_words = 1,
	.run = run,
	.release = release,
};

static int parse_format(void *field, const char *value, struct sb_error *err)
{
	static const char *const names[] = {"text", "json", "sarif"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], value) == 0) {
			*(enum format *)field = (enum format)i;
			return 0;
		}
	}
	return sb_fail(
		err, SB_E_USAGE, "unknown form '%s': the forms are text, json and sarif", value);
}

static void release(void *fields)
{
	struct lint_fields *f = fields;

	sb_strv_release(&f->build_args);
	sb_strv_release(&f->skip);
	sb_strv_release(&f->experimental);
}

static const char *const *list_of(const struct sb_strv *strv)
{
	return strv->len > 0 ? (const char *const *)strv->items : NULL;
}

static void print_report(
	const struct sb_cli *cli, enum format format, const struct sb_lint_report *report)
{
	if (format == FORMAT_JSON)
		sb_render_lint_json(report, SB_LINT_JSON_DOCUMENT, cli->out);
	else if (format == FORMAT_SARIF)
		sb_render_lint_sarif(report, cli->out);
	else
		sb_render_lint_page(report, cli->out, sb_terminal_has_color(cli->out));
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct lint_fields *f = fields;
	struct sb_lint_options lint = SB_LINT_OPTIONS_INIT;
	struct sb_lint_report *report = NULL;

	if (f->file != NULL && words->len > 0)
		return sb_fail(err, SB_E_USAGE, "the Buildfile is named twice: '%s' and '%s'",
			f->file, words->items[0]);
	lint.root = f->root;
	lint.buildfile = words->len > 0 ? words->items[0] : f->file;
	lint.context = f->context;
	lint.target = f->target;
	lint.platform = f->platform;
	lint.build_args = list_of(&f->build_args);
	lint.skip = list_of(&f->skip);
	lint.experimental = list_of(&f->experimental);
	if (sb_lint(&lint, &report, err) < 0)
		return -1;
	print_report(cli, f->format, report);

	const int status = sb_fail_on_status(f->fail_on, SB_FAIL_ON_ERROR, report);

	sb_lint_report_free(report);
	return status;
}
