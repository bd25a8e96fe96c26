/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_BASE_IMAGE_H
#define SB_BUILD_BASE_IMAGE_H

#include "build/build.h"
#include "build/stage.h"

/*
 * Brings what FROM, COPY --from or --mount=from names into the store, verified, and unpacks its
 * layers: the state that a stage starts from. Not for stages and scratch.
 */
int sb_base_image_load(struct sb_build *build, const struct sb_base *base,
	const struct sb_platform *platform, struct sb_stage_state **out,
	struct sb_error *err) SB_MUST_USE;

/* The same for an image of the store, by manifest or index. */
int sb_base_image_load_stored(struct sb_build *build, const struct sb_descriptor *d,
	const struct sb_platform *platform, struct sb_stage_state **out,
	struct sb_error *err) SB_MUST_USE;
/*
 * Unpacks layers of an image that is still coming into the store (sb_pull_options.on_layers), ahead
 * of sb_base_image_load_stored, which then finds them. Starts zeroed with the build, and takes up
 * another image where one is given.
 */
struct sb_early_layers {
	struct sb_build *build;
	struct sb_digest config; /* of the image */
	struct sb_stage_state *state;
	struct sb_digest chain;
	size_t n; /* layers that are unpacked */
};
int sb_early_layers_unpack(struct sb_early_layers *early, const struct sb_manifest *manifest,
	size_t n, struct sb_error *err) SB_MUST_USE;
void sb_early_layers_release(struct sb_early_layers *early);
/* Puts the variables that a stage starts with into state->env: the config's, with a PATH as the
 * reference gives one. */
void sb_base_image_start_env(struct sb_stage_state *state);
/* Unpacks a layer of the store as layers/<diff_id>; `lowers` is what it lies on. SB_E_INTEGRITY
 * where it is not what its digests say, or unpacks to more than max_tar_bytes (0: no limit). */
int sb_base_image_unpack(struct sb_build *build, const struct sb_descriptor *layer,
	const struct sb_digest *diff_id, uint64_t max_tar_bytes, const struct sb_strv *lowers,
	struct sb_error *err) SB_MUST_USE;

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
