/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_SUGGEST_H
#define SB_BUILD_COPY_SUGGEST_H

#include "build/copy.h"

/* A name like `path`'s last one that is there in the same folder and not ignored: the whole path
 * (caller frees), or NULL. */
char *sb_copy_suggest(const struct sb_copy *copy, const char *path);

#endif
