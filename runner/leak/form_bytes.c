/* SPDX-License-Identifier: MIT */
#include "leak/form.h"

static size_t hex_lower(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_hex(in, n, out, "", false);
}

static size_t hex_upper(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_hex(in, n, out, "", true);
}

/* As two-byte units, the high byte first; a character beyond them is a pair. */
static size_t utf16_units(const unsigned char *in, size_t n, unsigned units[static 2])
{
	const unsigned c = sb_form_code_point(in, n);

	if (c < 0x10000) {
		units[0] = c;
		return 1;
	}
	units[0] = 0xd800 + ((c - 0x10000) >> 10);
	units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
	return 2;
}

static size_t utf16_be(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	unsigned units[2];
	const size_t n_units = utf16_units(in, n, units);

	for (size_t i = 0; i < n_units; i++) {
		out[2 * i] = (char)(units[i] >> 8);
		out[2 * i + 1] = (char)(units[i] & 0xff);
	}
	return 2 * n_units;
}

static size_t utf16_le(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	unsigned units[2];
	const size_t n_units = utf16_units(in, n, units);

	for (size_t i = 0; i < n_units; i++) {
		out[2 * i] = (char)(units[i] & 0xff);
		out[2 * i + 1] = (char)(units[i] >> 8);
	}
	return 2 * n_units;
}

const struct sb_form sb_forms_bytes[] = {
	{"hex", hex_lower},
	{"hex", hex_upper},
	{"utf-16", utf16_le},
	{"utf-16", utf16_be},
	{0},
};
