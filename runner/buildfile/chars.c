/* SPDX-License-Identifier: MIT */
#include "buildfile/chars.h"

enum { FIRST_INVALID = 0x110000 };

static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

size_t sb_utf8_next(const char *text, size_t len, uint32_t *out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char lead = (unsigned char)text[0];
	const size_t n = sequence_length(lead);

	*out = FIRST_INVALID + lead;
	if (n == 0 || n > len)
		return 1;
	if (n == 1) {
		*out = lead;
		return 1;
	}

	uint32_t point = lead & (0x7FU >> n);

	for (size_t i = 1; i < n; i++) {
		const unsigned char byte = (unsigned char)text[i];

		if ((byte & 0xC0) != 0x80)
			return 1;
		point = point << 6 | (byte & 0x3FU);
	}
	if (point < smallest[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
		return 1;
	*out = point;
	return n;
}
