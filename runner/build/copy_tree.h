/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_TREE_H
#define SB_BUILD_COPY_TREE_H

#include "build/copy_match.h"
#include "build/copy_meta.h"

/*
 * Copies what is in a folder into the folder `dest` (absolute, cleaned and link-free), which is
 * made where it is missing. That one keeps its own owner and mode; folders below take those of
 * their sources, whether they were there or not. What .dockerignore, --exclude and the pattern of
 * --parents leave out is passed over; a folder that is left out itself is made only where something
 * in it is not, and one that is there then keeps its owner and times. *out_any is false when there
 * was nothing to make `dest` for.
 *
 * Any depth: neither the stack nor the number of descriptors grows with it.
 */
int sb_copy_tree(struct sb_copy_work *work, const struct sb_copy_match *match, const char *dest,
	bool *out_any, struct sb_error *err) SB_MUST_USE;

#endif
