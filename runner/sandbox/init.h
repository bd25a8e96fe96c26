/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_INIT_H
#define SB_SANDBOX_INIT_H

#include "sandbox/spec.h"

/*
 * The first process of a step's pid namespace. It is our own code and never execs: it makes the
 * file system, holds the secrets, starts the step's program, and when that ends (or life_fd does,
 * because safebuild is gone) kills and reaps everything, empties the secrets and leaves.
 *
 * All descriptors are consumed. go_fd: read once, the id maps are written when a byte comes.
 * life_fd: at its end, stop; a byte is the number of a signal for the program. result_fd: gets one
 * encoded sb_step_result. tap_fd and network_fd, where the step has a network of its own: the first
 * gets a byte when its device is there, the second gives one when it is up. secrets_tmpfs_fd may be
 * -1. agents_fd, where the step has ssh mounts (else -1): where their sockets go.
 */
struct sb_init {
	const struct sb_step_spec *spec;
	int go_fd;
	int life_fd;
	int result_fd;
	int tap_fd;
	int network_fd;
	int secrets_tmpfs_fd;
	int agents_fd;
};

_Noreturn void sb_init_main(struct sb_init *init);

#endif
