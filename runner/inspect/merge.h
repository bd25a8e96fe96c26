/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_MERGE_H
#define SB_INSPECT_MERGE_H

#include "inspect/inspect.h"

/* A place in a report's lists: what has been found so far stands before it. */
struct sb_report_place {
	size_t secret;
	size_t pattern;
	size_t gap;
};
struct sb_report_place sb_report_end(const struct sb_inspection *report);

/*
 * Moves what a sweep put into another report, all of one layer, to where it belongs in this one, as
 * if it had been found then: the same limits hold, and a rule that was met in the same place just
 * before counts once. *out_n is how many items were put there; `found` is left empty.
 */
void sb_report_insert(struct sb_inspection *report, const struct sb_report_place *at,
	struct sb_inspection *found, struct sb_report_place *out_n);

#endif
