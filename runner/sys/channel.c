/* SPDX-License-Identifier: MIT */
#include "sys/channel.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "sys/fd.h"

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(SB_CHANNEL_MAX_FDS * sizeof(int))];
};

int sb_channel_pair(int out_fds[2], struct sb_error *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out_fds) < 0)
		return sb_fail_errno(err, "make a socket pair");
	return 0;
}

static int send_all(int fd, const char *p, size_t len, struct sb_error *err)
{
	while (len > 0) {
		const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sb_fail_errno(err, "send");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int sb_channel_send(
	int fd, const void *bytes, size_t len, const int *fds, size_t n_fds, struct sb_error *err)
{
	uint32_t length = (uint32_t)len;
	struct iovec iov = {.iov_base = &length, .iov_len = sizeof(length)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control;
	ssize_t n = -1;

	if (len > UINT32_MAX || n_fds > SB_CHANNEL_MAX_FDS)
		return sb_fail(err, SB_E_LIMIT, "a step with %zu descriptors; at most %d", n_fds,
			SB_CHANNEL_MAX_FDS);
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));

		struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(length))
		return sb_fail_errno(err, "send");
	return send_all(fd, bytes, len, err);
}

static int receive_exactly(int fd, char *p, size_t len, struct sb_error *err)
{
	while (len > 0) {
		const ssize_t n = sb_fd_read(fd, p, len, err);

		if (n < 0)
			return -1;
		if (n == 0)
			return sb_fail(err, SB_E_SYSTEM,
				"the other process ended in the middle of a message");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void close_all(int *fds, size_t *n_fds)
{
	while (*n_fds > 0)
		(void)close(fds[--*n_fds]);
}

/* What comes after the descriptors: the rest of the length (`got` bytes are there), and the bytes.
 */
static int receive_bytes(
	int fd, uint32_t *length, size_t got, struct sb_buf *out, struct sb_error *err)
{
	if (receive_exactly(fd, (char *)length + got, sizeof(*length) - got, err) < 0)
		return -1;
	sb_buf_clear(out);
	if (sb_buf_reserve(out, *length, err) < 0 ||
		receive_exactly(fd, out->data, *length, err) < 0)
		return -1;
	out->len = *length;
	if (*length > 0)
		out->data[*length] = '\0';
	return 0;
}

static size_t take_fds(struct msghdr *msg, int *fds)
{
	size_t n_fds = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h != NULL; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;

		const size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		memcpy(fds + n_fds, CMSG_DATA(h), n * sizeof(int));
		n_fds += n;
	}
	return n_fds;
}

int sb_channel_receive(
	int fd, struct sb_buf *out, int *fds, size_t *out_n_fds, struct sb_error *err)
{
	uint32_t length = 0;
	struct iovec iov = {.iov_base = &length, .iov_len = sizeof(length)};
	union control control;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = -1;

	*out_n_fds = 0;
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return sb_fail_errno(err, "receive");
	*out_n_fds = take_fds(&msg, fds);

	int rc = 0;

	/* The kernel leaves out what the limit on open files does not allow. */
	if ((msg.msg_flags & MSG_CTRUNC) != 0)
		rc = sb_fail(err, SB_E_LIMIT, "receive: too many open files");
	if (rc == 0)
		rc = receive_bytes(fd, &length, (size_t)n, out, err);
	if (rc < 0) {
		close_all(fds, out_n_fds);
		return -1;
	}
	return 1;
}
