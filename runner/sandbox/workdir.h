/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_WORKDIR_H
#define SB_SANDBOX_WORKDIR_H

#include <sys/types.h>

#include "base/error.h"

/*
 * Makes a step's working directory where the image names one that it does not have, as Docker does:
 * with its missing parents, mode 0755, owned by the step's user (ids as the calling process sees
 * them). Links are resolved inside root_fd. What is there stays as it is; SB_E_NOT_FOUND where
 * something that is no folder is in the way.
 */
int sb_workdir_make(
	int root_fd, const char *path, uid_t uid, gid_t gid, struct sb_error *err) SB_MUST_USE;

#endif
