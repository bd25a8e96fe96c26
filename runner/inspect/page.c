/* SPDX-License-Identifier: MIT */
#include "inspect/page.h"

#include <stdarg.h>
#include <string.h>

#include "base/columns.h"
#include "base/escape.h"
#include "base/mem.h"

static void add(struct sb_page *page, const char *text)
{
	if (!sb_error_is_set(page->err) && sb_buf_add_str(&page->text, text, page->err) < 0)
		(void)sb_error_context(page->err, "report page");
}

static void add_colored(struct sb_page *page, enum sb_page_color color, const char *text)
{
	static const char *const codes[] = {
		"", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m"};
	const bool is_colored = page->style->color && color != SB_PAGE_PLAIN && text[0] != '\0';

	if (is_colored)
		add(page, codes[color]);
	add(page, text);
	if (is_colored)
		add(page, "\033[0m");
}

void sb_page_addf(struct sb_page *page, enum sb_page_color color, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_autofree char *text = sb_vasprintf(fmt, args);
	va_end(args);
	add_colored(page, color, text);
}

void sb_page_end_line(struct sb_page *page)
{
	add(page, "\n");
}

typedef char *(*fit_fn)(const char *text, size_t columns);

static void add_fitting(struct sb_page *page, enum sb_page_color color, const char *text,
	size_t max_columns, fit_fn fit)
{
	sb_autofree char *safe = sb_escape_text(text, strlen(text));
	sb_autofree char *cut = max_columns > 0 ? fit(safe, max_columns) : NULL;

	add_colored(page, color, cut != NULL ? cut : safe);
}

void sb_page_add_text(
	struct sb_page *page, enum sb_page_color color, const char *text, size_t max_columns)
{
	add_fitting(page, color, text, max_columns, sb_columns_fit);
}

void sb_page_add_path(
	struct sb_page *page, enum sb_page_color color, const char *path, size_t max_columns)
{
	add_fitting(page, color, path, max_columns, sb_columns_fit_middle);
}

size_t sb_page_room(const struct sb_page *page, size_t used)
{
	enum { MIN_ROOM = 20 };

	if (page->style->width == 0)
		return 0;
	return page->style->width > used + MIN_ROOM ? page->style->width - used : MIN_ROOM;
}

void sb_page_add_wrapped(struct sb_page *page, size_t indent, const char *label,
	enum sb_page_color color, const char *text)
{
	sb_autofree char *safe = sb_escape_text(text, strlen(text));
	const size_t behind_label = indent + strlen(label);
	const size_t room = sb_page_room(page, behind_label);
	size_t used = 0;
	char *rest = safe;
	char *word;

	sb_page_addf(page, SB_PAGE_DIM, "%*s%s", (int)indent, "", label);
	while ((word = strsep(&rest, " ")) != NULL) {
		/* A word longer than the line has a line, and is cut. */
		sb_autofree char *cut =
			room > 0 ? sb_columns_fit_middle(word, room) : sb_strdup(word);
		const size_t columns = sb_columns_of(cut);

		if (used > 0 && room > 0 && used + 1 + columns > room) {
			sb_page_addf(page, SB_PAGE_PLAIN, "\n%*s", (int)behind_label, "");
			used = 0;
		}
		if (used > 0)
			add(page, " ");
		add_colored(page, color, cut);
		used += (used > 0 ? 1 : 0) + columns;
	}
	sb_page_end_line(page);
}

void sb_page_add_title(struct sb_page *page, const char *title)
{
	sb_page_end_line(page);
	add_colored(page, SB_PAGE_BOLD, title);
	sb_page_end_line(page);
}

void sb_page_add_bar(struct sb_page *page, enum sb_page_color color, uint64_t part, uint64_t whole,
	unsigned columns)
{
	/* U+2588 is a full cell, the ones behind it are narrower by an eighth each. */
	static const char *const eighths[] = {"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d",
		"\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89"};
	const double share = whole > 0 ? (double)part / (double)whole : 0;
	unsigned n = (unsigned)(share * columns * 8 + 0.5);
	SB_AUTO_BUF bar = SB_BUF_INIT(1024);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (n > columns * 8)
		n = columns * 8;
	if (n == 0 && part > 0)
		n = 1;

	const unsigned n_cells = n / 8 + (n % 8 > 0 ? 1 : 0);
	int rc = 0;

	for (unsigned i = 0; i < n / 8 && rc == 0; i++)
		rc = sb_buf_add_str(&bar, "\xe2\x96\x88", &err);
	if (rc == 0)
		rc = sb_buf_add_str(&bar, eighths[n % 8], &err);
	if (rc < 0)
		sb_error_ignore(&err, "a bar of that many columns fits on no screen");
	add_colored(page, color, bar.data);
	sb_page_addf(page, SB_PAGE_PLAIN, "%*s", (int)(columns - n_cells), "");
}
