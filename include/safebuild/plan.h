/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_PLAN_H
#define SAFEBUILD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a build would do (sb_build_options.plan_report), told without starting anything.
 */
enum sb_planned_state {
	SB_PLANNED_CONFIG,  /* it changes the configuration alone */
	SB_PLANNED_READY,   /* FROM: the image is in the store */
	SB_PLANNED_FETCH,   /* FROM: it is to be fetched first; what follows is not known yet */
	SB_PLANNED_CACHED,  /* its result is in the store */
	SB_PLANNED_RUN,     /* it runs */
	SB_PLANNED_UNKNOWN, /* it depends on the result of a step that runs */
};
/* "config", "ready", "fetch", "cached", "run", "unknown". Static. */
const char *sb_planned_state_name(enum sb_planned_state state);

struct sb_planned_step {
	size_t stage; /* index in the report's stages */
	char *text;   /* the instruction */
	unsigned line;
	char *key; /* "sha256:…", or "" where it has none or it is not known yet */
	enum sb_planned_state state;
};

struct sb_planned_stage {
	char *name;
	char *base;     /* what it is FROM */
	char *platform; /* of several, as in sb_event; or NULL */
	size_t *needs;  /* indexes of the stages that it builds on or takes files from, sorted */
	size_t n_needs;
	bool is_target;
};

/* Only what the target needs, in the order in which it is built. */
struct sb_plan_report {
	struct sb_planned_stage *stages;
	size_t n_stages;
	struct sb_planned_step *steps;
	size_t n_steps;
};

#endif
