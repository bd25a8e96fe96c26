/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_CLEAN_H
#define SB_INSPECT_CLEAN_H

#include "inspect/inspect.h"
#include "inspect/sweep.h"

/*
 * Takes the values of secrets out of every text of the report: those that are known (secrets may be
 * NULL), and those that the patterns find; the latter in names of files only where with_names says
 * that there are any.
 */
void sb_inspection_clean(struct sb_inspection *report, const struct sb_secrets *secrets,
	struct sb_sweep *sweep, bool with_names);

#endif
