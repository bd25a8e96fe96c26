/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_ATOMIC_H
#define SB_SYS_ATOMIC_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * A file that appears whole or not at all: written under a temporary name (".tmp-…") in dir_fd,
 * synced, then renamed over `name`, and the folder synced.
 */
int sb_atomic_write(int dir_fd, const char *name, mode_t mode, const void *bytes, size_t len,
	struct sb_error *err) SB_MUST_USE;

/* A name that no other process uses: "PREFIX-<pid>-<random>"; caller frees. */
char *sb_unique_name(const char *prefix);

#endif
