/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_UNPACK_META_H
#define SB_LAYER_UNPACK_META_H

#include <time.h>

#include <archive_entry.h>

#include "base/error.h"
#include "layer/apply.h"
#include "layer/notes.h"

/*
 * Sets owner, mode, attributes and time of what was unpacked as `name` in dir_fd, a file of the
 * type given by `type` (S_IFMT bits), as its entry in the archive says. The order is that in which
 * the kernel takes nothing back: writing clears capabilities, a new owner clears setuid.
 * The time of a folder is not set; see sb_place_keep_time.
 */
int sb_unpack_meta(int dir_fd, const char *name, mode_t type, struct archive_entry *entry,
	const struct sb_apply_options *options, struct sb_notes *notes,
	struct sb_error *err) SB_MUST_USE;

struct timespec sb_unpack_mtime(struct archive_entry *entry);

#endif
