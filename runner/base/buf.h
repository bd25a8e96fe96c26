/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_BUF_H
#define SB_BASE_BUF_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * A growable byte buffer with a mandatory maximum.
 *
 * `data` is never NULL once the buffer was initialised and always ends with a NUL that `len` does
 * not count; the bytes before it may hold NULs. An append past `max_bytes` fails with SB_E_LIMIT
 * and leaves the buffer as it was. The maxima stand in base/limits.h, each with its reason.
 */
struct sb_buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max_bytes;
};

extern char sb_buf_empty[1];

#define SB_BUF_INIT(max) \
	{ \
		.data = sb_buf_empty, .max_bytes = (max) \
	}
#define SB_AUTO_BUF SB_AUTO_VALUE(sb_buf)

void sb_buf_release(struct sb_buf *buf);
/* Empties the buffer, keeping its memory. */
void sb_buf_clear(struct sb_buf *buf);
/* Keeps the first `len` bytes, where there are more. */
void sb_buf_cut(struct sb_buf *buf, size_t len);
int sb_buf_add(struct sb_buf *buf, const void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
int sb_buf_add_str(struct sb_buf *buf, const char *s, struct sb_error *err) SB_MUST_USE;
int sb_buf_add_char(struct sb_buf *buf, char c, struct sb_error *err) SB_MUST_USE;
int sb_buf_addf(struct sb_buf *buf, struct sb_error *err, const char *fmt, ...)
	SB_PRINTF(3, 4) SB_MUST_USE;
/* Makes room for `extra` more bytes behind data[len] (plus the NUL); the caller writes them and
 * raises len. */
int sb_buf_reserve(struct sb_buf *buf, size_t extra, struct sb_error *err) SB_MUST_USE;
/* Gives the bytes away (caller frees; always heap memory) and leaves an empty buffer. */
char *sb_buf_steal(struct sb_buf *buf);

#endif
