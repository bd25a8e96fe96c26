/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_WANTED_H
#define SB_BUILD_WANTED_H

#include "plan/plan.h"

/*
 * The base images that builds ask for, for one platform or several, so that the images of one name
 * are all of the store or all of one registry's index, never some of each: the store's may be
 * older.
 */
struct sb_wanted_base {
	char *name; /* as the Buildfile has it, expanded */
	struct sb_platform platform;
};
SB_ARRAY_STRUCT(sb_wanted_bases, struct sb_wanted_base);
void sb_wanted_bases_release(struct sb_wanted_bases *list);

/* Appends what the plan for that platform needs. What triggers of base images will ask for is not
 * known yet. */
int sb_wanted_bases_add(struct sb_wanted_bases *list, const struct sb_plan *plan,
	const struct sb_platform *target, struct sb_error *err) SB_MUST_USE;

#endif
