/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_INFLATE_H
#define SB_LEAK_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Streams of zlib (RFC 1950), gzip (RFC 1952) or deflate alone (RFC 1951), one after the other.
 * libz is loaded by the first. */
struct sb_inflate;
enum sb_inflate_kind { SB_INFLATE_ZLIB, SB_INFLATE_GZIP, SB_INFLATE_RAW };
/* NULL where libz is not installed. */
struct sb_inflate *sb_inflate_new(enum sb_inflate_kind kind);
void sb_inflate_free(struct sb_inflate *inflate);
SB_DEFINE_FREEP(sb_inflate)
void sb_inflate_begin(struct sb_inflate *inflate);

/*
 * A whole stream at once, in less than half of the time: true where it begins and ends in these
 * bytes, is sound, and holds no more than 1 MiB; then *out is what it holds, borrowed until the
 * next call. Else nothing was done, and sb_inflate_some has to go through it.
 */
bool sb_inflate_whole(struct sb_inflate *inflate, const char *bytes, size_t len, size_t *out_taken,
	const char **out, size_t *out_made);

enum sb_inflate_state {
	SB_INFLATE_MORE,
	SB_INFLATE_END, /* of the stream, whose check holds */
	SB_INFLATE_DAMAGED,
};
/* Takes some of the bytes and makes some. MORE without having made any: it needs more bytes. */
enum sb_inflate_state sb_inflate_some(struct sb_inflate *inflate, const char *bytes, size_t len,
	size_t *out_taken, void *out, size_t out_len, size_t *out_made);

#endif
