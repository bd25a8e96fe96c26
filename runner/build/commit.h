/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COMMIT_H
#define SB_BUILD_COMMIT_H

#include "build/instructions.h"

struct sb_step_cache;

/* What a step wrote, and on what. */
struct sb_written {
	struct sb_upper *upper;         /* its names are consumed */
	int lower_fd;                   /* a view of the stage before the step, or -1 */
	const struct sb_strv *scaffold; /* absolute paths that were only mount points, or NULL */
	bool is_link; /* all of it is the layer, whatever the stage has: COPY --link */
	const struct sb_step_cache *cache; /* where it is recorded; or NULL */
};

/*
 * Makes what a step wrote a layer: compares it with what was there before, searches it for the
 * build's secrets, writes it as a blob where the stage is part of the result, and adds it to the
 * stage with its history entry. A step whose diff holds a secret is refused (SB_E_LEAK), and its
 * diff is destroyed.
 */
int sb_commit(const struct sb_do *d, const struct sb_written *written, const char *created_by,
	struct sb_error *err) SB_MUST_USE;

/* A layer that is there, as the cache has it. Borrowed. */
struct sb_committed {
	const char *name; /* for sb_stack_view */
	const struct sb_digest *diff_id;
	const struct sb_digest *blob; /* NULL where the stage is no part of the result */
	uint64_t size_bytes;
	const char *created;
	const char *created_by;
};
/* Adds it to the stage, with its history entry, and tells the step's end. */
void sb_commit_layer(
	struct sb_build *build, struct sb_stage_state *state, const struct sb_committed *layer);

/* A history entry that adds no layer. Its time is that of the layer before it: see
 * sb_commit_fill_times. */
void sb_commit_metadata(
	const struct sb_build *build, struct sb_stage_state *state, const char *created_by);

/* Gives entries of the history that have no time the one of the last layer of the build before
 * them, or the first one's, and the image that of its last entry: so that a build in which all is
 * cached is the same image. */
void sb_commit_fill_times(
	const struct sb_build *build, size_t n_base_history, struct sb_image_config *config);

/* Now, or the source date epoch, as RFC 3339 in UTC; caller frees. */
char *sb_commit_time(const struct sb_build *build);

#endif
