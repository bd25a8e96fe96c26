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

/* Names of build args that nothing in the Buildfile declares and that have no meaning of their own
 * (proxies, platforms, SOURCE_DATE_EPOCH, BUILDKIT_…). Appends. */
void sb_args_unused(const struct sb_buildfile *buildfile, const struct sb_strv *build_args,
	struct sb_strv *out);

/* The value of a proxy's build arg, whose name may be in any case: `name` itself first. Borrowed;
 * NULL where there is none. */
const char *sb_args_get_proxy(const struct sb_strv *build_args, const char *name);

#endif
