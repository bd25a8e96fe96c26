/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_RUN_MOUNTS_H
#define SB_BUILD_RUN_MOUNTS_H

#include "build/cache_mountpoints.h"
#include "build/context_view.h"
#include "build/instructions.h"
#include "sandbox/spec.h"

/* What the mounts of one RUN hold open while it runs. */
struct sb_run_mounts {
	SB_ARRAY(int) fds;       /* mounts, folders and locks; closed by release */
	struct sb_strv scaffold; /* every target, for sb_commit */
	struct sb_cache_mountpoints mountpoints;
	struct sb_strv locked; /* keys of the caches that this step holds the lock of */
	struct sb_strv caches; /* keys of those that it can write to */
	SB_ARRAY(const struct sb_context_view *) views; /* of contexts, which it can read */
	bool has_secret;
	unsigned n_ssh; /* mounts of that type so far, which count in default targets */
	bool has_ssh;   /* one of them is there */
};
void sb_run_mounts_release(struct sb_run_mounts *mounts);

/*
 * Adds the step's --mounts and the two files that every step has (/etc/hosts, /etc/resolv.conf) to
 * its spec, secrets as variables to its environment. root_fd: the step's root as it is before it
 * runs.
 */
int sb_run_mounts_add(const struct sb_do *d, int root_fd, struct sb_step_spec *spec,
	struct sb_run_mounts *out, struct sb_error *err) SB_MUST_USE;

/* Right before the step runs, and after its caches were searched: so that a secret that it writes
 * into a cache does not stay there where the build is killed before the search. */
int sb_run_mounts_distrust(const struct sb_run_mounts *mounts, struct sb_build *build,
	const struct sb_upper *upper, struct sb_error *err) SB_MUST_USE;
int sb_run_mounts_trust(const struct sb_run_mounts *mounts, struct sb_build *build,
	const struct sb_upper *upper, struct sb_error *err) SB_MUST_USE;

/* After the step: SB_E_INTEGRITY where a file of a build context, which it could read in place, is
 * not what it was before. */
int sb_run_mounts_check_contexts(const struct sb_run_mounts *mounts, const struct sb_build *build,
	struct sb_error *err) SB_MUST_USE;

/* One small file, mounted read-only. */
int sb_run_mounts_add_file(int root_fd, const char *target, mode_t mode, const char *content,
	struct sb_step_spec *spec, struct sb_run_mounts *out, struct sb_error *err) SB_MUST_USE;

/* A tree of files: a detached mount, borrowed. */
int sb_run_mounts_add_tree(int root_fd, const char *target, int mount_fd, struct sb_step_spec *spec,
	struct sb_run_mounts *out, struct sb_error *err) SB_MUST_USE;

/* The last thing before the step runs: orders the mounts so that what is mounted below another
 * mount's target comes after it, however they were written. */
void sb_run_mounts_sort(struct sb_step_spec *spec, struct sb_run_mounts *mounts);

#endif
