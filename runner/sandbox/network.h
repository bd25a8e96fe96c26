/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_NETWORK_H
#define SB_SANDBOX_NETWORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Brings up loopback in the calling process's network namespace. */
int sb_network_loopback_up(struct sb_error *err) SB_MUST_USE;

/* True if a step can have a network namespace of its own that reaches the outside: slirp4netns and
 * /dev/net/tun. */
bool sb_network_has_user_mode(void);

/*
 * Connects the network namespace of a process through slirp4netns (loopback of the host is out of
 * its reach), and returns when that is ready. The name server is SB_NETWORK_DNS. *out_pid ends with
 * sb_network_disconnect.
 */
#define SB_NETWORK_DNS "10.0.2.3"
int sb_network_connect(pid_t target, pid_t *out_pid, struct sb_error *err) SB_MUST_USE;
void sb_network_disconnect(pid_t pid);

#endif
