/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "inspect/content_sums.h"
#include "inspect/layer_private.h"

/* One file's content, as whoever opens the file gets it. */
struct content {
	const struct sb_layer_reading *r;
	struct sb_buf *keep;
	const char *piece; /* stored bytes that were not given out yet */
	size_t left;
	uint64_t at;   /* of the next byte in the file */
	uint64_t hole; /* zeros to give out before the piece */
	uint64_t size; /* of the file */
	uint64_t holes_left;
	bool at_end;
	struct sb_error late; /* that waits until the bytes before it are given out */
};

/* A hole that is larger than what is left for holes becomes one zero. */
static void start_hole(struct content *c, uint64_t end)
{
	c->hole = end - c->at;
	c->at = end;
	if (c->hole > c->holes_left)
		c->hole = 1;
	else
		c->holes_left -= c->hole;
}

static int next_piece(struct content *c, struct sb_error *err)
{
	const void *bytes = NULL;
	uint64_t at = 0;
	const ssize_t n = sb_tar_reader_data(c->r->tar, &bytes, &at, err);

	if (n < 0)
		return -1;
	c->at_end = n == 0;
	if (n == 0)
		at = c->size;
	if (at > c->at)
		start_hole(c, at);
	c->piece = bytes;
	c->left = (size_t)n;
	c->at += (uint64_t)n;
	return 0;
}

static size_t take(struct content *c, char *to, size_t len)
{
	size_t n = 0;

	if (c->hole > 0) {
		n = c->hole < len ? (size_t)c->hole : len;
		memset(to, 0, n);
		c->hole -= n;
		return n;
	}
	n = c->left < len ? c->left : len;
	memcpy(to, c->piece, n);
	c->piece += n;
	c->left -= n;
	return n;
}

static ssize_t read_some(void *self, void *room, size_t len, struct sb_error *err)
{
	struct content *c = self;
	char *to = room;
	size_t n = 0;

	while (n < len) {
		if (c->hole == 0 && c->left == 0) {
			if (c->at_end || sb_error_is_set(&c->late) || next_piece(c, &c->late) < 0)
				break;
			continue;
		}
		n += take(c, to + n, len - n);
	}
	if (n == 0 && sb_error_is_set(&c->late)) {
		sb_error_move(err, &c->late);
		return -1;
	}
	if (c->keep != NULL && sb_buf_add(c->keep, to, n, err) < 0)
		return -1;
	return (ssize_t)n;
}

int sb_layer_read_content(struct sb_layer_reading *r, const struct sb_tar_entry *entry,
	const struct sb_place *place, struct sb_buf *keep, struct sb_digest *out,
	struct sb_error *err)
{
	struct content c = {
		.r = r,
		.keep = keep,
		.size = entry->real_bytes,
		.holes_left = SB_MAX_HOLE_BYTES,
	};
	const struct sb_source source = {read_some, &c};
	const uint64_t offset = sb_tar_reader_offset(r->tar);
	const bool is_plain = entry->stored_bytes == entry->real_bytes;
	const int rc = sb_contents_search(
		r->in->contents, place, &source, is_plain ? entry->real_bytes : UINT64_MAX, err);

	sb_error_release(&c.late);
	sb_layer_stream_content_digest(r->stream, offset, out);
	return rc;
}
