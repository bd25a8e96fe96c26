/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_HTML_H
#define SB_INSPECT_REPORT_HTML_H

#include "inspect/html_page.h"
#include "inspect/report.h"
#include "inspect/report_facts.h"

/* The parts of the HTML page that are long enough for a file of their own. */
enum {
	SB_HTML_PATH_COLUMNS = 300,
	SB_HTML_INSTRUCTION_COLUMNS = 400,
};

void sb_html_findings(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_findings *findings);
void sb_html_dead(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_report_sums *sums);
void sb_html_facts(struct sb_html *html, const struct sb_inspection *in);
void sb_html_proof(struct sb_html *html, const struct sb_inspection *in);

/* "added in layer 2 by COPY …" as a paragraph. */
void sb_html_event(
	struct sb_html *html, const struct sb_inspection *in, const char *what, size_t layer);
/* "and 12 more: --format json has all" as a paragraph. */
void sb_html_more(struct sb_html *html, size_t n);
void sb_html_code(struct sb_html *html, const char *path);

#endif
