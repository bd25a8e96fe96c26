/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_TREE_H
#define SB_SYS_TREE_H

#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

/* The names in an open folder, without `.` and `..`, in byte order. dir_fd's own offset is not
 * used. */
int sb_tree_list(int dir_fd, struct sb_strv *out_names, struct sb_error *err) SB_MUST_USE;

/*
 * Removes `name` in dir_fd with all below it; nothing of that name is success. Links are removed,
 * never followed; folders without permissions (overlayfs makes such) are opened up first. Mounts in
 * the way are an error.
 */
int sb_tree_remove(int dir_fd, const char *name, struct sb_error *err) SB_MUST_USE;

/*
 * Opens the folder above an open one, by way of `..`: how a walk of a tree that is deeper than the
 * descriptors we may hold gets back. A tree that is moved meanwhile can make `..` lead anywhere, so
 * what is opened must be the folder that `expected` (device and inode) was taken from, else it is
 * SB_E_INTEGRITY. NULL for a tree that nobody else can touch.
 */
int sb_tree_open_above(
	int dir_fd, const struct stat *expected, int *out_fd, struct sb_error *err) SB_MUST_USE;

#endif
