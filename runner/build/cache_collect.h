/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_COLLECT_H
#define SB_BUILD_CACHE_COLLECT_H

#include "build/build.h"
#include "oci/shared_cache.h"

/* What of a build's cache is wanted, and in which form its layers. */
struct sb_collect_options {
	bool has_all; /* also of stages that are no part of the image */
	bool has_compression;
	enum sb_compression compression; /* else the layer's own form, or the build's */
	int level;
};

/* The steps of build->used_steps that the store has records of, sorted. Layers that have no blob
 * in the wanted form get one, and all blobs are compared with their digests. */
int sb_cache_collect(struct sb_build *build, const struct sb_collect_options *options,
	struct sb_shared_cache *out, struct sb_error *err) SB_MUST_USE;

#endif
