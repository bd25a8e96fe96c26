/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_NOTES_H
#define SB_INSPECT_NOTES_H

#include "inspect/inspect.h"

/*
 * What is wrong with an image, and what was not looked at. An image that is nothing but wrong does
 * not fill the memory: of one layer some hundred of each are told, then that there are more.
 */

/* `path` is NULL where the layer itself is meant; the layer SIZE_MAX where the image is. */
void sb_report_problem(struct sb_inspection *report, enum sb_problem_kind kind, size_t layer,
	const char *path, const char *fmt, ...) SB_PRINTF(5, 6);
/* `what` is a path, or NULL for the layer itself. */
void sb_report_gap(struct sb_inspection *report, size_t layer, const char *what, const char *why);

#endif
