/* SPDX-License-Identifier: MIT */
#include "cli/render_lint.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/lint_options.h"

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN "\033[36m"
#define RESET "\033[0m"

struct page {
	const struct sb_lint_report *report;
	FILE *out;
	bool has_color;
	int digits; /* of the largest line number */
};

static const char *color(const struct page *page, const char *code)
{
	return page->has_color ? code : "";
}

static const char *color_of(const struct page *page, enum sb_severity severity)
{
	static const char *const codes[] = {CYAN, YELLOW, RED};

	return color(page, codes[severity]);
}

static void print_excerpt(const struct page *page, const struct sb_lint_finding *f)
{
	if (f->at.line == 0 || f->excerpt[0] == '\0')
		return;
	(void)fprintf(page->out, " %*u | %s\n", page->digits, f->at.line, f->excerpt);
	if (f->mark_column == 0)
		return;
	(void)fprintf(page->out, " %*s | %*s%s^", page->digits, "", (int)f->mark_column - 1, "",
		color_of(page, f->rule->severity));
	for (unsigned i = 1; i < f->mark_len; i++)
		(void)fputc('~', page->out);
	(void)fprintf(page->out, "%s\n", color(page, RESET));
}

static void print_finding(const struct page *page, const struct sb_lint_finding *f)
{
	sb_autofree char *file = sb_escape_text(page->report->file, strlen(page->report->file));

	(void)fprintf(page->out, "%s%s", color(page, BOLD), file);
	if (f->at.line != 0)
		(void)fprintf(page->out, ":%u:%u", f->at.line, f->at.column);
	(void)fprintf(page->out, ": %s%s%s:%s %s [%s]\n", color(page, RESET),
		color_of(page, f->rule->severity), sb_severity_name(f->rule->severity),
		color(page, RESET), f->message, f->rule->name);
	print_excerpt(page, f);
}

/* All findings of one rule, and then why it is one and what to do. */
static void print_rule(const struct page *page, const struct sb_lint_rule *rule)
{
	for (size_t i = 0; i < page->report->len; i++)
		if (page->report->findings[i].rule == rule)
			print_finding(page, &page->report->findings[i]);
	(void)fprintf(page->out, " %swhy:%s %s\n %sfix:%s %s\n\n", color(page, CYAN),
		color(page, RESET), rule->why, color(page, CYAN), color(page, RESET), rule->fix);
}

static bool is_first(const struct sb_lint_report *report, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (report->findings[before].rule == report->findings[i].rule)
			return false;
	return true;
}

static void print_count(FILE *out, size_t n, const char *word, const char *before)
{
	if (n > 0)
		(void)fprintf(out, "%s%zu %s%s", before, n, word, n == 1 ? "" : "s");
}

static void print_counts(const struct page *page)
{
	const struct sb_lint_report *r = page->report;
	const size_t n_errors = r->n_of[SB_SEVERITY_ERROR];
	const size_t n_warnings = r->n_of[SB_SEVERITY_WARNING];
	sb_autofree char *file = sb_escape_text(r->file, strlen(r->file));

	if (r->len == 0)
		(void)fputs("no findings", page->out);
	print_count(page->out, n_errors, "error", "");
	print_count(page->out, n_warnings, "warning", n_errors > 0 ? ", " : "");
	if (r->n_of[SB_SEVERITY_INFO] > 0)
		(void)fprintf(page->out, "%s%zu info", n_errors + n_warnings > 0 ? ", " : "",
			r->n_of[SB_SEVERITY_INFO]);
	(void)fprintf(page->out, " in %s", file);
	if (r->n_waived > 0)
		(void)fprintf(page->out, ", %zu waived", r->n_waived);
	if (r->is_cut)
		(void)fputs(", and more than can be shown", page->out);
	(void)fputc('\n', page->out);
}

void sb_render_lint_page(const struct sb_lint_report *report, FILE *out, bool has_color)
{
	struct page page = {.report = report, .out = out, .has_color = has_color, .digits = 1};

	for (size_t i = 0; i < report->len; i++)
		for (unsigned n = report->findings[i].at.line, digits = 1; n > 0; n /= 10, digits++)
			page.digits = (int)digits > page.digits ? (int)digits : page.digits;
	for (int severity = SB_SEVERITY_ERROR; severity >= SB_SEVERITY_INFO; severity--)
		for (size_t i = 0; i < report->len; i++)
			if ((int)report->findings[i].rule->severity == severity &&
				is_first(report, i))
				print_rule(&page, report->findings[i].rule);
	print_counts(&page);
}
