/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_AT_H
#define SB_SYS_AT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * Files below a directory descriptor. Nothing here ever leaves that directory: paths are resolved
 * by the kernel (openat2, Linux 5.6), so that a link planted in between can't redirect us.
 *
 * SB_AT_BENEATH    `..` and links may be followed as long as they stay below; anything else is
 * SB_E_DENIED. SB_AT_IN_ROOT    as in a chroot: absolute links and `..` are taken relative to the
 * directory, as a container sees them. For everything inside an image's root file system.
 * SB_AT_NO_LINKS   any symbolic link on the way is SB_E_DENIED. For our own store, and for
 * unpacking archives.
 *
 * The path "." is the directory itself; a leading slash is allowed with SB_AT_IN_ROOT only.
 */
enum sb_at_how {
	SB_AT_BENEATH,
	SB_AT_IN_ROOT,
	SB_AT_NO_LINKS,
};

/* openat2 with `flags` (O_CLOEXEC is added) and `mode` for O_CREAT. Returns the descriptor, or -1
 * with errno as the kernel set it and no error object: for callers that act on ENOENT and friends.
 */
int sb_at_open_raw(int dir_fd, const char *path, enum sb_at_how how, int flags, mode_t mode);

int sb_at_open(int dir_fd, const char *path, enum sb_at_how how, int flags, int *out_fd,
	struct sb_error *err) SB_MUST_USE;
/* Opens with O_CREAT|O_EXCL|O_WRONLY. */
int sb_at_create(int dir_fd, const char *path, enum sb_at_how how, mode_t mode, int *out_fd,
	struct sb_error *err) SB_MUST_USE;
/* Opens the folder, O_RDONLY. */
int sb_at_open_dir(int dir_fd, const char *path, enum sb_at_how how, int *out_fd,
	struct sb_error *err) SB_MUST_USE;
/* Makes the folder and its missing parents (mode, less the umask) without following links, and
 * opens it. */
int sb_at_make_dirs(
	int dir_fd, const char *path, mode_t mode, int *out_fd, struct sb_error *err) SB_MUST_USE;

/*
 * Opens the folder that holds `path`, and gives the last part's name: what is needed for the *at
 * calls that act on an entry and not on what it points to. out_name is a copy (caller frees). Fails
 * for "." and "/".
 */
int sb_at_open_parent(int dir_fd, const char *path, enum sb_at_how how, int *out_parent_fd,
	char **out_name, struct sb_error *err) SB_MUST_USE;

/* lstat through openat2. `*out_exists` is false, and the call succeeds, where there is nothing of
 * that name. */
int sb_at_lstat(int dir_fd, const char *path, enum sb_at_how how, struct stat *out,
	bool *out_exists, struct sb_error *err) SB_MUST_USE;

/* The link's target; caller frees. `name` is one name in dir_fd, not resolved further. */
int sb_at_read_link(int dir_fd, const char *name, char **out, struct sb_error *err) SB_MUST_USE;

/* Reads a whole file of at most max_bytes into a fresh buffer (caller releases). */
int sb_at_read_file(int dir_fd, const char *path, enum sb_at_how how, size_t max_bytes,
	struct sb_buf *out, struct sb_error *err) SB_MUST_USE;

/*
 * The path with every symbolic link resolved as inside a root, also where its last parts do not
 * exist yet: the absolute path inside that root, cleaned (caller frees). Used for mount targets and
 * COPY destinations.
 */
int sb_at_canonical(int root_fd, const char *path, char **out, struct sb_error *err) SB_MUST_USE;

#endif
