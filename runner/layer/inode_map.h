/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_INODE_MAP_H
#define SB_LAYER_INODE_MAP_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Finds the first name of a file that has several: (device, inode) → a number of the caller's.
 * Zeroed is empty.
 */
struct sb_inode_slot {
	dev_t dev;
	ino_t ino;
	size_t value; /* + 1, so that 0 is a free slot */
};

struct sb_inode_map {
	struct sb_inode_slot *slots; /* a power of two of them, at most half used */
	size_t n_slots;
	size_t n_used;
};

void sb_inode_map_release(struct sb_inode_map *map);
/* The value kept for the inode; where there was none, `value` is kept and returned. */
size_t sb_inode_map_add(struct sb_inode_map *map, dev_t dev, ino_t ino, size_t value);

#endif
