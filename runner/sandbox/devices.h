/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_DEVICES_H
#define SB_SANDBOX_DEVICES_H

#include "base/error.h"
#include "sandbox/spec.h"

/*
 * The kernel's file systems as Docker shows them: /dev with its few devices, /proc and /sys with
 * the same paths masked and read-only. host_fd is the host's root, still reachable.
 */
int sb_devices_mount_dev(const struct sb_step_spec *spec, int root_fd, int host_fd,
	struct sb_error *err) SB_MUST_USE;
int sb_devices_mount_proc(int root_fd, struct sb_error *err) SB_MUST_USE;
/*
 * A new sysfs belongs to a network namespace of one's own; a step with the host's network gets the
 * host's /sys, read-only: host_sys_fd is a clone of it (all its mounts, so nothing of ours may be
 * in it yet), or -1.
 */
int sb_devices_clone_sys(int sys_fd, int *out_mount_fd, struct sb_error *err) SB_MUST_USE;
int sb_devices_mount_sys(int root_fd, int host_sys_fd, struct sb_error *err) SB_MUST_USE;
/* empty_fd: an empty folder that is laid over what must not be seen. */
int sb_devices_mask(int root_fd, int host_fd, int empty_fd, struct sb_error *err) SB_MUST_USE;

#endif
