/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/lines.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct doctor_fields {
	const char *root;
};

static const struct sb_option options[] = {
	SB_OPTION_ROW_ROOT(struct doctor_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_doctor = {
	.name = "doctor",
	.usage = "doctor [options]",
	.summary = "check whether this host can build, and say what mends it",
	.details = "Exit status: 0 where the host can build, 3 where something is missing.\n",
	.options = options,
	.fields_size = sizeof(struct doctor_fields),
	.run = run,
};

static const struct {
	const char *label;
	const char *color;
} states[] = {
	[SB_CHECK_OK] = {"ok", "\033[32m"},
	[SB_CHECK_DEGRADED] = {"degraded", "\033[33m"},
	[SB_CHECK_FAILED] = {"missing", "\033[31m"},
};

enum { LABEL_COLUMNS = 8 };

static void print_check(
	FILE *out, const struct sb_check *check, size_t name_columns, bool has_color)
{
	const char *detail = check->detail != NULL ? check->detail : "";
	sb_autofree char *shown = sb_line_clean(detail, strlen(detail));

	(void)fprintf(out, "%s%-*s%s  %-*s%s%s\n", has_color ? states[check->state].color : "",
		LABEL_COLUMNS, states[check->state].label, has_color ? "\033[0m" : "",
		shown[0] != '\0' ? (int)name_columns : 0, check->name, shown[0] != '\0' ? "  " : "",
		shown);
	if (check->fix == NULL || check->state == SB_CHECK_OK)
		return;

	sb_autofree char *fix = sb_line_clean(check->fix, strlen(check->fix));

	(void)fprintf(out, "%*sfix: %s\n", LABEL_COLUMNS + 2, "", fix);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct doctor_fields *f = fields;
	const bool has_color = sb_terminal_has_color(cli->out);
	struct sb_check *checks = NULL;
	size_t len = 0;
	size_t name_columns = 0;
	size_t counts[SB_CHECK_FAILED + 1] = {0};

	(void)words;
	if (sb_check_host(f->root, &checks, &len, err) < 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (strlen(checks[i].name) > name_columns)
			name_columns = strlen(checks[i].name);
	}
	for (size_t i = 0; i < len; i++) {
		print_check(cli->out, &checks[i], name_columns, has_color);
		counts[checks[i].state]++;
	}
	sb_checks_free(checks, len);
	if (counts[SB_CHECK_FAILED] > 0) {
		(void)fprintf(cli->out, "\nThis host can't build yet: %zu of %zu checks failed.\n",
			counts[SB_CHECK_FAILED], len);
		return SB_EXIT_UNFIT;
	}
	(void)fputs(counts[SB_CHECK_DEGRADED] > 0
			    ? "\nThis host can build, with the limits said above.\n"
			    : "\nThis host can build.\n",
		cli->out);
	return SB_EXIT_DONE;
}
