/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_STUBS_H
#define SB_BUILD_CACHE_STUBS_H

#include "base/array.h"
#include "sandbox/spec.h"

/*
 * Mount points inside cache mounts. Where a secret is mounted on a file below a cache's target, the
 * file has to be made in the cache, which outlives the step: it is taken away again, as the mount
 * points in the image are, unless the step put something into it.
 */
struct sb_cache_stub {
	int fd;     /* the cache's folder, borrowed */
	char *path; /* relative to it, owned */
};

struct sb_cache_root {
	int fd;       /* owned */
	char *target; /* absolute, link-free; owned */
};

struct sb_cache_stubs {
	SB_ARRAY_FIELDS(struct sb_cache_stub); /* folders before what is in them */
	SB_ARRAY(struct sb_cache_root) roots;
};

/* A cache is mounted read-write on `target`; takes the descriptor. */
void sb_cache_stubs_add_root(struct sb_cache_stubs *stubs, int *fd, const char *target);
/* Before the step: notes what its mounts will have to make in the caches. */
void sb_cache_stubs_find(struct sb_cache_stubs *stubs, const struct sb_step_spec *spec);
/* After the step: removes what is still empty. */
void sb_cache_stubs_remove(const struct sb_cache_stubs *stubs);
void sb_cache_stubs_release(struct sb_cache_stubs *stubs);

#endif
