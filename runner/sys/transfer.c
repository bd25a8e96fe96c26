/* SPDX-License-Identifier: MIT */
#include "sys/transfer.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "sys/fd.h"

enum {
	PIECE = 8 << 20,
	DIGESTED = 256 << 10, /* at a time: what fits into a processor's cache */
	WINDOW = 4 * PIECE,   /* that the disk works on while we look at the next */
};

/* Only reading and writing files always comes to an end by itself. */
static bool may_wait(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
}

/* Until fd can be read or written, or has failed, which the call itself tells. */
static int wait_for(struct sb_interrupt *interrupt, int fd, short events, struct sb_error *err)
{
	if (interrupt == NULL || !may_wait(fd))
		return sb_interrupt_check(interrupt, err);
	for (;;) {
		struct pollfd fds[] = {{.fd = fd, .events = events},
			{.fd = sb_interrupt_fd(interrupt), .events = POLLIN}};
		/* A signal that was taken before makes its descriptor readable no more. */
		if (sb_interrupt_check(interrupt, err) < 0)
			return -1;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return sb_fail_errno(err, "wait for input or output");
		if (fds[0].revents != 0)
			return 0;
	}
}

ssize_t sb_transfer_read(
	struct sb_interrupt *interrupt, int fd, void *bytes, size_t len, struct sb_error *err)
{
	if (wait_for(interrupt, fd, POLLIN, err) < 0)
		return -1;
	return sb_fd_read(fd, bytes, len, err);
}

int sb_transfer_digest(
	struct sb_interrupt *interrupt, int fd, struct sb_digest *out, struct sb_error *err)
{
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();
	sb_autofree char *bytes = sb_malloc(DIGESTED);
	ssize_t n = 0;

	do {
		n = sb_transfer_read(interrupt, fd, bytes, DIGESTED, err);
		if (n < 0)
			return -1;
		sb_hasher_add(hasher, bytes, (size_t)n);
	} while (n > 0);
	sb_hasher_finish(hasher, out);
	return 0;
}

int sb_transfer_write(
	struct sb_interrupt *interrupt, int fd, const void *bytes, size_t len, struct sb_error *err)
{
	/* A pipe that polls as writable takes that much without waiting, pipe(7). */
	const size_t most = interrupt != NULL && may_wait(fd) ? PIPE_BUF : PIECE;
	const char *p = bytes;

	while (len > 0) {
		const size_t n = len < most ? len : most;

		if (wait_for(interrupt, fd, POLLOUT, err) < 0 || sb_fd_write_all(fd, p, n, err) < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static int write_range(struct sb_interrupt *interrupt, int from, uint64_t offset, uint64_t len,
	int to, struct sb_error *err)
{
	char bytes[64 << 10];

	while (len > 0) {
		const size_t n = len < sizeof(bytes) ? (size_t)len : sizeof(bytes);

		if (sb_fd_pread_all(from, bytes, n, offset, err) < 0 ||
			sb_transfer_write(interrupt, to, bytes, n, err) < 0)
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

int sb_transfer_range(struct sb_interrupt *interrupt, int from, uint64_t offset, uint64_t len,
	int to, struct sb_error *err)
{
	if (interrupt != NULL && may_wait(to))
		return write_range(interrupt, from, offset, len, to, err);
	while (len > 0) {
		const uint64_t n = len < PIECE ? len : PIECE;

		if (sb_interrupt_check(interrupt, err) < 0 ||
			sb_fd_copy_range(from, offset, n, to, err) < 0)
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

/* An error that is told here is told by no later call (sync_file_range reads what fsync would). */
static int flush_piece(int fd, uint64_t at, unsigned flags, struct sb_error *err)
{
	if (sync_file_range(fd, (off_t)at, PIECE, flags) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS || errno == ESPIPE || errno == EOPNOTSUPP)
		return 0; /* what can't do it leaves it to fsync */
	return sb_fail_errno(err, "write to the disk");
}

int sb_transfer_flush(struct sb_interrupt *interrupt, int fd, struct sb_error *err)
{
	uint64_t size = 0;

	if (interrupt == NULL)
		return 0;
	if (sb_fd_size(fd, &size, err) < 0)
		return -1;
	for (uint64_t at = 0; size > WINDOW && at < size + WINDOW; at += PIECE) {
		if (sb_interrupt_check(interrupt, err) < 0)
			return -1;
		if (at < size && flush_piece(fd, at, SYNC_FILE_RANGE_WRITE, err) < 0)
			return -1;
		if (at >= WINDOW &&
			flush_piece(fd, at - WINDOW, SYNC_FILE_RANGE_WAIT_BEFORE, err) < 0)
			return -1;
	}
	return sb_interrupt_check(interrupt, err);
}
