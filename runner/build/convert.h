/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONVERT_H
#define SB_BUILD_CONVERT_H

#include "layer/compress.h"
#include "oci/layout.h"

/*
 * The same image with all its layers in one form of compression; its config, and so what it is,
 * stays. Layers that have the form are not touched. What is unpacked is held against its diff_id.
 * inout: the manifest (SB_E_UNSUPPORTED for an index), which becomes one that is in no index yet.
 */
int sb_convert_layers(struct sb_layout *store, enum sb_compression compression, int level,
	struct sb_descriptor *inout, struct sb_error *err) SB_MUST_USE;

#endif
