/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t len = 0;
	uint32_t min = 0;
	uint32_t rune = 0;

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
	if (rune < min || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return 0;
	/* C1 controls start escape sequences on some terminals. */
	return rune >= 0x80 && rune < 0xa0 ? 0 : len;
}

char *sb_escape_text(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	char *out = sb_reallocarray(NULL, len + 1, 4);
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		const size_t rune = utf8_length(p + i, len - i);

		if (rune > 1 || (rune == 1 && p[i] >= 0x20 && p[i] != 0x7f)) {
			memcpy(out + n, p + i, rune);
			n += rune;
			i += rune;
			continue;
		}
		if (p[i] == '\n' || p[i] == '\t' || p[i] == '\r') {
			out[n++] = '\\';
			out[n++] = p[i] == '\n' ? 'n' : p[i] == '\t' ? 't' : 'r';
		} else {
			(void)snprintf(out + n, 5, "\\x%02x", p[i]);
			n += 4;
		}
		i++;
	}
	out[n] = '\0';
	return out;
}
