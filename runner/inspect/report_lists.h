/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_LISTS_H
#define SB_INSPECT_REPORT_LISTS_H

#include "inspect/inspect.h"
#include "inspect/report_emit.h"

/* Lists that stand in the report (report_json.c) and in the record of a verification alike. */

/* findings[]: known secrets. */
void sb_emit_secret_findings(struct sb_emit *emit, const struct sb_inspection *in);
/* Keys of an object that is open: how much was looked at. */
void sb_emit_searched(struct sb_emit *emit, const struct sb_inspection *in);
/* problems[] */
void sb_emit_problems(struct sb_emit *emit, const struct sb_inspection *in);
/* What was not looked at, under the given key. */
void sb_emit_gaps(struct sb_emit *emit, const char *key, const struct sb_inspection *in);

#endif
