/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/escape.h"
#include "cli/terminal.h"

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
	const char *excerpt;
	unsigned excerpt_column;
};

enum {
	EXCERPT_BYTES = 160, /* of a line, around the place */
	BEFORE_PLACE = EXCERPT_BYTES / 2,
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

static unsigned n_characters(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Escaped, since a column of the terminal is counted by what is shown. */
static char *escaped_part(const char *text, size_t from, size_t to)
{
	return sb_escape_text(text + from, to - from);
}

static bool is_inside_character(const char *text, size_t at)
{
	return ((unsigned char)text[at] & 0xc0) == 0x80;
}

static void print_mark(
	FILE *out, const struct report *report, int digits, size_t from, size_t to, bool has_color)
{
	const size_t at = report->excerpt_column - 1;
	size_t end = at + strcspn(report->excerpt + at, " \t");

	if (end > to)
		end = to;

	sb_autofree char *before = escaped_part(report->excerpt, from, at);
	sb_autofree char *word = escaped_part(report->excerpt, at, end);

	(void)fprintf(out, " %*s | %*s%s^", digits, "", (int)n_characters(before), "",
		has_color ? report->color : "");
	for (unsigned i = 1; i < n_characters(word); i++)
		(void)fputc('~', out);
	(void)fprintf(out, "%s\n", has_color ? RESET : "");
}

static void print_excerpt(FILE *out, const struct report *report, bool has_color)
{
	if (report->excerpt == NULL || report->excerpt[0] == '\0')
		return;

	const size_t len = strlen(report->excerpt);
	const size_t place = report->excerpt_column > 0 ? report->excerpt_column - 1 : 0;
	const int digits = snprintf(NULL, 0, "%u", report->at.line);
	size_t from = len > EXCERPT_BYTES && place > BEFORE_PLACE ? place - BEFORE_PLACE : 0;
	size_t to = len - from > EXCERPT_BYTES ? from + EXCERPT_BYTES : len;

	while (from < place && is_inside_character(report->excerpt, from))
		from++;
	while (to < len && is_inside_character(report->excerpt, to))
		to++;

	sb_autofree char *shown = escaped_part(report->excerpt, from, to);

	(void)fprintf(out, " %u | %s\n", report->at.line, shown);
	if (report->excerpt_column > 0)
		print_mark(out, report, digits, from, to, has_color);
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
	print_excerpt(out, report, has_color);
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
		.excerpt = err->excerpt,
		.excerpt_column = err->excerpt_column,
	};

	print_report(out, &report, has_color);
}

int sb_report_advise(struct sb_error *err)
{
	if (err->os_errno == ENOSPC || err->os_errno == EDQUOT)
		return sb_error_hint(err,
			"to make room in the store: `safebuild prune` removes what no image needs, "
			"with --all also what can be made again; `safebuild du` lists what is "
			"there");
	return -1;
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

void sb_report_notes(const struct sb_event *event, void *file)
{
	if (event->kind == SB_EVENT_WARNING || event->kind == SB_EVENT_NOTICE)
		sb_report_event(file, event, sb_terminal_has_color(file));
}
