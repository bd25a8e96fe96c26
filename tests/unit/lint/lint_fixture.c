/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/ignore.h"
#include "lint_fixture.h"

static enum sb_answer has_ignore_file(void *data)
{
	const enum lint_context *context = data;

	return (*context & CONTEXT_HAS_IGNORE_FILE) != 0 ? SB_ANSWER_YES : SB_ANSWER_NO;
}

static enum sb_answer is_ignored(const char *path, void *data)
{
	(void)data;
	return sb_glob_match("*.log", path) == 1 || strcmp(path, "node_modules") == 0
		       ? SB_ANSWER_YES
		       : SB_ANSWER_NO;
}

static enum sb_answer image(const char *name, struct sb_lint_image *out, void *data)
{
	static char home[] = "HOME=/home/app";
	static char *items[] = {home, NULL};
	static const struct sb_strv env = {items, 1, 1};

	(void)data;
	if (strncmp(name, "unknown", 7) == 0)
		return SB_ANSWER_UNKNOWN;
	*out = (struct sb_lint_image){
		.platform = strncmp(name, "arm", 3) == 0
				    ? (struct sb_platform){"linux", "arm64", ""}
				    : (struct sb_platform){"linux", "amd64", ""},
		.env = &env,
		.user = strstr(name, "app") != NULL ? "app" : "",
	};
	return SB_ANSWER_YES;
}

struct sb_lint_input lint_options(enum lint_context context)
{
	static enum lint_context asked; /* what the answers look at */
	struct sb_lint_input options = {
		.platform = {"linux", "amd64", ""},
		.build_platform = {"linux", "amd64", ""},
	};

	asked = context;
	options.answers.data = &asked;
	if ((context & (CONTEXT_HAS_IGNORE_FILE | CONTEXT_HAS_NO_IGNORE_FILE)) != 0)
		options.answers.has_ignore_file = has_ignore_file;
	if ((context & CONTEXT_HAS_IGNORE_FILE) != 0)
		options.answers.is_ignored = is_ignored;
	if ((context & CONTEXT_HAS_IMAGES) != 0)
		options.answers.image = image;
	return options;
}

struct sb_lint_report *lint_text(const char *text, struct sb_lint_input options)
{
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_STRV experimental = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_lint_report *report = NULL;

	sb_strv_add(&experimental, "all");
	if (options.experimental == NULL)
		options.experimental = &experimental;
	if (sb_buildfile_parse("Buildfile", text, strlen(text), &buildfile, &err) < 0)
		fail_msg("'%s' does not parse: %s", text, err.message);
	if (sb_lint_buildfile(buildfile, &options, &report, &err) < 0)
		fail_msg("'%s' is not linted: %s", text, err.message);
	return report;
}

void lint_check_rows(const struct lint_row *rows, size_t n, enum lint_context context)
{
	for (size_t i = 0; i < n; i++) {
		SB_AUTO(sb_lint_report)
		report = lint_text(rows[i].text, lint_options(context));
		SB_AUTO_STRV lines = SB_STRV_INIT;

		if (sb_lint_rule_find(rows[i].rule) == NULL)
			fail_msg("there is no rule %s", rows[i].rule);
		for (size_t f = 0; f < report->len; f++) {
			const struct sb_lint_finding *finding = &report->findings[f];

			assert_true(finding->message[0] != '\0');
			assert_true(finding->at.line == 0 || finding->excerpt != NULL);
			if (strcmp(finding->rule->name, rows[i].rule) == 0)
				sb_strv_addf(&lines, "%u", finding->at.line);
		}

		sb_autofree char *found = sb_strv_join(&lines, " ");

		if (strcmp(found, rows[i].lines) != 0)
			fail_msg("%s finds [%s], not [%s] in\n%s", rows[i].rule, found,
				rows[i].lines, rows[i].text);
	}
}
