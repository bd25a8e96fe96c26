/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_STAGE_H
#define SB_SANDBOX_STAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Putting mounts into the step's root file system. Targets are resolved inside root_fd, so that no
 * link of the image leads a mount out of it.
 */

/* Attaches a detached mount on a path of the root. The path must exist, or is made (is_file: an
 * empty file). */
int sb_stage_attach(int root_fd, const char *target, bool is_file, int mount_fd,
	struct sb_error *err) SB_MUST_USE;
/* A new file system on a path of the root, made as a folder where it is missing. */
struct sb_mount_option;
int sb_stage_mount(int root_fd, const char *target, const char *fstype,
	const struct sb_mount_option *options, uint64_t attrs, struct sb_error *err) SB_MUST_USE;
/* A bind mount of an entry of dir_fd on a path of the root. */
int sb_stage_bind(int dir_fd, const char *name, int root_fd, const char *target, bool is_file,
	uint64_t attrs, struct sb_error *err) SB_MUST_USE;
/* Makes "a/b/c" below dir_fd: folders of mode 0755, or an empty file at the end. What is there
 * stays. */
int sb_stage_make_mountpoint(
	int dir_fd, const char *path, bool is_file, struct sb_error *err) SB_MUST_USE;

#endif
