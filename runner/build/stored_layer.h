/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_STORED_LAYER_H
#define SB_BUILD_STORED_LAYER_H

#include "build/build.h"

/* A layer whose blob is in the store, and its folder layers/<diff_id>. */
struct sb_stored_layer {
	const struct sb_descriptor *blob;
	const struct sb_digest *diff_id;
	uint64_t max_tar_bytes; /* what the blob may unpack to; 0: no limit */
	bool is_base; /* of an image; else of a step that is cached, and runs again where its layer
			 can't be had */
	const char *base_name; /* for messages; or NULL */
};

/* Unpacks it; `lowers` is what it lies on. SB_E_INTEGRITY where it is not what its digests say, or
 * unpacks to more. */
int sb_stored_layer_unpack(struct sb_build *build, const struct sb_stored_layer *layer,
	const struct sb_strv *lowers, struct sb_error *err) SB_MUST_USE;
/* Reads it as sb_stored_layer_unpack does, for the same errors, and makes no folder. With a scanner
 * it is searched for the secrets that this one knows: SB_E_LEAK. */
int sb_stored_layer_verify(struct sb_build *build, const struct sb_stored_layer *layer,
	const struct sb_scanner *scanner, struct sb_error *err) SB_MUST_USE;

/* Promises its folder to stacks (build/stack.h). */
void sb_stored_layer_promise(struct sb_build *build, const struct sb_stored_layer *layer);

#endif
