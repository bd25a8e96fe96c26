/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_COLUMNS_H
#define SB_BASE_COLUMNS_H

#include <stddef.h>

/*
 * How wide text is on a terminal: two columns for East Asian letters and emoji, none for marks that
 * stand on another letter. The text is printable UTF-8 (base/escape.h).
 */
size_t sb_columns_of(const char *text);
/* A copy of at most so many columns (at least 1); a cut one ends in an ellipsis. Caller frees. */
char *sb_columns_fit(const char *text, size_t columns);
/* The same, cut in the middle: of a path both ends tell something. */
char *sb_columns_fit_middle(const char *text, size_t columns);

#endif
