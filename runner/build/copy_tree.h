/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_TREE_H
#define SB_BUILD_COPY_TREE_H

#include "build/copy_match.h"
#include "build/copy_meta.h"

/*
 * Copies what is in a folder into the folder `dest` (absolute, cleaned and link-free), which is
 * made where it is missing. That one keeps its own owner and mode; folders below take those of
 * their sources, whether they were there or not. Ignored entries are passed over; an ignored folder
 * is made only where something in it is not ignored. *out_any is false when there was nothing of
 * that kind to make `dest` for.
 *
 * Any depth: neither the stack nor the number of descriptors grows with it.
 */
int sb_copy_tree(struct sb_copy_work *work, const struct sb_copy_match *match, const char *dest,
	bool *out_any, struct sb_error *err) SB_MUST_USE;

#endif
