/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_LAYER_AGAIN_H
#define SB_BUILD_LAYER_AGAIN_H

#include "build/instructions.h"
#include "layer/write.h"

/* A layer that is kept as a folder, made a tar once more. */
struct sb_layer_again {
	const char *name; /* of the folder, for sb_stack_view */
	bool is_link;     /* it is compared with nothing below */
	bool has_blob;    /* its blob is written to the store, in this form: */
	enum sb_compression compression;
	int level;
	const struct sb_digest *diff_id; /* what must come out */
};

/*
 * Searches it for the build's secrets on the way: SB_E_LEAK, as when its step runs. SB_E_INTEGRITY
 * where the folder is not what it was. The stage is as it is without the layer.
 */
int sb_layer_make_again(const struct sb_do *d, const struct sb_layer_again *layer,
	struct sb_layer_blob *out, struct sb_error *err) SB_MUST_USE;

#endif
