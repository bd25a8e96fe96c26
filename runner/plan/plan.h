/* SPDX-License-Identifier: MIT */
#ifndef SB_PLAN_PLAN_H
#define SB_PLAN_PLAN_H

#include "base/array.h"
#include "base/cleanup.h"
#include "buildfile/instruction.h"
#include "oci/platform.h"

/*
 * Which stages a target needs, and in which order: a Buildfile and the options that bear on it,
 * resolved without looking at anything outside (pure).
 */

enum sb_base_kind {
	SB_BASE_SCRATCH,
	SB_BASE_STAGE,   /* an earlier stage of this Buildfile */
	SB_BASE_CONTEXT, /* a --build-context of that name */
	SB_BASE_IMAGE,   /* a name to look up in the store, then in a registry */
};

/* What FROM, COPY --from or --mount=from names. */
struct sb_base {
	enum sb_base_kind kind;
	size_t stage; /* for STAGE: index in the plan's stages */
	char *name;   /* for CONTEXT and IMAGE: expanded; owned */
};

struct sb_stage {
	char *name; /* "build", or "stage-N" */
	bool is_named;
	size_t index;                      /* in file order */
	const struct sb_instruction *from; /* borrowed from the buildfile */
	struct sb_base base;
	char *platform;       /* FROM --platform, expanded, or NULL */
	char *shown_platform; /* "linux/arm64", as progress tells it; "linux/amd64->arm64" for one
				 whose FROM --platform is not the platform that is built for */
	size_t first; /* its instructions: [first, end) in the buildfile, FROM not included */
	size_t end;
	bool is_needed; /* for the target */
};

struct sb_plan {
	const struct sb_buildfile *buildfile; /* borrowed; must outlive the plan */
	SB_ARRAY(struct sb_stage) stages; /* in file order; a stage only ever needs earlier ones */
	size_t target;                    /* index of the stage that is exported */
	struct sb_strv global_args; /* NAME=value of the ARGs before the first FROM and the platform
				       ones */
	struct sb_strv build_args;  /* NAME=value as given */
	struct sb_strv contexts;    /* names of the --build-contexts */
	size_t n_steps;             /* instructions of the needed stages, FROMs included */
};

struct sb_plan_options {
	const char *target;               /* NULL: the last stage */
	const struct sb_strv *build_args; /* NAME=value */
	const struct sb_strv *context_names;
	struct sb_platform build_platform;
	struct sb_platform target_platform;
};

int sb_plan_new(const struct sb_buildfile *buildfile, const struct sb_plan_options *options,
	struct sb_plan **out, struct sb_error *err) SB_MUST_USE;
void sb_plan_free(struct sb_plan *plan);
SB_DEFINE_FREEP(sb_plan)

/*
 * What a COPY --from or --mount=from in stage `in_stage` names (text already expanded where the
 * language allows it): an index or name of an earlier stage, a context, or an image. Released by
 * sb_base_release.
 */
int sb_plan_resolve_from(const struct sb_plan *plan, size_t in_stage, const char *from,
	struct sb_base *out, struct sb_error *err) SB_MUST_USE;
void sb_base_release(struct sb_base *base);

#endif
