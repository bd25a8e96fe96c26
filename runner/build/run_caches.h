/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_RUN_CACHES_H
#define SB_BUILD_RUN_CACHES_H

#include "build/run_mounts.h"

/*
 * The caches of one RUN (--mount=type=cache): which it gets, and when.
 *
 * A step that waits for a cache may have others, which are locked until it ends. So that no two
 * steps wait for each other, of one build or of several, each takes those that it would wait for
 * before it takes any other, and in the order of their keys.
 */
SB_ARRAY_STRUCT(sb_mount_flags, struct sb_mount_flag);

/* All of the step's with sharing=locked. *out_failed is the flag that an error is about. */
int sb_run_caches_lock(const struct sb_do *d, const struct sb_mount_flags *flags,
	struct sb_run_mounts *out, size_t *out_failed, struct sb_error *err) SB_MUST_USE;

/* The folder of one, after that; with sharing=private, of the first like it that is free. */
int sb_run_caches_open(const struct sb_do *d, const struct sb_mount_flag *flag,
	struct sb_run_mounts *out, int *out_fd, struct sb_error *err) SB_MUST_USE;

#endif
