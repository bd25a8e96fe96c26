/* SPDX-License-Identifier: MIT */
#include "layer/inode_map.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

/* The slot that holds the inode, or the free one where it belongs. */
static struct sb_inode_slot *find(const struct sb_inode_map *map, dev_t dev, ino_t ino)
{
	/* Fibonacci hashing: inode numbers come in runs. */
	uint64_t i = ((uint64_t)ino ^ ((uint64_t)dev << 32)) * UINT64_C(0x9e3779b97f4a7c15);

	for (i >>= 16;; i++) {
		struct sb_inode_slot *slot = &map->slots[i & (map->n_slots - 1)];

		if (slot->value == 0 || (slot->ino == ino && slot->dev == dev))
			return slot;
	}
}

static void grow(struct sb_inode_map *map)
{
	const struct sb_inode_map old = *map;

	map->n_slots = old.n_slots != 0 ? old.n_slots * 2 : 64;
	map->slots = sb_calloc(map->n_slots, sizeof(*map->slots));
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slots[i].value != 0)
			*find(map, old.slots[i].dev, old.slots[i].ino) = old.slots[i];
	free(old.slots);
}

void sb_inode_map_release(struct sb_inode_map *map)
{
	free(map->slots);
	*map = (struct sb_inode_map){0};
}

size_t sb_inode_map_add(struct sb_inode_map *map, dev_t dev, ino_t ino, size_t value)
{
	if (map->n_used * 2 >= map->n_slots)
		grow(map);

	struct sb_inode_slot *slot = find(map, dev, ino);

	if (slot->value == 0) {
		*slot = (struct sb_inode_slot){.dev = dev, .ino = ino, .value = value + 1};
		map->n_used++;
	}
	return slot->value - 1;
}
