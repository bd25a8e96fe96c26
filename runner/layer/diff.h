/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_DIFF_H
#define SB_LAYER_DIFF_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"
#include "sys/idmap.h"
#include "sys/interrupt.h"
#include "sys/xattr.h"

/*
 * What a step changed, read from the overlay's upper folder: time and memory are those of the
 * change, not of the image. The rules stand in runner/README.md ("What a layer holds").
 */

enum sb_change_kind {
	SB_CHANGE_ADD,
	SB_CHANGE_MODIFY,
	SB_CHANGE_DELETE, /* written as a whiteout */
	SB_CHANGE_PARENT, /* a folder that did not change, needed before what changed below it */
};

struct sb_change {
	enum sb_change_kind kind;
	char *path; /* relative, no leading slash, no trailing one; owned */
	mode_t mode;
	uid_t uid; /* image ids */
	gid_t gid;
	uint64_t size;
	int64_t mtime; /* whole seconds */
	dev_t rdev;
	char *link; /* a symbolic link's target, or for a hard link the path of its first name in
		       this layer; owned */
	bool is_hardlink;
	struct sb_xattrs xattrs; /* those that a layer keeps; owned */
	ino_t ino; /* of the upper file, so that a file that is swapped while it is read is noticed
		    */
	int64_t ctime_ns;
};
SB_ARRAY_STRUCT(sb_changes, struct sb_change);

/* Whether a layer holds bytes of it: a regular file under its first name. */
static inline bool sb_change_has_content(const struct sb_change *change)
{
	return change->kind != SB_CHANGE_DELETE && !change->is_hardlink && S_ISREG(change->mode);
}

struct sb_diff_options {
	/* The merged view of all lower layers (read-only), or -1 where there are none. */
	int lower_fd;
	/* The overlay's upper folder. */
	int upper_fd;
	/* upper_fd is a whole file system: what it lacks of the lower one is gone. */
	bool is_whole;
	struct sb_idmap ids;
	/* Absolute paths (cleaned, links resolved) that the step saw only as mount points, or NULL.
	 */
	const struct sb_strv *scaffold;
	/* Gets the paths of the sockets, which no layer can hold; or NULL. */
	struct sb_strv *sockets;
	struct sb_interrupt *interrupt; /* looked at all the while; or NULL */
};

/*
 * In the order in which they are written: parents first, siblings in byte order. warnings gets a
 * line for each kind of thing that a layer can't hold (sockets, trusted.* attributes). Fails with
 * SB_E_STEP_FAILED for a name that begins with ".wh.".
 */
int sb_diff(const struct sb_diff_options *options, struct sb_changes *out, struct sb_strv *warnings,
	struct sb_error *err) SB_MUST_USE;
void sb_change_release(struct sb_change *change);
void sb_changes_release(struct sb_changes *changes);

#endif
