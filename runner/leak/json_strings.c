/* SPDX-License-Identifier: MIT */
#include "leak/json_strings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* The value of up to `n` hex digits, and how many there were. */
static size_t read_hex(const char *p, size_t n, uint32_t *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	size_t i = 0;

	*out = 0;
	for (; i < n; i++) {
		const char *digit = memchr(digits, p[i], sizeof(digits) - 1);

		if (digit == NULL)
			break;
		*out = *out << 4 | ((uint32_t)(digit - digits) & 15);
	}
	return i;
}

/* The \uXXXX at p, with the one after it where both are a pair; 0 where it is none. */
static size_t read_unicode(const char *p, size_t len, uint32_t *out)
{
	uint32_t low = 0;

	if (len < 6 || read_hex(p + 2, 4, out) < 4)
		return 0;
	if (*out >= 0xd800 && *out < 0xdc00 && len >= 12 && p[6] == '\\' && p[7] == 'u' &&
		read_hex(p + 8, 4, &low) == 4 && low >= 0xdc00 && low < 0xe000) {
		*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
		return 12;
	}
	return 6;
}

/* Undone is never longer. */
size_t sb_json_unescape(const char *text, size_t len, char *out)
{
	static const char from[] = "nrtbf";
	static const char to[] = "\n\r\t\b\f";
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t took = 0;

		if (text[i] != '\\' || i + 1 == len) {
			out[n++] = text[i++];
			continue;
		}
		if (text[i + 1] == 'u' && (took = read_unicode(text + i, len - i, &c)) > 0) {
			n += sb_utf8_put(out + n, c);
			i += took;
			continue;
		}

		const char *known = memchr(from, text[i + 1], sizeof(from) - 1);

		out[n++] = known != NULL ? to[known - from] : text[i + 1];
		i += 2;
	}
	return n;
}

size_t sb_json_string_end(const char *text, size_t len, size_t at)
{
	while (at < len && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < len ? at : len;
}

int sb_json_each_escaped(
	const char *text, size_t len, sb_json_string_fn fn, void *self, struct sb_error *err)
{
	for (size_t i = 0; i < len; i++) {
		const char *quote = memchr(text + i, '"', len - i);

		if (quote == NULL)
			return 0;

		const char *string = quote + 1;
		const size_t at = (size_t)(string - text);
		const size_t n = sb_json_string_end(text, len, at) - at;

		i = at + n;
		if (n == 0 || memchr(string, '\\', n) == NULL)
			continue;

		char *room = sb_malloc(n);
		const size_t n_room = sb_json_unescape(string, n, room);
		const int rc = fn(self, at, room, n_room, err);

		explicit_bzero(room, n);
		free(room);
		if (rc != 0)
			return rc;
	}
	return 0;
}
