/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_RENDER_LINT_H
#define SB_CLI_RENDER_LINT_H

#include <stdbool.h>
#include <stdio.h>

#include "safebuild/lint.h"

/* The linter's report: as a page, rule by rule, the severest first; and its last line, the counts.
 */
void sb_render_lint_page(const struct sb_lint_report *report, FILE *out, bool has_color);

enum sb_lint_json {
	SB_LINT_JSON_DOCUMENT,
	SB_LINT_JSON_EVENT, /* one line among those of --progress=json */
};
/* As JSON, in the form that safebuild(1) describes. */
void sb_render_lint_json(const struct sb_lint_report *report, enum sb_lint_json form, FILE *out);

/* As a SARIF 2.1.0 log with one run. */
void sb_render_lint_sarif(const struct sb_lint_report *report, FILE *out);

#endif
