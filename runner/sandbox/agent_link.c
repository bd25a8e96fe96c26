/* SPDX-License-Identifier: MIT */
#include "sandbox/agent_link.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fd.h"

int sb_agent_connect(int socket_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	sb_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* Through the descriptor: a path may be longer than an address, and may lead elsewhere by
	 * now. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", socket_fd);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return sb_fd_steal(&fd);
}

void sb_agent_link_init(struct sb_agent_link *link, int step_fd, int socket_fd)
{
	*link = (struct sb_agent_link){
		.state = SB_AGENT_LINK_REQUEST,
		.socket_fd = socket_fd,
		.step_fd = step_fd,
		.agent_fd = -1,
		.message = SB_BUF_INIT(SB_AGENT_HEADER_BYTES + SB_AGENT_MAX_MESSAGE),
	};
}

void sb_agent_link_release(struct sb_agent_link *link)
{
	sb_fd_closep(&link->step_fd);
	sb_fd_closep(&link->agent_fd);
	sb_buf_release(&link->message);
}

static bool is_with_step(const struct sb_agent_link *link)
{
	return link->state == SB_AGENT_LINK_REQUEST || link->state == SB_AGENT_LINK_REPLY;
}

static bool is_reading(const struct sb_agent_link *link)
{
	return link->state == SB_AGENT_LINK_REQUEST || link->state == SB_AGENT_LINK_ANSWER;
}

/* The other side is polled for its end only: events 0. An agent that closes an idle connection is
 * met with at the next request. */
void sb_agent_link_poll(
	const struct sb_agent_link *link, struct pollfd out[static SB_AGENT_LINK_FDS])
{
	const short events = is_reading(link) ? POLLIN : POLLOUT;
	const bool with_step = is_with_step(link);

	out[0] = (struct pollfd){.fd = link->step_fd, .events = with_step ? events : 0};
	out[1] = (struct pollfd){.fd = with_step ? -1 : link->agent_fd, .events = events};
}

enum progress { OVER = -1, LATER = 0, DONE = 1 };

static enum progress on_failure(void)
{
	return errno == EAGAIN || errno == EINTR ? LATER : OVER;
}

/* Reads one message and not a byte of the next. */
static enum progress read_message(struct sb_agent_link *link, int fd)
{
	struct sb_buf *message = &link->message;

	for (;;) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		char chunk[16 << 10];
		size_t want = SB_AGENT_HEADER_BYTES - message->len;

		if (message->len >= SB_AGENT_HEADER_BYTES) {
			if (!sb_agent_message_len((const uint8_t *)message->data, &want))
				return OVER; /* where the next one begins can't be known */
			want -= message->len - SB_AGENT_HEADER_BYTES;
		}
		if (want == 0)
			return DONE;

		const ssize_t n = read(fd, chunk, want < sizeof(chunk) ? want : sizeof(chunk));

		if (n < 0)
			return on_failure();
		if (n == 0)
			return OVER;
		if (sb_buf_add(message, chunk, (size_t)n, &err) < 0) {
			sb_error_ignore(&err, "past the maximum, which the length was held to");
			return OVER;
		}
	}
}

static enum progress write_message(struct sb_agent_link *link, int fd)
{
	while (link->n_sent < link->message.len) {
		const ssize_t n = send(fd, link->message.data + link->n_sent,
			link->message.len - link->n_sent, MSG_NOSIGNAL);

		if (n < 0)
			return on_failure();
		link->n_sent += (size_t)n;
	}
	link->n_sent = 0;
	/* Not only emptied: an idle connection holds no memory. */
	sb_buf_release(&link->message);
	link->message = (struct sb_buf)SB_BUF_INIT(SB_AGENT_HEADER_BYTES + SB_AGENT_MAX_MESSAGE);
	return DONE;
}

/* A whole request is there: on to the agent with it, or back with a refusal. */
static enum progress decide(struct sb_agent_link *link)
{
	const uint8_t *request = (const uint8_t *)link->message.data + SB_AGENT_HEADER_BYTES;

	if (!sb_agent_request_may_pass(request, link->message.len - SB_AGENT_HEADER_BYTES)) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		sb_buf_clear(&link->message);
		if (sb_buf_add(&link->message, sb_agent_refusal, SB_AGENT_REFUSAL_BYTES, &err) < 0)
			return OVER;
		link->state = SB_AGENT_LINK_REPLY;
		return DONE;
	}
	if (link->agent_fd < 0)
		link->agent_fd = sb_agent_connect(link->socket_fd);
	link->state = SB_AGENT_LINK_ASK;
	return link->agent_fd < 0 ? OVER : DONE;
}

static enum progress advance(struct sb_agent_link *link)
{
	enum progress progress = OVER;

	switch (link->state) {
	case SB_AGENT_LINK_REQUEST:
		progress = read_message(link, link->step_fd);
		return progress == DONE ? decide(link) : progress;
	case SB_AGENT_LINK_ASK:
		progress = write_message(link, link->agent_fd);
		if (progress == DONE)
			link->state = SB_AGENT_LINK_ANSWER;
		return progress;
	case SB_AGENT_LINK_ANSWER:
		progress = read_message(link, link->agent_fd);
		if (progress == DONE)
			link->state = SB_AGENT_LINK_REPLY;
		return progress;
	case SB_AGENT_LINK_REPLY:
		progress = write_message(link, link->step_fd);
		if (progress == DONE)
			link->state = SB_AGENT_LINK_REQUEST;
		return progress;
	}
	return OVER;
}

bool sb_agent_link_serve(
	struct sb_agent_link *link, const struct pollfd fds[static SB_AGENT_LINK_FDS])
{
	enum progress progress = DONE;

	if (fds[0].revents == 0 && fds[1].revents == 0)
		return true;
	/* It has gone without waiting for its answer. In the other states, reading and writing find
	 * out. */
	if (!is_with_step(link) && fds[0].revents != 0)
		return false;
	/* One request at most in a turn, so that a busy connection does not starve the others. */
	for (int i = 0; i < 4 && progress == DONE; i++)
		progress = advance(link);
	return progress != OVER;
}
