/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_HIDDEN_H
#define SB_LINT_HIDDEN_H

#include "lint/linter.h"

/*
 * Which parts of the Buildfile's lines no report may show: values of variables that are called
 * like secrets, and values that look like secrets.
 */
void sb_hidden_collect(struct sb_linter *linter);

/* The line as it may be shown, printable, at most SB_EXCERPT_BYTES around the place; *column
 * (from 1) and *len, in characters, are where the place then is. Caller frees. */
enum { SB_EXCERPT_BYTES = 160 };
char *sb_hidden_excerpt(const struct sb_linter *linter, struct sb_lint_place place,
	unsigned *out_column, unsigned *out_len);
/* All of the line as it may be shown. Caller frees. */
char *sb_hidden_line(const struct sb_linter *linter, unsigned line);

#endif
