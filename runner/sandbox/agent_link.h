/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_AGENT_LINK_H
#define SB_SANDBOX_AGENT_LINK_H

#include <poll.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sandbox/agent_message.h"

/*
 * One connection of a step to an agent: a request is read to its end before anything of it goes on,
 * and the next one is looked at when this one was answered. So what is refused is answered here, in
 * its turn, and never seen by the agent. Nothing waits: all work is done when poll(2) says so.
 *
 * A connection to the agent is made for the first request that may pass, and kept: agents remember
 * what was said on it (session-bind).
 */
enum sb_agent_link_state {
	SB_AGENT_LINK_REQUEST, /* reading from the step */
	SB_AGENT_LINK_ASK,     /* writing to the agent */
	SB_AGENT_LINK_ANSWER,  /* reading from the agent */
	SB_AGENT_LINK_REPLY,   /* writing to the step */
};

struct sb_agent_link {
	enum sb_agent_link_state state;
	int socket_fd; /* the agent's socket, opened O_PATH; borrowed */
	int step_fd;   /* both non-blocking and owned; agent_fd is -1 until it is needed */
	int agent_fd;
	struct sb_buf message; /* the one that is read or written, with its header */
	size_t n_sent;
};

enum { SB_AGENT_LINK_FDS = 2 };

/* Takes step_fd. */
void sb_agent_link_init(struct sb_agent_link *link, int step_fd, int socket_fd);
void sb_agent_link_release(struct sb_agent_link *link);
/* What to poll for next; a descriptor may be -1. */
void sb_agent_link_poll(
	const struct sb_agent_link *link, struct pollfd out[static SB_AGENT_LINK_FDS]);
/* Does what can be done, after poll(2) has filled in the same two. False: the connection is over,
 * and is to be released. */
bool sb_agent_link_serve(
	struct sb_agent_link *link, const struct pollfd fds[static SB_AGENT_LINK_FDS]);

/* A non-blocking connection to the socket behind an O_PATH descriptor; -1 with errno. */
int sb_agent_connect(int socket_fd);

#endif
