/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* C1 controls start escape sequences on some terminals; controls of the direction of writing make a
 * line read as another. */
static bool is_control(const char *p, size_t len)
{
	const unsigned char second = (unsigned char)p[1];
	const unsigned char third = len > 2 ? (unsigned char)p[2] : 0;

	if (len == 2)
		return (unsigned char)p[0] == 0xc2 && second < 0xa0;
	return len == 3 && (unsigned char)p[0] == 0xe2 &&
	       ((second == 0x80 && third >= 0xaa && third <= 0xae) ||
		       (second == 0x81 && third >= 0xa6 && third <= 0xa9));
}

/* The length of the UTF-8 letter at p, or 0 for what is none. */
static size_t letter_length(const char *p, size_t left)
{
	const size_t len = sb_utf8_length(p, left);

	return len > 1 && is_control(p, len) ? 0 : len;
}

char *sb_escape_text(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	char *out = sb_reallocarray(NULL, len + 1, 4);
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		const size_t rune = letter_length(text + i, len - i);

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
