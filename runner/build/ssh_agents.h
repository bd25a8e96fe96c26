/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_SSH_AGENTS_H
#define SB_BUILD_SSH_AGENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"
#include "base/error.h"
#include "safebuild.h"
#include "sandbox/key_agent.h"
#include "sys/interrupt.h"

/* What one --ssh stands for: a socket to talk to, which is the user's or that of an agent of the
 * build's own. */
struct sb_ssh_agent {
	char *id;
	int socket_fd; /* O_PATH; owned, or -1: then it is that of `keys` */
	bool is_raw;
	struct sb_key_agent keys;
};
SB_ARRAY_STRUCT(sb_ssh_agents, struct sb_ssh_agent);

/*
 * Finds the sockets, and starts an agent for each option that names keys. SB_E_USAGE for what does
 * not go together, SB_E_NOT_FOUND where there is no agent or no such file.
 */
int sb_ssh_agents_open(const struct sb_ssh_option *options, size_t n,
	struct sb_interrupt *interrupt, struct sb_ssh_agents *out,
	struct sb_error *err) SB_MUST_USE;
void sb_ssh_agents_release(struct sb_ssh_agents *agents);

/* The one of that id, or NULL. */
const struct sb_ssh_agent *sb_ssh_agents_get(const struct sb_ssh_agents *agents, const char *id);
/* Its socket; borrowed. */
int sb_ssh_agent_fd(const struct sb_ssh_agent *agent);

#endif
