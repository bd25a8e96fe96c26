/* SPDX-License-Identifier: MIT */
#ifndef SB_PLAN_ARGS_H
#define SB_PLAN_ARGS_H

#include "plan/plan.h"

/*
 * The scope that FROM lines are expanded in: TARGETPLATFORM, BUILDPLATFORM and their parts,
 * TARGETSTAGE, and the ARGs before the first FROM. A build arg goes before each of them. Appends to
 * *out.
 */
int sb_plan_global_args(const struct sb_buildfile *buildfile, const struct sb_plan_options *options,
	struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

#endif
