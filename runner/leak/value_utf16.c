/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "leak/value_parts.h"

static uint32_t unit_at(const unsigned char *p, bool is_big)
{
	return is_big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

/* One character, of one unit or a pair; gives how many bytes it has, 0 where it is none. */
static size_t read_character(const unsigned char *p, size_t left, bool is_big, uint32_t *out)
{
	*out = unit_at(p, is_big);
	if (*out < 0xd800 || *out >= 0xe000)
		return 2;
	if (*out >= 0xdc00 || left < 4)
		return 0;

	const uint32_t low = unit_at(p + 2, is_big);

	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	return 4;
}

const char *sb_value_decode_utf16(
	struct sb_secret_memory *memory, const char *bytes, size_t len, size_t *out_len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	const bool is_big = len >= 2 && p[0] == 0xfe && p[1] == 0xff;
	size_t n = 0;

	if (len < 4 || len % 2 != 0 || !(is_big || (p[0] == 0xff && p[1] == 0xfe)))
		return NULL;

	/* Two bytes become three at most. */
	char *out = sb_secret_memory_alloc(memory, len / 2 * 3);

	for (size_t at = 2; at < len;) {
		uint32_t c = 0;
		const size_t took = read_character(p + at, len - at, is_big, &c);

		if (took == 0 || c == 0)
			return NULL;
		n += sb_utf8_put(out + n, c);
		at += took;
	}
	*out_len = n;
	return out;
}
