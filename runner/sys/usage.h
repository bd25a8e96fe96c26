/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_USAGE_H
#define SB_SYS_USAGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/error.h"

/*
 * What files take on disk, as du(1) counts it: blocks, folders' own too, and a file with several
 * names once, whichever tree it was met in first.
 */
struct sb_usage_seen {
	SB_ARRAY(uint64_t) slots; /* a table of the inodes with several names; 0: free */
	size_t n;
};
void sb_usage_seen_release(struct sb_usage_seen *seen);

/* Of `name` in dir_fd with all below it; what goes away meanwhile counts as nothing. */
int sb_usage_of(int dir_fd, const char *name, struct sb_usage_seen *seen, uint64_t *out_bytes,
	struct sb_error *err) SB_MUST_USE;

#endif
