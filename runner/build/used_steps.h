/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_USED_STEPS_H
#define SB_BUILD_USED_STEPS_H

#include <stdbool.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/strv.h"

/* Which records of the cache a build has made or used: what --cache-to writes out. Any thread may
 * add. */
struct sb_used_step {
	struct sb_digest key;
	bool is_content;        /* of files that were taken from an image */
	struct sb_digest below; /* the stage's state before the step (sb_stage_state_chain), or
				   that image's; all that follows is a step's */
	struct sb_digest after;
	const struct sb_strv *lowers; /* the stage's, which lives as long as the build */
	size_t n_lowers;              /* of them, without the step's layer */
	bool is_link;
	bool in_result; /* the layer is part of the image */
};

struct sb_used_steps;
struct sb_used_steps *sb_used_steps_new(void);
void sb_used_steps_free(struct sb_used_steps *steps);
SB_DEFINE_FREEP(sb_used_steps)
/* NULL: nobody wants to know. */
void sb_used_steps_add(struct sb_used_steps *steps, const struct sb_used_step *step);
/* How many there are, and the first n of them alone: for a build that begins again. NULL is fine.
 */
size_t sb_used_steps_count(const struct sb_used_steps *steps);
void sb_used_steps_cut(struct sb_used_steps *steps, size_t n);
/* When the build has ended: in the order in which they were added. Borrowed. */
const struct sb_used_step *sb_used_steps_all(const struct sb_used_steps *steps, size_t *out_n);

#endif
