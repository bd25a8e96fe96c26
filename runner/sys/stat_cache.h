/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_STAT_CACHE_H
#define SB_SYS_STAT_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"

/*
 * What files were found to hold, remembered by device, inode, size, modification and change time:
 * while these stay, a file is not read again.
 *
 * A file that changed within the last two seconds before it was read is not remembered: it could
 * change once more without another time (file systems count times in steps of up to that; git's
 * index has the same rule).
 */
struct sb_stat_cache;

/* From the file `name`; empty where there is none, or it is broken. */
void sb_stat_cache_open(int dir_fd, const char *name, struct sb_stat_cache **out);
void sb_stat_cache_free(struct sb_stat_cache *cache);
SB_DEFINE_FREEP(sb_stat_cache)

bool sb_stat_cache_get(struct sb_stat_cache *cache, const struct stat *st, struct sb_digest *out);
/* st: from before the file was read. */
void sb_stat_cache_put(
	struct sb_stat_cache *cache, const struct stat *st, const struct sb_digest *digest);

/* *out_is_changed is false where there is nothing new to be written. Else *out gets the file's
 * bytes. What was not asked for in a month is left out. */
int sb_stat_cache_write(struct sb_stat_cache *cache, bool *out_is_changed, struct sb_buf *out,
	struct sb_error *err) SB_MUST_USE;

#endif
