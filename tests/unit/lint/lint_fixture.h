/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_LINT_FIXTURE_H
#define SB_TEST_LINT_FIXTURE_H

#include "lint/lint.h"

/* One row: a Buildfile, and on which lines one rule finds something ("2 5", "" for none). */
struct lint_row {
	const char *rule;
	const char *text;
	const char *lines;
};

/* Fails the test for each row that gives other lines. `flags` is of what the context has. */
enum lint_context {
	CONTEXT_UNKNOWN = 0,
	CONTEXT_HAS_NO_IGNORE_FILE = 1,
	CONTEXT_HAS_IGNORE_FILE = 2, /* it leaves out "*.log", "node_modules" */
	CONTEXT_HAS_IMAGES = 4,
};
void lint_check_rows(const struct lint_row *rows, size_t n, enum lint_context context);

/* The report on a text; fails the test where it can't be made. Experimental rules are on. */
struct sb_lint_report *lint_text(const char *text, struct sb_lint_input options);
struct sb_lint_input lint_options(enum lint_context context);

#endif
