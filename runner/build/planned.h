/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_PLANNED_H
#define SB_BUILD_PLANNED_H

#include "build/build.h"
#include "safebuild/plan.h"

/* The report of a build that is only planned, as it is put together. */
struct sb_planned {
	SB_ARRAY(struct sb_planned_stage) stages;
	SB_ARRAY(struct sb_planned_step) steps;
	SB_ARRAY(size_t) index_of; /* of the plan's stages in the report's; SIZE_MAX: not in it */
	/* Of the step that is at work, set on the way. */
	enum sb_planned_state state;
	struct sb_digest key; /* zeroed: none */
};
struct sb_planned *sb_planned_new(void);
void sb_planned_free(struct sb_planned *planned);
SB_DEFINE_FREEP(sb_planned)

/* The plan for another platform begins. */
void sb_planned_begin_platform(struct sb_planned *planned);
/* The stage begins. */
int sb_planned_stage(
	struct sb_build *build, const struct sb_stage *stage, struct sb_error *err) SB_MUST_USE;
/* The step begins, and has ended. */
void sb_planned_begin(struct sb_planned *planned);
void sb_planned_end(
	struct sb_build *build, const struct sb_stage *stage, const struct sb_instruction *instr);
/* Gives all of it away. */
struct sb_plan_report *sb_planned_finish(struct sb_planned *planned);

#endif
