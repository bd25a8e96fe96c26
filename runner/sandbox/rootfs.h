/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_ROOTFS_H
#define SB_SANDBOX_ROOTFS_H

#include "base/array.h"
#include "base/error.h"
#include "sandbox/spec.h"

struct sb_secret_file {
	char name[32];
	int fd; /* open for writing; -1 for one with an x bit: what somebody writes can't be run */
};

/*
 * A step's file system, made by the step's first process inside its own namespaces: overlay, /proc,
 * /sys, /dev, what is masked, and the step's mounts. Mount points that the image does not have come
 * from a scaffold, a tmpfs that is the lowest layer: nothing of them is ever written to the step's
 * layer.
 */
struct sb_rootfs {
	int root_fd;
	/* The secrets' files: they are emptied when the step ends, which is the only thing that
	 * reaches a descriptor that the step passed out. */
	SB_ARRAY(struct sb_secret_file) secrets;
	int secrets_fd; /* the folder that they are in, or -1 */
	/* The listening sockets of the SB_STEP_MOUNT_AGENT mounts, in the order of the mounts. */
	SB_ARRAY(int) agent_fds;
};

/* secrets_tmpfs_fd: a detached tmpfs for the secrets (consumed), or -1 to make one here. */
int sb_rootfs_enter(const struct sb_step_spec *spec, int *secrets_tmpfs_fd, struct sb_rootfs *out,
	struct sb_error *err) SB_MUST_USE;
/* Overwrites and truncates the secrets' files; those that still run are left to a second call, when
 * all of the step's processes are gone. */
void sb_rootfs_forget_secrets(struct sb_rootfs *rootfs);

/* A tmpfs for secrets owned by image root, with noswap where the kernel has it and lets us
 * (Linux 6.4, initial user namespace only). */
int sb_rootfs_new_secrets_tmpfs(
	const struct sb_idmap *ids, int *out_mount_fd, struct sb_error *err) SB_MUST_USE;

#endif
