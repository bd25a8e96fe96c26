/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_XATTR_H
#define SB_SYS_XATTR_H

#include <stdbool.h>

#include "base/array.h"
#include "base/error.h"

/*
 * Extended attributes of one entry of a folder, of any type, never following a link (through
 * /proc/self/fd, since there is no *at form of these calls before Linux 6.13).
 */
struct sb_xattr {
	char *name;  /* owned */
	char *value; /* owned, len bytes */
	size_t len;
};
SB_ARRAY_STRUCT(sb_xattrs, struct sb_xattr);

void sb_xattrs_release(struct sb_xattrs *attrs);
/* All attributes that the process may see, sorted by name. A file system without them has none. */
int sb_xattr_list(
	int dir_fd, const char *name, struct sb_xattrs *out, struct sb_error *err) SB_MUST_USE;
/* *out_value (caller frees) is NULL where the attribute is not there. */
int sb_xattr_get(int dir_fd, const char *name, const char *attr, char **out_value, size_t *out_len,
	struct sb_error *err) SB_MUST_USE;
/* errno of the failure stays in err->os_errno. */
int sb_xattr_set(int dir_fd, const char *name, const char *attr, const void *value, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* No error where the attribute is not there. */
int sb_xattr_remove(
	int dir_fd, const char *name, const char *attr, struct sb_error *err) SB_MUST_USE;

#endif
