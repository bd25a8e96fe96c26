/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_ATTACH_H
#define SB_SANDBOX_ATTACH_H

#include "sandbox/client.h"
#include "sys/signals.h"

/*
 * A step that is run for its user and not for an image: what is typed goes to it, what it prints
 * goes on as it comes, and signals are passed on.
 */
struct sb_attach {
	int stdin_fd; /* borrowed; -1: the program has nothing to read */
	int stdout_fd;
	int stderr_fd;
	/* stdin_fd and stdout_fd are the user's terminal: the program gets one of its own, and
	 * this one is raw for that time. */
	bool is_terminal;
	struct sb_signals *signals; /* passed on, but for SIGPIPE; a second SIGINT kills */
	int term_signal;            /* what SIGTERM becomes */
	/* As in sandbox/flow.h; not for a terminal. */
	void (*filter)(void *data, int stream, const char *bytes, size_t len, struct sb_buf *out);
	void *filter_data;
};

/*
 * Runs one step to its end: every process of it is gone, and all that it wrote was written, when
 * this returns. The spec's streams are set here. Killed by the second SIGINT it has the status 137.
 */
int sb_sandbox_attach(struct sb_sandbox *sandbox, struct sb_step_spec *spec,
	const struct sb_attach *attach, struct sb_step_result *out,
	struct sb_error *err) SB_MUST_USE;

#endif
