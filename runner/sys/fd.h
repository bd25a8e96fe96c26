/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_FD_H
#define SB_SYS_FD_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"

/* A file descriptor that ends with its scope: sb_autofd int fd = -1; */
static inline void sb_fd_closep(int *fd)
{
	const int saved_errno = errno;

	if (*fd >= 0)
		(void)close(*fd); /* never retried: on Linux the descriptor is gone after EINTR */
	*fd = -1;
	errno = saved_errno;
}
#define sb_autofd __attribute__((cleanup(sb_fd_closep)))

static inline int sb_fd_steal(int *fd)
{
	const int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Opens for reading a path the user named on the command line; follows links. `what` names its role
 * in errors. */
int sb_fd_open_user(
	const char *path, const char *what, int *out_fd, struct sb_error *err) SB_MUST_USE;
/* Opens for writing a pipe or device that the user named; it must be there. */
int sb_fd_open_out_user(
	const char *path, const char *what, int *out_fd, struct sb_error *err) SB_MUST_USE;
/* Finds what the user named without opening it (O_PATH): for sockets, and to see what it is. */
int sb_fd_find_user(
	const char *path, const char *what, int *out_fd, struct sb_error *err) SB_MUST_USE;
/* Opens a folder that the user named (O_RDONLY|O_DIRECTORY). */
int sb_fd_open_dir_user(
	const char *path, const char *what, int *out_fd, struct sb_error *err) SB_MUST_USE;
/*
 * A descriptor stays in the mount namespace that it was opened in, and sees no mounts any more when
 * that one ends, which it does when its last process enters another. So the folder's path (caller
 * frees; NULL where it has none) is kept before, and it is opened again after: *fd becomes a
 * descriptor of our namespace. Where the path leads to something else, it stays as it is.
 */
char *sb_fd_path(int fd);
void sb_fd_reopen_dir(int *fd, const char *path);
/* Makes a file that the user named, for writing, and SB_E_USAGE where something of that name is
 * there, be it a link to nothing. */
int sb_fd_create_user(const char *path, mode_t mode, int *out_fd, struct sb_error *err) SB_MUST_USE;
/* A new descriptor for the same open file, close-on-exec. */
int sb_fd_dup(int fd, int *out_fd, struct sb_error *err) SB_MUST_USE;
/* Reads to the end, at most buf->max_bytes in total. */
int sb_fd_read_all(int fd, struct sb_buf *buf, struct sb_error *err) SB_MUST_USE;
/* One read, EINTR retried: bytes read, 0 at the end, -1 with err set. */
ssize_t sb_fd_read(int fd, void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
/* Writes all. */
int sb_fd_write_all(int fd, const void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
/* Writes all, from an offset on. */
int sb_fd_pwrite_all(
	int fd, const void *bytes, size_t len, off_t offset, struct sb_error *err) SB_MUST_USE;
/* Exactly len bytes from an offset, SB_E_INTEGRITY when the file is shorter. */
int sb_fd_pread_all(
	int fd, void *bytes, size_t len, uint64_t offset, struct sb_error *err) SB_MUST_USE;
int sb_fd_size(int fd, uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;
/* Copies from the current offsets to the end of `from`; out_bytes may be NULL. */
int sb_fd_copy(int from, int to, uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;
/* Copies exactly len bytes from an offset of a file, whose own offset stays, to anything that can
 * be written; SB_E_INTEGRITY when the file is shorter. */
int sb_fd_copy_range(
	int from, uint64_t offset, uint64_t len, int to, struct sb_error *err) SB_MUST_USE;
/* Close-on-exec pipe: [0] reads, [1] writes. */
int sb_fd_pipe(int out_fds[2], struct sb_error *err) SB_MUST_USE;
/* An unnamed file in memory. */
int sb_fd_memory(const char *name, int *out_fd, struct sb_error *err) SB_MUST_USE;
/* An unnamed file in a folder (O_TMPFILE, or created and unlinked where that is not supported),
 * read and write. */
int sb_fd_unnamed(int dir_fd, int *out_fd, struct sb_error *err) SB_MUST_USE;

#endif
