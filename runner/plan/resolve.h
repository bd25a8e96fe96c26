/* SPDX-License-Identifier: MIT */
#ifndef SB_PLAN_RESOLVE_H
#define SB_PLAN_RESOLVE_H

#include "plan/plan.h"

/* What FROM `name` of stage `in_stage` (all earlier stages are in the plan) is built on. */
void sb_plan_resolve_base(
	const struct sb_plan *plan, size_t in_stage, const char *name, struct sb_base *out);

/* The --build-context that serves `name`: as written there, or, for an image, as it is shortened
 * for people ("docker.io/library/alpine:latest" is "alpine"). NULL where there is none. Borrowed.
 */
const char *sb_plan_find_context(const struct sb_plan *plan, const char *name);

/*
 * Calls `visit` with every stage, context and image that a stage's own instructions and the ONBUILD
 * triggers of the stage it is built on take files from.
 */
typedef void (*sb_plan_visit_fn)(const struct sb_base *base, void *data);
int sb_plan_visit_sources(const struct sb_plan *plan, const struct sb_stage *stage,
	sb_plan_visit_fn visit, void *data, struct sb_error *err) SB_MUST_USE;
/* The same for one instruction in stage `in_stage`, such as a trigger that an image brings. */
int sb_plan_visit_instruction(const struct sb_plan *plan, size_t in_stage,
	const struct sb_instruction *instr, sb_plan_visit_fn visit, void *data,
	struct sb_error *err) SB_MUST_USE;

#endif
