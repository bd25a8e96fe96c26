/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_EXTENTS_H
#define SB_SYS_EXTENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"

/*
 * Ranges of user or group ids: a line of uid_map (user_namespaces(7)), or of /etc/subuid
 * (subuid(5)), where `inside` is 0. `len` ids from `inside` on are `outside`….
 */
struct sb_extent {
	uint64_t inside;
	uint64_t outside;
	uint64_t len;
};
SB_ARRAY_STRUCT(sb_extents, struct sb_extent);

void sb_extents_release(struct sb_extents *list);

/* Appends what the text of /proc/PID/uid_map says. */
void sb_extents_parse_map(const char *text, struct sb_extents *out);

/*
 * Appends the ranges that the text of /etc/subuid or /etc/subgid gives a user, by name (NULL: has
 * none) or by number. Lines that do not parse are passed over, and so are ranges that hold the
 * host's root, that leave the ids that there are, or that overlap one before them: the kernel
 * refuses a map with any of these as a whole.
 */
void sb_extents_parse_subids(const char *text, const char *name, uid_t uid, struct sb_extents *out);

/* One past the highest id that such a text gives to anyone; 0 for none. */
uint64_t sb_extents_subids_end(const char *text);

/* How many ids there are in all. */
uint64_t sb_extents_total(const struct sb_extents *list);
/* How many ids from `first` on are mapped without a gap. */
uint64_t sb_extents_mapped_from(const struct sb_extents *map, uint64_t first);
/* True for the map of the initial user namespace: every id is itself. */
bool sb_extents_is_initial(const struct sb_extents *map);

#endif
