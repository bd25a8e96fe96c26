/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_INFLATE_H
#define SB_LEAK_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Streams of zlib (RFC 1950) or gzip (RFC 1952), one after the other. libz is loaded by the first.
 */
struct sb_inflate;
enum sb_inflate_kind { SB_INFLATE_ZLIB, SB_INFLATE_GZIP };
/* NULL where libz is not installed. */
struct sb_inflate *sb_inflate_new(enum sb_inflate_kind kind);
void sb_inflate_free(struct sb_inflate *inflate);
SB_DEFINE_FREEP(sb_inflate)
void sb_inflate_begin(struct sb_inflate *inflate);

enum sb_inflate_state {
	SB_INFLATE_MORE,
	SB_INFLATE_END, /* of the stream, whose check holds */
	SB_INFLATE_DAMAGED,
};
/* Takes some of the bytes and makes some. MORE without having made any: it needs more bytes. */
enum sb_inflate_state sb_inflate_some(struct sb_inflate *inflate, const char *bytes, size_t len,
	size_t *out_taken, void *out, size_t out_len, size_t *out_made);

#endif
