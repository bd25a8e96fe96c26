/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COMMIT_H
#define SB_BUILD_COMMIT_H

#include "build/build.h"
#include "build/stage.h"

/* What a step wrote, and on what. */
struct sb_written {
	struct sb_upper *upper;         /* its names are consumed */
	int lower_fd;                   /* a view of the stage before the step, or -1 */
	const struct sb_strv *scaffold; /* absolute paths that were only mount points, or NULL */
	bool is_link; /* all of it is the layer, whatever the stage has: COPY --link */
};

/*
 * Makes what a step wrote a layer: compares it with what was there before, searches it for the
 * build's secrets, writes it as a blob where the stage is part of the result, and adds it to the
 * stage with its history entry. A step whose diff holds a secret is refused (SB_E_LEAK), and its
 * diff is destroyed.
 */
int sb_commit(struct sb_build *build, struct sb_stage_state *state,
	const struct sb_written *written, bool in_result, const char *created_by,
	struct sb_error *err) SB_MUST_USE;

/* A history entry that adds no layer. */
void sb_commit_metadata(
	const struct sb_build *build, struct sb_stage_state *state, const char *created_by);

/* Now, or the source date epoch, as RFC 3339 in UTC; caller frees. */
char *sb_commit_time(const struct sb_build *build);

#endif
