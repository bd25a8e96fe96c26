/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_TAR_SPARSE_H
#define SB_INSPECT_TAR_SPARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

/* Where the stored pieces of a sparse file belong. */
struct sb_extent {
	uint64_t at;
	uint64_t len;
};

struct sb_extents {
	struct sb_extent *items;
	size_t len;
	size_t cap;
	/* The PAX forms give them number by number: this one waits for its length. */
	uint64_t half;
	bool has_half;
};

/* An offset, then a length. */
void sb_extents_add_number(struct sb_extents *extents, uint64_t number);
/* "0,512,4096,512", of PAX 0.1. */
bool sb_extents_add_list(struct sb_extents *extents, const char *text, size_t len);
/* The pairs in the header of a GNU sparse file, or in one of the blocks behind it. */
bool sb_extents_add_gnu(struct sb_extents *extents, const char *pairs, size_t n);
/* True where they ascend, end within the file, and are all that is stored. */
bool sb_extents_fit(const struct sb_extents *extents, uint64_t stored, uint64_t real);

#endif
