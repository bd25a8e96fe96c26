/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_ENTRY_H
#define SB_BUILD_COPY_ENTRY_H

#include "build/copy_meta.h"

/*
 * Single entries. `from_path` is the source relative to its root; `to_path` is the destination
 * relative to its root, link-free. Both name what they name in messages too.
 */

/* Opens a regular file of the source for reading. It must be one when it is opened: a FIFO that was
 * put in its place does not hang us. */
int sb_copy_open_file(struct sb_copy_entry from, const char *from_path, int *out_fd,
	struct stat *out_st, struct sb_error *err) SB_MUST_USE;

/* Copies anything but a folder, with its metadata; a file of that name is replaced, a folder is an
 * error. `st` is the source's lstat. */
int sb_copy_one(struct sb_copy_work *work, struct sb_copy_entry from, const char *from_path,
	const struct stat *st, struct sb_copy_entry to, const char *to_path,
	struct sb_error *err) SB_MUST_USE;

/* Makes a regular file, in the place of any file of that name. */
int sb_copy_create(struct sb_copy_entry to, const char *to_path, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

/*
 * Opens the folder `path` (absolute, cleaned and link-free) in the destination's root. What is
 * missing of it is made with this mode and owner 0:0 or --chown.
 */
int sb_copy_make_folder(struct sb_copy_work *work, const char *path, mode_t mode, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

#endif
