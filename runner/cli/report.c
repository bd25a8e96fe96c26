/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN "\033[36m"
#define RESET "\033[0m"

struct report {
	struct sb_source_pos at;
	const char *label;
	const char *color;
	const char *message;
	const char *hint;
};

static void print_escaped(FILE *out, const char *text)
{
	sb_autofree char *escaped = sb_escape_text(text, strlen(text));

	(void)fputs(escaped, out);
}

static void print_place(FILE *out, const struct sb_source_pos *at)
{
	if (at->file == NULL && at->line == 0) {
		(void)fputs("safebuild: ", out);
		return;
	}
	print_escaped(out, at->file != NULL ? at->file : "line ");
	if (at->line != 0)
		(void)fprintf(out, "%s%u", at->file != NULL ? ":" : "", at->line);
	if (at->line != 0 && at->column != 0)
		(void)fprintf(out, ":%u", at->column);
	(void)fputs(": ", out);
}

static void print_report(FILE *out, const struct report *report, bool has_color)
{
	if (has_color)
		(void)fputs(BOLD, out);
	print_place(out, &report->at);
	if (has_color)
		(void)fprintf(out, RESET "%s", report->color);
	(void)fprintf(out, "%s: ", report->label);
	if (has_color)
		(void)fputs(RESET, out);
	print_escaped(out, report->message != NULL ? report->message : "");
	(void)fputc('\n', out);
	if (report->hint == NULL || report->hint[0] == '\0')
		return;
	(void)fprintf(out, "%shint:%s ", has_color ? CYAN : "", has_color ? RESET : "");
	print_escaped(out, report->hint);
	(void)fputc('\n', out);
}

void sb_report_error(FILE *out, const struct sb_error *err, bool has_color)
{
	const struct report report = {
		.at = err->at,
		.label = err->code == SB_E_BUG ? "bug" : "error",
		.color = RED,
		.message = err->message,
		.hint = err->hint,
	};

	print_report(out, &report, has_color);
}

void sb_report_event(FILE *out, const struct sb_event *event, bool has_color)
{
	const bool is_warning = event->kind == SB_EVENT_WARNING;
	const struct report report = {
		.at = {.file = event->file, .line = event->line},
		.label = is_warning ? "warning" : "notice",
		.color = is_warning ? YELLOW : CYAN,
		.message = event->text,
		.hint = event->hint,
	};

	print_report(out, &report, has_color);
}

int sb_exit_status(const struct sb_error *err)
{
	switch (err->code) {
	case SB_OK:
		return SB_EXIT_DONE;
	case SB_E_STEP_FAILED:
	case SB_E_LEAK:
		return SB_EXIT_FAILED;
	case SB_E_USAGE:
	case SB_E_SYNTAX:
		return SB_EXIT_USAGE;
	case SB_E_NOT_FOUND:
		/* At a line of the Buildfile it is a step that failed: a COPY without its source.
		 */
		return err->at.line != 0 ? SB_EXIT_FAILED : SB_EXIT_UNFIT;
	case SB_E_DENIED:
	case SB_E_UNSUPPORTED:
	case SB_E_LIMIT:
	case SB_E_INTEGRITY:
	case SB_E_NETWORK:
	case SB_E_AUTH:
	case SB_E_SYSTEM:
		return SB_EXIT_UNFIT;
	case SB_E_CANCELLED:
		return SB_EXIT_CANCELLED;
	case SB_E_BUG:
		break;
	}
	return SB_EXIT_BUG;
}
