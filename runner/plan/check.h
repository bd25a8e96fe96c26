/* SPDX-License-Identifier: MIT */
#ifndef SB_PLAN_CHECK_H
#define SB_PLAN_CHECK_H

#include "plan/plan.h"

/*
 * What can be refused before anything runs, so that a build does not fail at its last step for what
 * stood in its Buildfile from the start: what this version does not have, and words that are wrong
 * whatever their variables turn out to be. Words with variables are looked at again when their
 * values are known.
 */

/* Every instruction of the stages that the target needs, and the names of their bases. Located. */
int sb_plan_check(const struct sb_plan *plan, struct sb_error *err) SB_MUST_USE;

/* One instruction (an ONBUILD trigger of a base image comes by way of no plan). Not located. */
int sb_instruction_check(
	const struct sb_instruction *instr, char escape, struct sb_error *err) SB_MUST_USE;

/* Does the instruction's text become part of the image's config? */
bool sb_instruction_is_in_config(enum sb_instruction_kind kind);
/* SB_E_SYNTAX for text that a config can't hold. */
int sb_config_text_check(const char *text, struct sb_error *err) SB_MUST_USE;

#endif
