/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_EARLY_LAYERS_H
#define SB_BUILD_EARLY_LAYERS_H

#include "build/build.h"
#include "build/stage.h"

/*
 * Unpacks layers of an image that is still coming into the store (sb_pull_options.on_layers), ahead
 * of sb_base_image_load_stored, which then finds them; or only reads them, where they were there
 * before, or the steps on the image may be cached. Starts zeroed with the build, and takes up
 * another image where one is given.
 */
struct sb_early_layers {
	struct sb_build *build;
	const char *name;        /* as the user wrote it; borrowed */
	struct sb_digest config; /* of the image */
	struct sb_stage_state *state;
	struct sb_digest chain;
	size_t n;       /* layers that are done */
	size_t n_there; /* the first ones, which nobody fetches */
	bool is_known;  /* something of a cache elsewhere was made on these very layers */
};
int sb_early_layers_unpack(struct sb_early_layers *early, const struct sb_manifest *manifest,
	size_t n, struct sb_error *err) SB_MUST_USE;
void sb_early_layers_release(struct sb_early_layers *early);

#endif
