/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static const char replacement[] = "\xef\xbf\xbd";

size_t sb_utf8_length(const char *bytes, size_t left)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t len = 0;
	uint32_t min = 0;
	uint32_t rune = 0;

	if (left == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2, min = 0x80, rune = p[0] & 0x1fU;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3, min = 0x800, rune = p[0] & 0x0fU;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4, min = 0x10000, rune = p[0] & 0x07U;
	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (p[i] & 0x3fU);
	}
	return rune < min || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff) ? 0 : len;
}

size_t sb_utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool sb_utf8_is_valid(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		const size_t len = sb_utf8_length(text, left);

		if (len == 0)
			return false;
		text += len;
		left -= len;
	}
	return true;
}

char *sb_utf8_repaired(const char *text)
{
	const size_t replacement_len = sizeof(replacement) - 1;
	const size_t text_len = strlen(text);
	char *out = sb_reallocarray(NULL, text_len + 1, replacement_len);
	size_t n = 0;

	for (size_t i = 0; i < text_len;) {
		const size_t len = sb_utf8_length(text + i, text_len - i);

		memcpy(out + n, len > 0 ? text + i : replacement, len > 0 ? len : replacement_len);
		n += len > 0 ? len : replacement_len;
		i += len > 0 ? len : 1;
	}
	out[n] = '\0';
	return out;
}
