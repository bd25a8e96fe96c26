/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_STEP_KEY_H
#define SB_BUILD_STEP_KEY_H

#include "build/instructions.h"
#include "plan/key.h"

/*
 * The keys of steps (plan/key.h) from the stage that they are to run on. *out_has is false where
 * there is none: something is missing, which the step itself will say, or the stage is not known
 * yet. Only being cancelled is an error.
 */
int sb_step_key_run(const struct sb_do *d, struct sb_key *out, struct sb_key *stamps, bool *out_has,
	struct sb_error *err) SB_MUST_USE;
/* Are the files of contexts that the step had mounted still those of the key? */
int sb_step_key_is_current(const struct sb_do *d, const struct sb_key *stamps, bool *out_is,
	struct sb_error *err) SB_MUST_USE;

/* What all keys of the stage have. */
struct sb_step_scope sb_step_scope_of(const struct sb_do *d);
/* Drops an error that means no key; cancelling stays. */
int sb_step_key_failed(struct sb_error *failed, struct sb_error *err) SB_MUST_USE;

#endif
