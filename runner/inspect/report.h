/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_H
#define SB_INSPECT_REPORT_H

#include <stdbool.h>

#include "inspect/finding.h"
#include "inspect/inspect.h"

/*
 * What an inspection found, written down: a page for a terminal, JSON (described in safebuild(1)),
 * SARIF 2.1.0, and one self-contained HTML page. The same inspection gives the same bytes.
 *
 * The inspection's texts hold no secret's value any more, and are taken to be hostile otherwise:
 * any bytes, of any length. The page and the HTML page cut long lists and say so; the others are
 * whole. Caller frees *out. SB_E_LIMIT where a report grows past all reason.
 */
struct sb_report_style {
	bool color;
	unsigned width;    /* columns; 0: unlimited */
	const char *image; /* as the user named it, for commands to copy; NULL: they say IMAGE */
};

int sb_inspection_page(const struct sb_inspection *inspection, const struct sb_findings *findings,
	const struct sb_report_style *style, char **out, struct sb_error *err) SB_MUST_USE;
int sb_inspection_json(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err) SB_MUST_USE;
int sb_inspection_sarif(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err) SB_MUST_USE;
int sb_inspection_html(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err) SB_MUST_USE;

#endif
