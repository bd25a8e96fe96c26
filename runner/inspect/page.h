/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_PAGE_H
#define SB_INSPECT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "inspect/report.h"

/*
 * A text page under construction. The first failure (the page's maximum) is kept in err, and what
 * comes after it is dropped, so that only the end needs a check.
 */
struct sb_page {
	struct sb_buf text;
	const struct sb_report_style *style;
	struct sb_error *err;
};

enum sb_page_color {
	SB_PAGE_PLAIN,
	SB_PAGE_BOLD,
	SB_PAGE_DIM,
	SB_PAGE_GOOD,
	SB_PAGE_WARN,
	SB_PAGE_BAD
};

void sb_page_addf(struct sb_page *page, enum sb_page_color color, const char *fmt, ...)
	SB_PRINTF(3, 4);
void sb_page_end_line(struct sb_page *page);
/* Text from outside, its control bytes escaped, cut to max columns with an ellipsis (0: whole). */
void sb_page_add_text(
	struct sb_page *page, enum sb_page_color color, const char *text, size_t max_columns);
/* The same, cut in the middle. */
void sb_page_add_path(
	struct sb_page *page, enum sb_page_color color, const char *path, size_t max_columns);
/* Text from outside as whole lines, broken between words, each behind `indent` blanks. The first
 * one begins with the label. */
void sb_page_add_wrapped(struct sb_page *page, size_t indent, const char *label,
	enum sb_page_color color, const char *text);
/* What is left of the style's width behind `used` columns: at least 20; 0 where it is unlimited. */
size_t sb_page_room(const struct sb_page *page, size_t used);

/* A line of its own, after an empty one. */
void sb_page_add_title(struct sb_page *page, const char *title);
/* part of whole as a bar of so many columns, blanks behind it; not empty unless part is 0. */
void sb_page_add_bar(struct sb_page *page, enum sb_page_color color, uint64_t part, uint64_t whole,
	unsigned columns);

#endif
