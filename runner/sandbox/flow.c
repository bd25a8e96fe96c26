/* SPDX-License-Identifier: MIT */
#include "sandbox/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"

enum {
	MAX_PENDING = 128 << 10,
	CHUNK = 32 << 10,
	MAX_LEFT = 2 << 20, /* what a pipe holds, and more */
};

void sb_flow_release(struct sb_flow *flow)
{
	sb_fd_closep(&flow->from);
	sb_fd_closep(&flow->to);
	sb_buf_release(&flow->pending);
}

bool sb_flow_has_pending(const struct sb_flow *flow)
{
	return flow->to >= 0 && flow->sent < flow->pending.len;
}

void sb_flow_poll(const struct sb_flow *flow, struct pollfd *out_from, struct pollfd *out_to)
{
	const bool is_full = flow->pending.len - flow->sent >= MAX_PENDING;

	*out_from = (struct pollfd){.fd = is_full ? -1 : flow->from, .events = POLLIN};
	*out_to =
		(struct pollfd){.fd = sb_flow_has_pending(flow) ? flow->to : -1, .events = POLLOUT};
}

static void add(struct sb_flow *flow, const char *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (flow->to < 0)
		return;
	if (flow->sent > MAX_PENDING) {
		flow->pending.len -= flow->sent;
		memmove(flow->pending.data, flow->pending.data + flow->sent, flow->pending.len);
		flow->sent = 0;
	}
	if (flow->filter != NULL)
		flow->filter(flow->data, flow->stream, bytes, len, &flow->pending);
	else if (bytes != NULL && sb_buf_add(&flow->pending, bytes, len, &err) < 0)
		sb_error_ignore(&err, "what is pending is bounded by what is read");
}

/* The last bytes are on their way: the other end sees its end when they are written. */
static void end_if_done(struct sb_flow *flow)
{
	if (flow->from < 0 && !sb_flow_has_pending(flow))
		sb_fd_closep(&flow->to);
}

static void end_reading(struct sb_flow *flow)
{
	sb_fd_closep(&flow->from);
	add(flow, NULL, 0);
	end_if_done(flow);
}

bool sb_flow_read(struct sb_flow *flow)
{
	char chunk[CHUNK];
	ssize_t n = -1;

	if (flow->from < 0)
		return false;
	do
		n = read(flow->from, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	/* EIO is the end of a terminal that nobody has any more. */
	if (n <= 0) {
		end_reading(flow);
		return false;
	}
	add(flow, chunk, (size_t)n);
	return true;
}

/*
 * Never waits. Our own pipes do not; of others' we may not change that, since whoever we have them
 * from shares it, so it is asked for in the call (RWF_NOWAIT, for pipes Linux 6.4). Where that is
 * not known, a pipe that is ready takes so many bytes, and a file takes all.
 */
static ssize_t write_some(int fd, const char *bytes, size_t len)
{
	const struct iovec piece = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = len};
	const int flags = fcntl(fd, F_GETFL);
	struct stat st;
	ssize_t n = -1;

	if ((flags >= 0 && (flags & O_NONBLOCK) != 0) ||
		(fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return write(fd, bytes, len);
	n = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
	if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == ESPIPE))
		return write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
	return n;
}

void sb_flow_write(struct sb_flow *flow)
{
	const size_t left = flow->pending.len - flow->sent;
	ssize_t n = -1;

	if (!sb_flow_has_pending(flow))
		return;
	do
		n = write_some(flow->to, flow->pending.data + flow->sent, left);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) { /* nobody reads any more, which whoever writes is to see */
		sb_fd_closep(&flow->to);
		sb_fd_closep(&flow->from);
		return;
	}
	flow->sent += (size_t)n;
	if (flow->sent == flow->pending.len) {
		sb_buf_clear(&flow->pending);
		flow->sent = 0;
	}
	end_if_done(flow);
}

void sb_flow_drain(struct sb_flow *flow, int patience_ms)
{
	/* A process outside that was passed the other end is not listened to for ever. */
	for (int n = 0; n < MAX_LEFT / CHUNK && flow->from >= 0; n++) {
		struct pollfd from = {.fd = flow->from, .events = POLLIN};

		if (poll(&from, 1, patience_ms) <= 0)
			break;
		(void)sb_flow_read(flow);
	}
	if (flow->from >= 0)
		end_reading(flow);
}

static int64_t now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Drops one read of what has come. */
static void skip(struct sb_flow *flow)
{
	char chunk[CHUNK];
	const ssize_t n = read(flow->from, chunk, sizeof(chunk));

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		sb_fd_closep(&flow->from);
}

bool sb_flow_await_end(struct sb_flow *a, struct sb_flow *b, int patience_ms)
{
	const int64_t until = now_ms() + patience_ms;

	while (a->from >= 0 || b->from >= 0) {
		struct pollfd from[2] = {
			{.fd = a->from, .events = POLLIN}, {.fd = b->from, .events = POLLIN}};
		const int64_t left = until - now_ms();

		if (left <= 0)
			return false;
		if (poll(from, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (from[0].revents != 0)
			skip(a);
		if (from[1].revents != 0)
			skip(b);
	}
	return true;
}
