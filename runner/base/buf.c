/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

char sb_buf_empty[1];

void sb_buf_release(struct sb_buf *buf)
{
	if (buf->data != sb_buf_empty)
		free(buf->data);
	*buf = (struct sb_buf)SB_BUF_INIT(buf->max_bytes);
}

void sb_buf_clear(struct sb_buf *buf)
{
	sb_buf_cut(buf, 0);
}

/* The empty buffer's NUL is every thread's: it is not written again. */
void sb_buf_cut(struct sb_buf *buf, size_t len)
{
	if (buf->len <= len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

int sb_buf_reserve(struct sb_buf *buf, size_t extra, struct sb_error *err)
{
	if (extra > buf->max_bytes || buf->len > buf->max_bytes - extra)
		return sb_fail(err, SB_E_LIMIT, "more than %zu bytes", buf->max_bytes);
	if (buf->len + extra < buf->cap)
		return 0;

	size_t cap = buf->cap != 0 ? buf->cap : 64;

	if (buf->len + extra > SIZE_MAX / 4)
		return sb_fail(err, SB_E_LIMIT, "more memory than there can be");
	while (cap <= buf->len + extra)
		cap *= 2;

	const bool was_empty = buf->data == sb_buf_empty;

	buf->data = sb_reallocarray(was_empty ? NULL : buf->data, cap, 1);
	if (was_empty)
		buf->data[0] = '\0';
	buf->cap = cap;
	return 0;
}

int sb_buf_add(struct sb_buf *buf, const void *bytes, size_t len, struct sb_error *err)
{
	if (len == 0)
		return 0;
	if (sb_buf_reserve(buf, len, err) < 0)
		return -1;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int sb_buf_add_str(struct sb_buf *buf, const char *s, struct sb_error *err)
{
	return sb_buf_add(buf, s, strlen(s), err);
}

int sb_buf_add_char(struct sb_buf *buf, char c, struct sb_error *err)
{
	return sb_buf_add(buf, &c, 1, err);
}

int sb_buf_addf(struct sb_buf *buf, struct sb_error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_autofree char *s = sb_vasprintf(fmt, args);
	va_end(args);
	return sb_buf_add_str(buf, s, err);
}

char *sb_buf_steal(struct sb_buf *buf)
{
	char *data = buf->data != sb_buf_empty ? buf->data : sb_strdup("");

	*buf = (struct sb_buf)SB_BUF_INIT(buf->max_bytes);
	return data;
}
