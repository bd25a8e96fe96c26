/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_AGENT_PROXY_H
#define SB_SANDBOX_AGENT_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "sandbox/spec.h"

/*
 * What stands between a step and the agents that the user gave it (RUN --mount=type=ssh): a process
 * beside the step, with the user's identity, since the step has another one and agents look at
 * that. It is safebuild-step started anew, so that nothing of the step's description, which may
 * hold secrets, is in its memory while it reads what the step writes.
 *
 * The sockets that the step connects to are made inside, by the step's first process, which sends
 * them here and keeps none. Nobody waits for the proxy: when it dies, its connections end; when the
 * step ends, it is killed.
 */
struct sb_agent_listener {
	int listen_fd; /* non-blocking */
	int socket_fd; /* the agent's socket, O_PATH */
	bool is_raw;   /* bytes are passed on unread */
};

/* True if a step has a mount of that kind. */
bool sb_agent_proxy_is_needed(const struct sb_step_spec *spec);

/*
 * Starts it: channel_fd is where the listening sockets will come from, in the order of the spec's
 * mounts. Dies with the caller. sb_agent_proxy_stop accepts a pid of 0.
 */
int sb_agent_proxy_start(const struct sb_step_spec *spec, int channel_fd, pid_t *out_pid,
	struct sb_error *err) SB_MUST_USE;
void sb_agent_proxy_stop(pid_t pid);

/* In the step's first process: sends the sockets; channel_fd and the sockets are closed. */
int sb_agent_proxy_hand_over(
	int *channel_fd, int *listen_fds, size_t n, struct sb_error *err) SB_MUST_USE;

/* The first word with which safebuild-step becomes one, and its main function. */
extern const char sb_agent_proxy_word[];
int sb_agent_proxy_main(int argc, char **argv);

/* Serves until it is killed; returns where it can't go on. */
void sb_agent_proxy_serve(const struct sb_agent_listener *listeners, size_t n);

/*
 * A listening socket in a folder, as `name`, with this owner and mode. The folder becomes the
 * working directory: an address has room for a short name only.
 */
int sb_agent_proxy_listen(int dir_fd, const char *name, const struct sb_step_mount *mount,
	int *out_fd, struct sb_error *err) SB_MUST_USE;

#endif
