/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_LEAK_BASE64_OF_H
#define SB_TESTS_LEAK_BASE64_OF_H

#include <stddef.h>
#include <stdint.h>

/* base64 for tests, apart from the program's own. */
static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* With its padding; `out` has room for len / 3 * 4 + 4. Gives the length. */
static inline size_t base64_of(const char *value, size_t len, char *out)
{
	const unsigned char *p = (const unsigned char *)value;
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < len ? p[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			out[n++] = i + k > len ? '=' : base64_digits[v >> (18 - 6 * k) & 63];
	}
	return n;
}

#endif
