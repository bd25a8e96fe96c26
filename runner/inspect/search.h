/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_SEARCH_H
#define SB_INSPECT_SEARCH_H

#include "base/array.h"
#include "leak/scan.h"

/*
 * Every known secret in one stream, where sb_scanner by itself stops at the first: of each secret
 * the find that ends first, also where secrets overlap.
 */
struct sb_search_hit {
	struct sb_leak leak;
	uint64_t end; /* offset behind its last byte */
};

struct sb_search {
	struct sb_scanner *scanner;          /* borrowed, for as long as the stream goes */
	SB_ARRAY(struct sb_search_hit) hits; /* once the stream has ended, ascending by end */
};

/* Starts a stream; what an earlier one found is dropped. Neither may move until its end. */
void sb_search_begin(struct sb_search *search, struct sb_scanner *scanner);
void sb_search_feed(struct sb_search *search, const void *bytes, size_t len);
void sb_search_end(struct sb_search *search);
void sb_search_release(struct sb_search *search);

#endif
