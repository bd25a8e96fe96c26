/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_MOUNT_H
#define SB_SYS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/*
 * Mounts through the new API (fsopen(2), Linux 5.2; mount_setattr(2), 5.12): a mount is a
 * descriptor first, and is put somewhere in a second call. A mount that is nowhere goes away with
 * its descriptor, so there is nothing to clean up after a kill. `attrs` are MOUNT_ATTR_* bits.
 */

struct sb_mount_option {
	const char *key;
	const char *value; /* NULL for a flag */
};

/* A new file system instance; options end with {NULL}. */
int sb_mount_new(const char *fstype, const struct sb_mount_option *options, uint64_t attrs,
	int *out_mount_fd, struct sb_error *err) SB_MUST_USE;
/* A bind mount of what fd (O_PATH will do) refers to. `recursive` takes the mounts below too. */
int sb_mount_clone(int fd, bool recursive, uint64_t attrs, int *out_mount_fd,
	struct sb_error *err) SB_MUST_USE;
/* Sets attributes on a mount. */
int sb_mount_set_attrs(
	int mount_fd, bool recursive, uint64_t attrs, struct sb_error *err) SB_MUST_USE;
/* Puts a mount on what target_fd (O_PATH) refers to. */
int sb_mount_attach(int mount_fd, int target_fd, struct sb_error *err) SB_MUST_USE;

struct sb_overlay {
	int layers_fd; /* folder that the names below are relative to; it has a folder called
			  "empty" */
	const struct sb_strv *lowers; /* bottom first; none below one whose root is opaque shows */
	int scaffold_fd;              /* one more lower layer below all others, or -1 */
	const char *upper;            /* NULL: read-only */
	const char *work;
};

/*
 * An overlay mount (userxattr, volatile, nothing redirected), of up to SB_MAX_LAYERS lower layers.
 * Tries, in order: layers as descriptors (Linux 6.13), as one string a layer (6.7), and mount(2)
 * with names relative to /proc/self/fd, which changes the working directory for the length of the
 * call.
 */
int sb_mount_overlay(
	const struct sb_overlay *overlay, int *out_mount_fd, struct sb_error *err) SB_MUST_USE;

/* The same by one of the ways above (1, 2 or 3), for tests and doctor. */
int sb_mount_overlay_by(const struct sb_overlay *overlay, unsigned way, int *out_mount_fd,
	struct sb_error *err) SB_MUST_USE;

#endif
