/* SPDX-License-Identifier: MIT */
#include "layer/search_beside.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "layer/search.h"

struct sb_search_beside {
	const struct sb_changes *changes;
	struct sb_content_search *search;
	/* By change; 0: not known. Set before the ring's lock is taken to hand over the content's
	 * bytes, so that whoever has those sees it. */
	_Atomic uint64_t *places;
	struct sb_ring *ring;
	const char *bytes; /* of the ring's block that is being looked at */
	size_t len;
	uint64_t offset; /* of its first byte in the tar */
	/* The content that is being read. */
	uint64_t at; /* in the tar */
	uint64_t left;
};

struct sb_search_beside *sb_search_beside_new(
	const struct sb_changes *changes, struct sb_content_search *search)
{
	struct sb_search_beside *beside = SB_NEW(struct sb_search_beside);

	beside->changes = changes;
	beside->search = search;
	beside->places = sb_calloc(changes->len + 1, sizeof(beside->places[0]));
	return beside;
}

void sb_search_beside_free(struct sb_search_beside *beside)
{
	if (beside == NULL)
		return;
	free(beside->places);
	free(beside);
}

void sb_search_beside_place(
	struct sb_search_beside *beside, const struct sb_change *change, uint64_t tar_offset)
{
	beside->places[change - beside->changes->items] = tar_offset;
}

void sb_search_beside_cancel(struct sb_search_beside *beside)
{
	sb_content_search_cancel(beside->search);
}

/* 1, 0 at the end, or -1. */
static ssize_t next_block(struct sb_search_beside *b, struct sb_error *err)
{
	const void *bytes = NULL;
	const ssize_t n = sb_ring_next(b->ring, &bytes, err);

	b->offset += b->len;
	b->bytes = bytes;
	b->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : n;
}

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	struct sb_search_beside *b = self;

	if (b->left == 0)
		return 0;
	while (b->at >= b->offset + b->len) {
		const ssize_t rc = next_block(b, err);

		if (rc <= 0)
			return rc;
	}

	const size_t from = (size_t)(b->at - b->offset);
	const size_t here = b->len - from;
	const size_t n = b->left < here ? (size_t)b->left : here;

	*out_bytes = b->bytes + from;
	b->at += n;
	b->left -= n;
	return (ssize_t)n;
}

/* A content whose place is not known yet lies behind the block; one that is not known at the end
 * was not written. */
static int find_place(struct sb_search_beside *b, size_t i, struct sb_error *err)
{
	while ((b->at = b->places[i]) == 0) {
		const ssize_t rc = next_block(b, err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
	}
	return 0;
}

static int search_content(
	struct sb_search_beside *b, const struct sb_change *change, size_t i, struct sb_error *err)
{
	const struct sb_pieces pieces = {next_piece, b, change->size};
	SB_AUTO_VALUE(sb_content_leak) leak = {0};
	bool is_found = false;

	if (find_place(b, i, err) < 0)
		return -1;
	b->left = b->at != 0 ? change->size : 0;
	if (sb_content_search_run(b->search, &pieces, &is_found, &leak, err) < 0)
		return -1;
	return is_found ? sb_search_found(change, &leak, err) : 0;
}

int sb_search_beside_run(
	struct sb_search_beside *beside, struct sb_ring *ring, struct sb_error *err)
{
	beside->ring = ring;
	for (size_t i = 0; i < beside->changes->len; i++) {
		const struct sb_change *change = &beside->changes->items[i];

		if (sb_search_change(beside->search, change, err) < 0)
			return -1;
		if (sb_change_has_content(change) && change->size > 0 &&
			search_content(beside, change, i, err) < 0)
			return -1;
	}
	return 0;
}
