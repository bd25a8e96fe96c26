/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_INSTRUCTIONS_H
#define SB_BUILD_INSTRUCTIONS_H

#include "build/build.h"
#include "build/stage.h"

/*
 * One instruction, carried out on a stage. Each kind has a function of this form; the table is in
 * instructions.c. Those that make layers end in sb_commit, the others in sb_commit_metadata, but
 * for ONBUILD, which leaves no history, as in the reference.
 */
struct sb_do {
	struct sb_build *build;
	struct sb_stage_state *state;
	const struct sb_instruction *instr;
	size_t stage;             /* index in the plan */
	struct sb_worker *worker; /* of this thread */
};

int sb_do_instruction(const struct sb_do *d, struct sb_error *err) SB_MUST_USE;

int sb_do_run(const struct sb_do *d, struct sb_error *err) SB_MUST_USE;
int sb_do_copy(const struct sb_do *d, struct sb_error *err) SB_MUST_USE;
int sb_do_workdir(const struct sb_do *d, struct sb_error *err) SB_MUST_USE;

/* A word of the instruction with the stage's variables; caller frees. */
int sb_do_expand(
	const struct sb_do *d, const char *word, char **out, struct sb_error *err) SB_MUST_USE;
/* Is the stage's layer part of the image? */
bool sb_do_in_result(const struct sb_do *d);

/*
 * What COPY --from or --mount=from names, as a read-only file system: a detached mount of a
 * stage's, image's or context's root. *out_is_context: it is a folder of the host, and *out_ignore
 * its ignore rules (borrowed).
 */
int sb_do_open_from(const struct sb_do *d, const char *from, int *out_fd, bool *out_is_context,
	const struct sb_ignore **out_ignore, struct sb_error *err) SB_MUST_USE;

#endif
