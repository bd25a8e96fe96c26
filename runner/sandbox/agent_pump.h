/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_AGENT_PUMP_H
#define SB_SANDBOX_AGENT_PUMP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One connection of a step to a socket of the user's whose protocol is not ours to know (raw=true):
 * bytes both ways as they come. When one side has said all, the other is told so, and may still
 * answer. Nothing waits, as in agent_link.h.
 */
struct sb_agent_flow {
	char bytes[16 << 10];
	size_t start;
	size_t end;
	bool is_ended;  /* no more comes */
	bool is_closed; /* and the other side knows */
};

struct sb_agent_pump {
	int fds[2];                   /* non-blocking; owned: the step's and the agent's */
	struct sb_agent_flow from[2]; /* from[i] comes from fds[i] and goes to the other */
};

enum { SB_AGENT_PUMP_FDS = 2 };

/* Takes both. */
struct sb_agent_pump *sb_agent_pump_new(int step_fd, int agent_fd);
void sb_agent_pump_free(struct sb_agent_pump *pump);
void sb_agent_pump_poll(
	const struct sb_agent_pump *pump, struct pollfd out[static SB_AGENT_PUMP_FDS]);
/* False: the connection is over, and is to be freed. */
bool sb_agent_pump_serve(
	struct sb_agent_pump *pump, const struct pollfd fds[static SB_AGENT_PUMP_FDS]);

#endif
