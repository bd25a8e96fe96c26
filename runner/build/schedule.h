/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_SCHEDULE_H
#define SB_BUILD_SCHEDULE_H

#include "build/build.h"

/*
 * Which stages work when: each is built by a thread of its own, at most build->n_jobs of them at a
 * time, earlier ones first. One that needs the result of another waits for its end, and lets others
 * work meanwhile. So a step waits for what it needs and for nothing else, and with one job the
 * stages are built in the order of the Buildfile.
 */

/* A stage's place in that. */
struct sb_turn {
	struct sb_schedule *schedule;
	const struct sb_stage *stage;
	struct sb_worker *worker; /* the thread's while it works; another one after a wait */
};

/* Builds one stage, from its base to its last step. */
typedef int (*sb_stage_fn)(struct sb_build *build, struct sb_turn *turn, struct sb_error *err);

/*
 * Builds the stages that the plan needs, and those that turn out to be needed. When one fails, the
 * others are interrupted, and the first failure is told. The scanner is there.
 */
int sb_schedule_run(struct sb_build *build, sb_stage_fn fn, struct sb_error *err) SB_MUST_USE;

/* Returns when the stage of that index has been built; SB_E_CANCELLED where the build ends before.
 */
int sb_turn_wait(struct sb_turn *turn, size_t stage, struct sb_error *err) SB_MUST_USE;

#endif
