/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_UNPACK_H
#define SB_LAYER_UNPACK_H

#include "layer/apply.h"
#include "layer/notes.h"
#include "layer/place.h"
#include "layer/tar_input.h"

/*
 * One entry of an archive into the root: whiteouts and opaque markers of layers, and every type of
 * file. What stands in the way is removed, but a folder that meets a folder keeps what it holds.
 */
struct sb_unpack {
	struct sb_tar_input *input;
	struct sb_interrupt *interrupt;
	const struct sb_apply_options *options;
	struct sb_places places;
	struct sb_notes notes;
};

int sb_unpack_entry(
	struct sb_unpack *unpack, struct archive_entry *entry, struct sb_error *err) SB_MUST_USE;

#endif
