/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_NESTED_INFLATE_H
#define SB_LEAK_NESTED_INFLATE_H

#include "leak/inflate.h"
#include "leak/nested_private.h"

/* What a stream of deflate, zlib or gzip in another stream holds, up to where it breaks off. */
struct sb_inflating {
	struct sb_nested_input *in;
	struct sb_inflate *inflate;
	enum sb_inflate_state state;
	bool is_gzip;
	bool is_limited; /* to `limit` further bytes of the input */
	uint64_t limit;
	/* Private. */
	bool is_begun;    /* the stream, piece by piece */
	const char *held; /* of one that was undone at once, what was not given out yet */
	size_t n_held;
};
/* Bytes made; 0 at the end, whose nature is in `state` (MORE: the input ended first). */
size_t sb_inflating_make(struct sb_inflating *z, void *bytes, size_t len);
/* The same as a source's read. */
ssize_t sb_inflating_read(void *self, void *bytes, size_t len, struct sb_error *err);

/* NULL, and the visitor was told, where libz is missing. */
struct sb_inflate *sb_nested_inflate_new(
	const struct sb_nested_input *in, enum sb_inflate_kind kind) SB_MUST_USE;

#endif
