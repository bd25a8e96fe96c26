/* SPDX-License-Identifier: MIT */
#include "sandbox/agent_pump.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

struct sb_agent_pump *sb_agent_pump_new(int step_fd, int agent_fd)
{
	struct sb_agent_pump *pump = SB_NEW(struct sb_agent_pump);

	pump->fds[0] = step_fd;
	pump->fds[1] = agent_fd;
	return pump;
}

void sb_agent_pump_free(struct sb_agent_pump *pump)
{
	if (pump == NULL)
		return;
	sb_fd_closep(&pump->fds[0]);
	sb_fd_closep(&pump->fds[1]);
	free(pump);
}

static bool is_empty(const struct sb_agent_flow *flow)
{
	return flow->start == flow->end;
}

/* A side that has neither anything to say nor to hear is not polled: its hang-up would be told
 * again and again. */
void sb_agent_pump_poll(
	const struct sb_agent_pump *pump, struct pollfd out[static SB_AGENT_PUMP_FDS])
{
	for (size_t i = 0; i < 2; i++) {
		const struct sb_agent_flow *in = &pump->from[i];
		const struct sb_agent_flow *to = &pump->from[1 - i];
		const int events = (!in->is_ended && is_empty(in) ? POLLIN : 0) |
				   (!is_empty(to) ? POLLOUT : 0);

		out[i] = (struct pollfd){
			.fd = events != 0 ? pump->fds[i] : -1, .events = (short)events};
	}
}

static bool is_passing(ssize_t n)
{
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool fill(struct sb_agent_flow *flow, int fd)
{
	const ssize_t n = read(fd, flow->bytes, sizeof(flow->bytes));

	if (n > 0) {
		flow->start = 0;
		flow->end = (size_t)n;
	}
	flow->is_ended = n == 0;
	return is_passing(n);
}

static bool drain(struct sb_agent_flow *flow, int fd)
{
	const ssize_t n =
		send(fd, flow->bytes + flow->start, flow->end - flow->start, MSG_NOSIGNAL);

	if (n > 0)
		flow->start += (size_t)n;
	return is_passing(n);
}

bool sb_agent_pump_serve(
	struct sb_agent_pump *pump, const struct pollfd fds[static SB_AGENT_PUMP_FDS])
{
	for (size_t i = 0; i < 2; i++) {
		struct sb_agent_flow *flow = &pump->from[i];
		const int to = pump->fds[1 - i];

		if (fds[i].revents != 0 && !flow->is_ended && is_empty(flow) &&
			!fill(flow, pump->fds[i]))
			return false;
		if (!is_empty(flow) && !drain(flow, to))
			return false;
		if (flow->is_ended && is_empty(flow) && !flow->is_closed) {
			(void)shutdown(to, SHUT_WR);
			flow->is_closed = true;
		}
	}
	return !(pump->from[0].is_closed && pump->from[1].is_closed);
}
