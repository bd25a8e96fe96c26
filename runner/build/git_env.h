/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_GIT_ENV_H
#define SB_BUILD_GIT_ENV_H

#include "base/strv.h"
#include "build/git.h"

/* The whole environment of git: what of ours it needs to reach the network, and nothing that would
 * make it ask, or run or read something else. It may hold credentials: wipe it. */
int sb_git_env(const struct sb_git_options *options, struct sb_strv *out,
	struct sb_error *err) SB_MUST_USE;
void sb_git_env_wipe(struct sb_strv *env);

#endif
