/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_WHITEOUT_H
#define SB_LAYER_WHITEOUT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/*
 * "This name is gone", in its two forms: in a layer's tar (OCI layer spec, "Whiteouts") and in an
 * overlay's folder (Documentation/filesystems/overlayfs, "whiteouts and opaque directories").
 *
 * Overlays are mounted with `userxattr`, so their attributes are user.overlay.* and never
 * trusted.overlay.*.
 */
#define SB_WHITEOUT_PREFIX ".wh."
#define SB_WHITEOUT_OPAQUE ".wh..wh..opq"

#define SB_OVERLAY_XATTRS "user.overlay."
#define SB_OVERLAY_OPAQUE "user.overlay.opaque"
#define SB_OVERLAY_WHITEOUT "user.overlay.whiteout"
/* What a process sets on an overlay under the name of one of the overlay's own attributes. */
#define SB_OVERLAY_ESCAPED "user.overlay.overlay."

/* A file name that has a meaning in layers and so can't be stored as itself. */
bool sb_whiteout_is_name(const char *name);

/* The character device 0/0. The form as a file with an attribute needs the attributes: see
 * sb_entry_read. */
static inline bool sb_whiteout_is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/*
 * Makes `name`, which must not exist, a whiteout; its folder is marked where the form needs it.
 * Device nodes 0/0 need no privilege since Linux 5.8; where the file system or a filter refuses
 * them, it is the file with an attribute (Linux 6.7).
 */
int sb_whiteout_make(int dir_fd, const char *name, struct sb_error *err) SB_MUST_USE;

/* Hides all that lower layers have in the folder; what the folder holds now stays. */
int sb_whiteout_make_opaque(int dir_fd, const char *name, struct sb_error *err) SB_MUST_USE;

/*
 * What is in the open folder was written on an overlay with nothing below it, and is to be stacked
 * on something: its folders are to be merged with those that are there. The kernel marks a folder
 * that it makes in a merged one, such as the root, opaque, since it saves a look at the lower one.
 */
int sb_whiteout_clear_opaque_in(int dir_fd, struct sb_error *err) SB_MUST_USE;

#endif
