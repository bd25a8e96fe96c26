/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_MOUNT_SOURCE_H
#define SB_BUILD_MOUNT_SOURCE_H

#include "build/build.h"
#include "build/in_place.h"

/* What a --mount takes its files from: a path in a context, stage or image. Borrowed. */
struct sb_mount_source {
	int fd; /* the root */
	bool is_context;
	const struct sb_ignore *ignore; /* a context's, or NULL */
	const char *path;               /* not a pattern */
};

/*
 * Copies it to `dest` below to_fd, as COPY would: of a context what the ignore file leaves, without
 * the source files of secrets, with owner root. in_place: where regular files are not copied but
 * stand for the source's (to_fd is a skeleton then); or NULL. Warnings are told when all went well.
 */
int sb_mount_source_copy(struct sb_build *build, const struct sb_mount_source *source, int to_fd,
	const char *dest, struct sb_in_place *in_place, struct sb_error *err) SB_MUST_USE;

#endif
