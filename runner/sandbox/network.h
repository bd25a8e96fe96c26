/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_NETWORK_H
#define SB_SANDBOX_NETWORK_H

#include <sys/types.h>

#include "base/error.h"

/* Brings up loopback in the calling process's network namespace. */
int sb_network_loopback_up(struct sb_error *err) SB_MUST_USE;

/* What a step lacks for a network namespace of its own that reaches the outside (slirp4netns and
 * /dev/net/tun), and in *out_fix what mends it; NULL where nothing is missing. */
const char *sb_network_lacks(const char **out_fix);

/*
 * A step's own network takes three calls, so that it comes up while the step's file system is made:
 *
 * sb_network_make_tap, in the new network namespace: makes the device that slirp4netns will take.
 * One that outlives the program that holds it: else its end would wait some 20 ms for the device to
 * go, which the namespace's end does in the background. Where it can't be made, slirp4netns makes
 * its own.
 *
 * sb_network_start, outside: starts slirp4netns for the namespace of process `target` (loopback of
 * the host is out of its reach) and returns at once. A byte comes through ready_fd when it is up.
 * api_dir_fd, or -1: a folder where it makes the socket that sandbox/publish.h talks to.
 * *out_pid ends with sb_network_disconnect.
 *
 * sb_network_await, inside: waits for that byte; gives up when life_fd ends.
 */
#define SB_NETWORK_DNS "10.0.2.3"
void sb_network_make_tap(void);
int sb_network_start(pid_t target, int ready_fd, int api_dir_fd, pid_t *out_pid,
	struct sb_error *err) SB_MUST_USE;
int sb_network_await(int ready_fd, int life_fd, struct sb_error *err) SB_MUST_USE;
void sb_network_disconnect(pid_t pid);

#endif
