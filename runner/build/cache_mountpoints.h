/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_MOUNTPOINTS_H
#define SB_BUILD_CACHE_MOUNTPOINTS_H

#include "base/array.h"
#include "sandbox/spec.h"

/*
 * Mount points inside cache mounts. Where a secret is mounted on a file below a cache's target, the
 * file has to be made in the cache, which outlives the step: it is taken away again, as the mount
 * points in the image are, unless the step put something into it.
 */
struct sb_cache_mountpoint {
	int fd;     /* the cache's folder, borrowed */
	char *path; /* relative to it, owned */
};

struct sb_cache_root {
	int fd;       /* owned */
	char *target; /* absolute, link-free; owned */
};

struct sb_cache_mountpoints {
	SB_ARRAY_FIELDS(struct sb_cache_mountpoint); /* folders before what is in them */
	SB_ARRAY(struct sb_cache_root) roots;
};

/* A cache is mounted read-write on `target`; takes the descriptor. */
void sb_cache_mountpoints_add_root(
	struct sb_cache_mountpoints *mountpoints, int *fd, const char *target);
/* Before the step: notes what its mounts will have to make in the caches. */
void sb_cache_mountpoints_find(
	struct sb_cache_mountpoints *mountpoints, const struct sb_step_spec *spec);
/* After the step: removes what is still empty. */
void sb_cache_mountpoints_remove(const struct sb_cache_mountpoints *mountpoints);
void sb_cache_mountpoints_release(struct sb_cache_mountpoints *mountpoints);

#endif
