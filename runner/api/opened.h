/* SPDX-License-Identifier: MIT */
#ifndef SB_API_OPENED_H
#define SB_API_OPENED_H

#include "api/session.h"
#include "build/cache.h"
#include "sys/userns.h"

/* The store as a build opens it: its layers belong to the namespaces' ids. */
struct sb_opened {
	struct sb_session session;
	struct sb_host_ids host;
	struct sb_snapshots *snapshots;
	struct sb_cache *cache;
};
#define SB_OPENED_INIT \
	{ \
		.session = {.store_fd = -1 } \
	}

/* Takes the process into its namespaces. */
int sb_opened_open(const char *root, struct sb_opened *out, struct sb_error *err) SB_MUST_USE;
void sb_opened_release(struct sb_opened *opened);

#endif
