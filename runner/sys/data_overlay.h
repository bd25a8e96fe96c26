/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_DATA_OVERLAY_H
#define SB_SYS_DATA_OVERLAY_H

#include <stdint.h>

#include "base/error.h"

/*
 * A folder as one sees it, and its files' content as it lies elsewhere: an overlay of a skeleton
 * (folders, links, and files that have everything but content) and a data layer, in which overlayfs
 * finds the content by a path that the skeleton's file names. The kernel looks the path up when the
 * file is first opened, with the rights of who mounted; no link, no `..` and no other mount is
 * followed on the way (EXDEV, ELOOP), so that it never leads out of the data folder.
 */
enum sb_data_overlay_way {
	SB_DATA_OVERLAY_NONE,
	SB_DATA_OVERLAY_USER,    /* user.* attributes; Linux 6.16, also in a user namespace */
	SB_DATA_OVERLAY_TRUSTED, /* trusted.* attributes and metacopy; root, Linux 6.8 */
};

/*
 * Which way this host can go, seen by reading a file through it. mount_point_fd (O_PATH): a folder
 * that nobody else looks into, on which the trial's tmpfs stays mounted, in our mount namespace,
 * for the life of the process.
 */
enum sb_data_overlay_way sb_data_overlay_probe(int mount_point_fd);

/* A new skeleton: an empty folder in memory, of at most one file or folder for each 16 KiB of the
 * machine's memory. A detached mount. */
int sb_data_overlay_new_skeleton(int *out_fd, struct sb_error *err) SB_MUST_USE;

/* Makes an empty file of a skeleton stand for `path`, which is relative to the data folder, cleaned
 * and link-free. SB_E_UNSUPPORTED where that can't be, by the path's length or the attributes. */
int sb_data_overlay_mark(enum sb_data_overlay_way way, int file_fd, uint64_t size_bytes,
	const char *path, struct sb_error *err) SB_MUST_USE;

/* All of our own mount namespace; borrowed. */
struct sb_data_overlay {
	enum sb_data_overlay_way way;
	int skeleton_fd;
	int data_fd;  /* without the mounts below it */
	int upper_fd; /* -1: read-only */
	int work_fd;
};
int sb_data_overlay_mount(
	const struct sb_data_overlay *overlay, int *out_mount_fd, struct sb_error *err) SB_MUST_USE;

/* What tells one mount from another of the same file system (statx(2), Linux 5.8). */
int sb_data_overlay_mount_id(int fd, uint64_t *out, struct sb_error *err) SB_MUST_USE;

#endif
