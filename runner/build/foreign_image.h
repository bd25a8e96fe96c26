/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_FOREIGN_IMAGE_H
#define SB_BUILD_FOREIGN_IMAGE_H

#include "build/build.h"
#include "build/stage.h"

/*
 * An image that is not in the store and does not come into it: its layers are unpacked, verified,
 * into the build's own folder, and go with that.
 */
int sb_foreign_image_unpack(struct sb_build *build, struct sb_image *image,
	struct sb_stage_state **out, struct sb_error *err) SB_MUST_USE;
/* A layout in the build's own folder, to pull into. */
int sb_foreign_image_layout(
	struct sb_build *build, struct sb_layout **out, struct sb_error *err) SB_MUST_USE;

#endif
