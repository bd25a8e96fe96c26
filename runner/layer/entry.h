/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_ENTRY_H
#define SB_LAYER_ENTRY_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "layer/notes.h"
#include "sys/idmap.h"
#include "sys/xattr.h"

/*
 * One entry of a folder as the image has it: owners in image ids, the attributes that a layer
 * keeps, and what the overlay has noted on it.
 */
struct sb_entry {
	struct stat st; /* st_uid and st_gid are those on disk */
	uid_t uid;      /* image ids */
	gid_t gid;
	struct sb_xattrs xattrs; /* security.capability in the image's form, and user.*, sorted */
	bool is_whiteout;
	bool is_opaque; /* a folder that hides what lower layers have in it */
};

/*
 * Reads what stands at `name`; *out_exists is false, and the call succeeds, where there is nothing.
 * `path` is for messages. notes is told of attributes that can't be kept. Fails with
 * SB_E_UNSUPPORTED for what an overlay with other mount options has left (redirected folders, files
 * without content).
 */
int sb_entry_read(int dir_fd, const char *name, const char *path, const struct sb_idmap *ids,
	struct sb_notes *notes, struct sb_entry *out, bool *out_exists,
	struct sb_error *err) SB_MUST_USE;
void sb_entry_release(struct sb_entry *entry);

bool sb_xattrs_equal(const struct sb_xattrs *a, const struct sb_xattrs *b);

#endif
