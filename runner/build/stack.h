/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_STACK_H
#define SB_BUILD_STACK_H

#include <pthread.h>

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * A stage's stack of layers ("lowers": names of folders, bottom first, as sb_snapshots_view has
 * them), some of which may only be promised: the layer is known, its folder is not there yet. It is
 * brought the first time that somebody looks at the files of a stack that names it. Where all steps
 * are cached nobody does.
 *
 * What was promised and then can't be had may leave a build without an answer, since later steps
 * have been answered already: then its caller begins again (sb_promises_must_restart), this time
 * with nothing promised.
 */
struct sb_build;
struct sb_snapshots;
struct sb_upper;

/* One layer. Several may be of the same name: all of them are kept. */
struct sb_promise {
	char *name; /* of its folder; owned */
	/* Brings it, on what lies below, where all is there, and pins it. One thread at a time. */
	int (*keep)(struct sb_build *build, void *data, const struct sb_strv *below,
		struct sb_error *err);
	void (*release)(void *data);
	void *data; /* owned */
};

/* Those of all builds of a call, which have one store. Any thread may ask. */
struct sb_promises {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	SB_ARRAY(struct sb_promised *) all;
	bool is_eager;  /* nothing is promised any more */
	bool is_broken; /* what was promised can't be had */
};
void sb_promises_init(struct sb_promises *promises);
void sb_promises_release(struct sb_promises *promises);

/* False in a build that has begun again. */
bool sb_promises_may_add(struct sb_promises *promises);
/* Takes what the promise owns. */
void sb_promises_add(struct sb_promises *promises, const struct sb_promise *promise);
/* Is there a promise of that folder that nobody has kept so far? */
bool sb_promises_has(struct sb_promises *promises, const char *name);
/* For who keeps one, and fails: the build is to begin again. */
void sb_promises_break(struct sb_promises *promises);
/* True, once, after a build that failed for that. */
bool sb_promises_must_restart(struct sb_promises *promises);

/* Brings what is only promised. For a plan, which brings nothing, that is SB_E_NOT_FOUND. */
int sb_stack_bring(
	struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err) SB_MUST_USE;
/* sb_snapshots_view of a stack, brought for it. */
int sb_stack_view(struct sb_build *build, const struct sb_strv *lowers,
	const struct sb_upper *upper, int *out_mount_fd, struct sb_error *err) SB_MUST_USE;

#endif
