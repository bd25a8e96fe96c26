/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_PAGE_H
#define SB_INSPECT_REPORT_PAGE_H

#include "inspect/page.h"
#include "inspect/report_facts.h"

/* The parts of the terminal page that are long enough for a file of their own. */
void sb_page_add_findings(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_findings *findings);
/* setuid files, capabilities, shells, package managers and their caches. */
void sb_page_add_facts(struct sb_page *page, const struct sb_inspection *in);
/* What was searched for, where, and what was not. */
void sb_page_add_proof(struct sb_page *page, const struct sb_inspection *in);

/* "      added in layer 2 by COPY …" */
void sb_page_add_event(
	struct sb_page *page, const struct sb_inspection *in, const char *what, size_t layer);
/* "  and 12 more: --format json has all". */
void sb_page_add_more(struct sb_page *page, size_t indent, size_t n);

#endif
