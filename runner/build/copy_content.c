/* SPDX-License-Identifier: MIT */
#include "build/copy_content.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

enum {
	BUFFER = 256 << 10,
	/* Below this a read and a write are cheaper than asking the kernel for something better. */
	SMALL_FILE = 64 << 10,
	RANGE = 16 << 20, /* of a file that is copied in the kernel, between two looks at signals */
};

void sb_content_copier_release(struct sb_content_copier *copier)
{
	free(copier->buffer);
	*copier = (struct sb_content_copier){0};
}

static int fail_short(struct sb_error *err)
{
	return sb_fail(err, SB_E_INTEGRITY, "the file was changed while it was copied");
}

static int copy_through_buffer(struct sb_content_copier *copier, int from_fd, int to_fd, off_t at,
	off_t end, struct sb_error *err)
{
	if (copier->buffer == NULL)
		copier->buffer = sb_malloc(BUFFER);
	while (at < end) {
		if (sb_interrupt_check(copier->interrupt, err) < 0)
			return -1;

		const size_t want = end - at < BUFFER ? (size_t)(end - at) : BUFFER;
		ssize_t n = -1;

		do
			n = pread(from_fd, copier->buffer, want, at);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return sb_fail_errno(err, "read");
		if (n == 0)
			return fail_short(err);
		if (sb_fd_pwrite_all(to_fd, copier->buffer, (size_t)n, at, err) < 0)
			return -1;
		at += n;
	}
	return 0;
}

/* copy_file_range fails in many ways between file systems, and on some kernels gives 0 for files
 * that have bytes (copy_file_range(2)): whatever it leaves goes through the buffer, which reports
 * real errors. */
static int copy_range(struct sb_content_copier *copier, int from_fd, int to_fd, off_t at, off_t end,
	struct sb_error *err)
{
	off_t to_at = at;

	while (!copier->no_range && at < end && end - at >= SMALL_FILE) {
		const size_t want = end - at < RANGE ? (size_t)(end - at) : RANGE;

		if (sb_interrupt_check(copier->interrupt, err) < 0)
			return -1;

		const ssize_t n = copy_file_range(from_fd, &at, to_fd, &to_at, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EXDEV || errno == ENOSYS || errno == EOPNOTSUPP))
			copier->no_range = true;
		if (n <= 0)
			break;
	}
	return copy_through_buffer(copier, from_fd, to_fd, at, end, err);
}

static int copy_segments(struct sb_content_copier *copier, int from_fd, const struct stat *st,
	int to_fd, struct sb_error *err)
{
	off_t at = 0;

	if (ftruncate(to_fd, st->st_size) < 0)
		return sb_fail_errno(err, "write");
	while (at < st->st_size) {
		if (sb_interrupt_check(copier->interrupt, err) < 0)
			return -1;

		const off_t data = lseek(from_fd, at, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			return 0; /* only a hole is left */
		if (data < 0)
			return copy_range(copier, from_fd, to_fd, at, st->st_size, err);

		const off_t hole = lseek(from_fd, data, SEEK_HOLE);
		const off_t end = hole < 0 || hole > st->st_size ? st->st_size : hole;

		if (copy_range(copier, from_fd, to_fd, data, end, err) < 0)
			return -1;
		at = end;
	}
	return 0;
}

static bool try_clone(struct sb_content_copier *copier, int from_fd, int to_fd)
{
	if (copier->no_clone)
		return false;
	if (ioctl(to_fd, FICLONE, from_fd) == 0)
		return true;
	copier->no_clone = true;
	return false;
}

static bool is_unchanged(const struct stat *before, const struct stat *after)
{
	return before->st_size == after->st_size &&
	       before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
	       before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

int sb_content_copy(struct sb_content_copier *copier, int from_fd, const struct stat *st, int to_fd,
	struct sb_error *err)
{
	const bool is_sparse = st->st_blocks * 512 < st->st_size;
	struct stat after;

	if (st->st_size > SMALL_FILE && try_clone(copier, from_fd, to_fd)) {
		/* Nothing more to write. */
	} else if (is_sparse && st->st_size > SMALL_FILE) {
		if (copy_segments(copier, from_fd, st, to_fd, err) < 0)
			return -1;
	} else if (copy_range(copier, from_fd, to_fd, 0, st->st_size, err) < 0) {
		return -1;
	}
	if (fstat(from_fd, &after) < 0)
		return sb_fail_errno(err, "read");
	return is_unchanged(st, &after) ? 0 : fail_short(err);
}
