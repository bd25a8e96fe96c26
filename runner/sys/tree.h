/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_TREE_H
#define SB_SYS_TREE_H

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

#endif
