/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_MATCHER_H
#define SB_LEAK_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leak/secret_memory.h"

/*
 * Finds any of many short byte strings in a piece of memory. Only each n-th place of the text is
 * looked at, n being such that whatever is as long as the shortest string holds a whole block of 4
 * bytes that begins at one of them; a bit tells whether any string holds that block so near its
 * beginning. Its tables are as secret as the strings, and lie in memory that is locked.
 *
 * A library for many patterns (Hyperscan) is not used here: it copies the strings into tables on
 * its own heap, which is neither locked nor kept out of core dumps, and takes milliseconds to make
 * them.
 */
enum {
	SB_MATCHER_MIN_BYTES = 3,
	SB_MATCHER_MAX_BYTES = 64,
};

struct sb_pattern {
	const unsigned char *bytes; /* borrowed */
	size_t len;                 /* SB_MATCHER_MIN_BYTES to SB_MATCHER_MAX_BYTES */
	uint32_t tag;               /* the caller's */
};

struct sb_matcher;
/* At least one pattern; copies the array, borrows the bytes. `memory` must outlive the matcher. */
struct sb_matcher *sb_matcher_new(
	struct sb_secret_memory *memory, const struct sb_pattern *patterns, size_t n);
void sb_matcher_free(struct sb_matcher *matcher);
SB_DEFINE_FREEP(sb_matcher)

/* A place in the search, zeroed at the start. Matches come by the offset of their first byte, all
 * patterns that match there one after the other. */
struct sb_match {
	size_t start;
	size_t end;
	uint32_t tag;
	size_t at;     /* private */
	uint32_t next; /* private */
};

/* False when there is no further one that lies wholly within the bytes. */
bool sb_matcher_next(const struct sb_matcher *matcher, const unsigned char *bytes, size_t len,
	struct sb_match *match);

#endif
