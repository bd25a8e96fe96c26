/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_PAGE_H
#define SB_INSPECT_PAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "inspect/inspect.h"

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
/* Text from outside, its control bytes escaped, cut to max columns with an ellipsis (0: whole). A
 * column is taken to be one character. */
void sb_page_add_text(
	struct sb_page *page, enum sb_page_color color, const char *text, size_t max_columns);
/* What is left of the style's width behind `used` columns: at least 20; 0 where it is unlimited. */
size_t sb_page_room(const struct sb_page *page, size_t used);

/* A history line as a person wrote it: without the shell and the builder's marks around it. Caller
 * frees; NULL gives "(no history)". */
char *sb_instruction_text(const char *created_by);

#endif
