/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_BASE_IMAGE_H
#define SB_BUILD_BASE_IMAGE_H

#include "build/build.h"
#include "build/stage.h"

/*
 * Brings what FROM, COPY --from or --mount=from names into the store: the state that a stage starts
 * from. Layers that are not unpacked are promised to its stack (build/stack.h). Not for stages and
 * scratch.
 */
int sb_base_image_load(struct sb_build *build, const struct sb_base *base,
	const struct sb_platform *platform, struct sb_stage_state **out,
	struct sb_error *err) SB_MUST_USE;

/* The same for an image of the store, by manifest or index. `name` is for messages about what is
 * unpacked later; or NULL. */
int sb_base_image_load_stored(struct sb_build *build, const struct sb_descriptor *d,
	const char *name, const struct sb_platform *platform, struct sb_stage_state **out,
	struct sb_error *err) SB_MUST_USE;
/*
 * Reads layer i of such a state as unpacking would, if it is only promised and nobody has read it
 * before: for an image that is to have it and whose files nobody looked at. Fails as that would.
 */
int sb_base_image_verify(struct sb_build *build, const struct sb_stage_state *state, size_t i,
	struct sb_error *err) SB_MUST_USE;

/*
 * What the two are made of. Layer i of the image goes on the state's stack, above those before it,
 * which *chain is of; it is promised where no folder of it is there.
 */
int sb_base_image_stack(struct sb_build *build, struct sb_stage_state *state, size_t i,
	const char *name, struct sb_digest *chain, struct sb_error *err) SB_MUST_USE;
int sb_base_image_check_counts(
	size_t n_layers, const struct sb_image_config *config, struct sb_error *err) SB_MUST_USE;

/* Puts the variables that a stage starts with into state->env: the config's, with a PATH as the
 * reference gives one. */
void sb_base_image_start_env(struct sb_stage_state *state);

/* The state of FROM scratch. */
struct sb_stage_state *sb_base_image_scratch(const struct sb_platform *platform);

/*
 * Makes a root file system's tar an image of one layer in the store (`import`); *out is its
 * manifest, in no index yet. config: how the image runs, its layers and platform are set here.
 */
int sb_base_image_import(struct sb_layout *store, int tar_fd, const struct sb_platform *platform,
	struct sb_image_config *config, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;

#endif
