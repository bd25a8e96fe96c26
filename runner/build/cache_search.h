/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_SEARCH_H
#define SB_BUILD_CACHE_SEARCH_H

#include <time.h>

#include "base/error.h"
#include "leak/content.h"

/*
 * Searches the folder of a cache mount for the known secrets, as a layer is searched: what a step
 * leaves in a cache is seen by later builds. Names, links, attributes and contents of what was
 * changed at `since` (CLOCK_REALTIME) or later are looked at; the rest was looked at when it was
 * new. What holds a secret is removed, all of it, and the first is told as SB_E_LEAK; `target` is
 * where the cache is mounted, for the message.
 */
int sb_cache_search(int cache_fd, const char *target, const struct timespec *since,
	struct sb_content_search *searcher, struct sb_error *err) SB_MUST_USE;

#endif
