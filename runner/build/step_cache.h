/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_STEP_CACHE_H
#define SB_BUILD_STEP_CACHE_H

#include "build/instructions.h"
#include "layer/write.h"
#include "plan/key.h"

/*
 * What one step has to do with the cache. begin uses the result that an earlier build has left, if
 * any; else the step runs, holding its key's lock so that no other build runs it too, and sb_commit
 * has what it wrote recorded. Zeroed but for the lock: the step is not cached.
 */
struct sb_step_cache {
	struct sb_cache *cache;
	struct sb_digest key;
	int lock_fd;
	bool in_result;   /* the layer is part of the image */
	bool is_private;  /* nothing of it leaves the store (plan/key.h) */
	bool is_link;     /* its layer does not depend on those below it */
	const char *text; /* the instruction, borrowed */
};
#define SB_STEP_CACHE_INIT \
	{ \
		.lock_fd = -1 \
	}
void sb_step_cache_release(struct sb_step_cache *step);

/*
 * key NULL: nothing is known that the step could be found by. *out_is_done: the layer is on the
 * stage, and the step's end is told. SB_E_LEAK where a secret of this build is in the layer, which
 * is then gone from the cache, with its record.
 */
int sb_step_cache_begin(const struct sb_do *d, const struct sb_key *key, bool is_link,
	const char *created_by, struct sb_step_cache *out, bool *out_is_done,
	struct sb_error *err) SB_MUST_USE;

/* What the step came to. */
struct sb_step_done {
	const struct sb_upper *upper; /* becomes a layer of the store */
	const struct sb_layer_blob *blob;
	bool has_blob; /* it is in the store */
	const char *created;
};
/* *out_name (caller frees) is the layer's name for sb_stack_view. A record that can't be
 * written is a warning. */
int sb_step_cache_keep(const struct sb_do *d, const struct sb_step_cache *step,
	const struct sb_step_done *done, char **out_name, struct sb_error *err) SB_MUST_USE;

#endif
