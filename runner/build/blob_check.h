/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_BLOB_CHECK_H
#define SB_BUILD_BLOB_CHECK_H

#include "build/build.h"

/*
 * Reads the layers of the result that the store had before, as they will be exported, unless they
 * are known by their times. One that is not what its digest says is removed from the store, and is
 * SB_E_INTEGRITY: the next build makes or fetches it anew.
 */
int sb_blob_check_result(struct sb_build *build, struct sb_error *err) SB_MUST_USE;
/* The same for one layer that the build has made or taken from the cache; what was found to be
 * right is kept by sb_cache_save_files. */
int sb_blob_check(struct sb_build *build, const struct sb_descriptor *layer,
	struct sb_error *err) SB_MUST_USE;
/* For when a base image's layer could not be unpacked, for the reason in err: says so and removes
 * it where the store's file is not what its digest says, so that the image can be had anew. Returns
 * -1. */
int sb_blob_check_unpacked(
	struct sb_build *build, const struct sb_descriptor *layer, struct sb_error *err);

#endif
