/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_COLLECT_H
#define SB_BUILD_CACHE_COLLECT_H

#include "build/build.h"
#include "build/cache_source.h"
#include "oci/shared_cache.h"

/* What of a build's cache is wanted, and in which form its layers. */
struct sb_collect_options {
	bool has_all; /* also of stages that are no part of the image */
	bool has_compression;
	enum sb_compression compression; /* else the layer's own form, or the build's */
	int level;
};

/* Blobs of layers that were never brought into the store (build/cache_import.h), and where they
 * lie. */
struct sb_absent_blob {
	struct sb_descriptor blob;
	struct sb_cache_source *source; /* borrowed */
};
SB_ARRAY_STRUCT(sb_absent_blobs, struct sb_absent_blob);
void sb_absent_blobs_release(struct sb_absent_blobs *blobs);

/* The steps of build->used_steps that the store has records of, sorted. Layers that have no blob
 * in the wanted form get one, and all blobs are compared with their digests. */
int sb_cache_collect(struct sb_build *build, const struct sb_collect_options *options,
	struct sb_shared_cache *out, struct sb_absent_blobs *absent,
	struct sb_error *err) SB_MUST_USE;

#endif
