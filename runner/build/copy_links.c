/* SPDX-License-Identifier: MIT */
#include "build/copy_links.h"

#include <stdint.h>

#include "base/mem.h"

void sb_copied_links_release(struct sb_copied_links *links)
{
	for (size_t i = 0; i < links->n_slots; i++)
		free(links->slots[i].path);
	free(links->slots);
	*links = (struct sb_copied_links){0};
}

static size_t hash(dev_t dev, ino_t ino)
{
	/* Fibonacci hashing; inode numbers are dense, so the high bits must take part. */
	uint64_t h = ((uint64_t)ino ^ ((uint64_t)dev << 48)) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h ^ (h >> 32));
}

/* The slot of that file, or the free one where it belongs. */
static struct sb_copied_link *slot_of(const struct sb_copied_links *links, dev_t dev, ino_t ino)
{
	size_t i = hash(dev, ino) & (links->n_slots - 1);

	while (links->slots[i].path != NULL &&
		(links->slots[i].dev != dev || links->slots[i].ino != ino))
		i = (i + 1) & (links->n_slots - 1);
	return &links->slots[i];
}

const struct sb_copied_link *sb_copied_links_find(
	const struct sb_copied_links *links, const struct stat *source)
{
	const struct sb_copied_link *slot =
		links->n_slots > 0 ? slot_of(links, source->st_dev, source->st_ino) : NULL;

	return slot != NULL && slot->path != NULL ? slot : NULL;
}

static void grow(struct sb_copied_links *links)
{
	const size_t n_slots = links->n_slots > 0 ? links->n_slots * 2 : 64;
	struct sb_copied_links grown = {
		.slots = sb_calloc(n_slots, sizeof(*grown.slots)),
		.n_slots = n_slots,
		.n_used = links->n_used,
	};

	for (size_t i = 0; i < links->n_slots; i++)
		if (links->slots[i].path != NULL)
			*slot_of(&grown, links->slots[i].dev, links->slots[i].ino) =
				links->slots[i];
	free(links->slots);
	*links = grown;
}

void sb_copied_links_add(struct sb_copied_links *links, const struct stat *source, const char *path,
	const struct stat *made)
{
	if (links->n_used * 2 >= links->n_slots)
		grow(links);

	struct sb_copied_link *slot = slot_of(links, source->st_dev, source->st_ino);

	if (slot->path == NULL)
		links->n_used++;
	free(slot->path);
	*slot = (struct sb_copied_link){
		.dev = source->st_dev,
		.ino = source->st_ino,
		.path = sb_strdup(path),
		.made_dev = made->st_dev,
		.made_ino = made->st_ino,
	};
}
