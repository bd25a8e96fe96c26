/* SPDX-License-Identifier: MIT */
#include "sys/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/mem.h"

int sb_fd_open_user(const char *path, const char *what, int *out_fd, struct sb_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return sb_fail_errno(err, "%s '%s'", what, path);
	*out_fd = fd;
	return 0;
}

int sb_fd_open_out_user(const char *path, const char *what, int *out_fd, struct sb_error *err)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return sb_fail_errno(err, "%s '%s'", what, path);
	*out_fd = fd;
	return 0;
}

int sb_fd_find_user(const char *path, const char *what, int *out_fd, struct sb_error *err)
{
	const int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return sb_fail_errno(err, "%s '%s'", what, path);
	*out_fd = fd;
	return 0;
}

int sb_fd_create_user(const char *path, mode_t mode, int *out_fd, struct sb_error *err)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0 && errno == EEXIST) {
		(void)sb_fail(err, SB_E_USAGE, "'%s' is there already", path);
		return sb_error_hint(err, "nothing is overwritten: give another name");
	}
	if (fd < 0)
		return sb_fail_errno(err, "make file '%s'", path);
	*out_fd = fd;
	return 0;
}

int sb_fd_open_dir_user(const char *path, const char *what, int *out_fd, struct sb_error *err)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return sb_fail_errno(err, "%s '%s'", what, path);
	*out_fd = fd;
	return 0;
}

char *sb_fd_path(int fd)
{
	char link[32];
	char path[PATH_MAX];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	const ssize_t len = readlink(link, path, sizeof(path) - 1);

	return len > 0 && path[0] == '/' ? sb_memdup0(path, (size_t)len) : NULL;
}

void sb_fd_reopen_dir(int *fd, const char *path)
{
	sb_autofd int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat wanted;
	struct stat found;

	if (opened < 0 || fstat(*fd, &wanted) < 0 || fstat(opened, &found) < 0 ||
		wanted.st_dev != found.st_dev || wanted.st_ino != found.st_ino)
		return;
	sb_fd_closep(fd);
	*fd = sb_fd_steal(&opened);
}

int sb_fd_dup(int fd, int *out_fd, struct sb_error *err)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return sb_fail_errno(err, "duplicate a file descriptor");
	*out_fd = copy;
	return 0;
}

ssize_t sb_fd_read(int fd, void *bytes, size_t len, struct sb_error *err)
{
	ssize_t n = -1;

	do
		n = read(fd, bytes, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sb_fail_errno(err, "read");
	return n;
}

int sb_fd_read_all(int fd, struct sb_buf *buf, struct sb_error *err)
{
	char chunk[16 << 10];

	for (;;) {
		const ssize_t n = sb_fd_read(fd, chunk, sizeof(chunk), err);

		if (n <= 0)
			return (int)n;
		if (sb_buf_add(buf, chunk, (size_t)n, err) < 0)
			return -1;
	}
}

int sb_fd_write_all(int fd, const void *bytes, size_t len, struct sb_error *err)
{
	const char *p = bytes;

	while (len > 0) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sb_fail_errno(err, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int sb_fd_pwrite_all(int fd, const void *bytes, size_t len, off_t offset, struct sb_error *err)
{
	const char *p = bytes;

	while (len > 0) {
		const ssize_t n = pwrite(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sb_fail_errno(err, "write");
		p += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

int sb_fd_pread_all(int fd, void *bytes, size_t len, uint64_t offset, struct sb_error *err)
{
	char *p = bytes;

	while (len > 0) {
		const ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sb_fail_errno(err, "read");
		if (n == 0)
			return sb_fail(err, SB_E_INTEGRITY, "file ends %zu bytes too early", len);
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int sb_fd_size(int fd, uint64_t *out_bytes, struct sb_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "stat");
	*out_bytes = (uint64_t)st.st_size;
	return 0;
}

int sb_fd_copy(int from, int to, uint64_t *out_bytes, struct sb_error *err)
{
	enum { CHUNK = 256 << 10 };
	sb_autofree char *chunk = sb_malloc(CHUNK);
	uint64_t total = 0;

	for (;;) {
		const ssize_t n = sb_fd_read(from, chunk, CHUNK, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		if (sb_fd_write_all(to, chunk, (size_t)n, err) < 0)
			return -1;
		total += (uint64_t)n;
	}
	if (out_bytes != NULL)
		*out_bytes = total;
	return 0;
}

static int copy_range_by_hand(int from, uint64_t offset, uint64_t len, int to, struct sb_error *err)
{
	enum { CHUNK = 256 << 10 };
	sb_autofree char *chunk = sb_malloc(CHUNK);

	while (len > 0) {
		const size_t n = len < CHUNK ? (size_t)len : CHUNK;

		if (sb_fd_pread_all(from, chunk, n, offset, err) < 0 ||
			sb_fd_write_all(to, chunk, n, err) < 0)
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

int sb_fd_copy_range(int from, uint64_t offset, uint64_t len, int to, struct sb_error *err)
{
	off_t at = (off_t)offset;

	while (len > 0) {
		const size_t most = len < (1U << 30) ? (size_t)len : 1U << 30;
		const ssize_t n = sendfile(to, from, &at, most);

		if (n < 0 && errno == EINTR)
			continue;
		/* Not for every pair of files (a target opened with O_APPEND, some FUSE ones). */
		if (n < 0 && (errno == EINVAL || errno == ENOSYS || errno == EAGAIN))
			return copy_range_by_hand(from, (uint64_t)at, len, to, err);
		if (n < 0)
			return sb_fail_errno(err, "copy");
		if (n == 0)
			return sb_fail(err, SB_E_INTEGRITY, "file ends %llu bytes too early",
				(unsigned long long)len);
		len -= (uint64_t)n;
	}
	return 0;
}

int sb_fd_pipe(int out_fds[2], struct sb_error *err)
{
	if (pipe2(out_fds, O_CLOEXEC) < 0)
		return sb_fail_errno(err, "make a pipe");
	return 0;
}

int sb_fd_memory(const char *name, int *out_fd, struct sb_error *err)
{
	const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return sb_fail_errno(err, "make a file in memory");
	*out_fd = fd;
	return 0;
}

int sb_fd_unnamed(int dir_fd, int *out_fd, struct sb_error *err)
{
	const int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0) {
		*out_fd = fd;
		return 0;
	}

	/* Not every file system has O_TMPFILE (overlayfs before 6.1, NFS, FUSE). */
	char name[64];

	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), ".unnamed-%d-%u", (int)getpid(), i);

		const int named = openat(dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

		if (named < 0 && errno == EEXIST)
			continue;
		if (named < 0)
			break;
		(void)unlinkat(dir_fd, name, 0);
		*out_fd = named;
		return 0;
	}
	return sb_fail_errno(err, "make a temporary file");
}
