/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_SEARCH_H
#define SB_INSPECT_SEARCH_H

#include "base/array.h"
#include "leak/scan.h"

/*
 * Every known secret in one stream, where sb_scanner stops at the first: after a find the search
 * starts anew one byte behind the find's first. A stream full of secrets ends with MAX_HITS of
 * them.
 */
enum { SB_SEARCH_MAX_HITS = 1000 };

struct sb_search {
	struct sb_scanner *scanner;    /* borrowed, for as long as the stream goes */
	uint64_t base;                 /* stream offset at which the scanner was started */
	uint64_t at;                   /* stream offset of the next byte */
	SB_ARRAY(struct sb_leak) hits; /* with offsets in the stream, ascending by end */
};

/* Starts a stream; what an earlier one found is dropped. */
void sb_search_begin(struct sb_search *search, struct sb_scanner *scanner);
void sb_search_feed(struct sb_search *search, const void *bytes, size_t len);
void sb_search_end(struct sb_search *search);
void sb_search_release(struct sb_search *search);
/* True if an earlier hit is of the same secret as hit i. */
bool sb_search_is_repeated(const struct sb_search *search, size_t i);

#endif
