/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_HTML_PAGE_H
#define SB_INSPECT_HTML_PAGE_H

#include <stdint.h>

#include "base/buf.h"

/*
 * An HTML page under construction, which loads nothing and runs nothing: its policy allows its own
 * style sheet, by its digest, and nothing else. What comes from outside goes through
 * sb_html_text and the functions that say so, never through sb_html_add.
 *
 * The first failure is kept in err, and what comes after it is dropped: only the end needs a check.
 */
struct sb_html {
	struct sb_buf text;
	struct sb_error *err;
};

/* All up to the body's content; the title is from outside. */
void sb_html_begin(struct sb_html *html, const char *title);
/* Ends the page and gives it away, or fails with what went wrong first. */
int sb_html_finish(struct sb_html *html, char **out) SB_MUST_USE;

/* Markup of ours. */
void sb_html_add(struct sb_html *html, const char *markup);
/* Text from outside: what does not print is escaped as on a terminal, the rest as HTML. */
void sb_html_text(struct sb_html *html, const char *text);
/* The same, cut behind so many columns, or in the middle of them. */
void sb_html_text_cut(struct sb_html *html, const char *text, size_t columns);
void sb_html_path(struct sb_html *html, const char *path, size_t columns);
void sb_html_textf(struct sb_html *html, const char *fmt, ...) SB_PRINTF(2, 3);

/* A bar as wide as `part` is of `whole`, its last `dead` bytes in another colour. */
void sb_html_bar(struct sb_html *html, uint64_t part, uint64_t dead, uint64_t whole);

/* The style sheet (html_style.c). */
extern const char sb_html_style[];

#endif
