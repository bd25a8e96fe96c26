/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/form.h"

/* A letter escape, or 0 bytes. */
static size_t named(const unsigned char *in, char *out, const char *escaped, const char *letters)
{
	const char *found = *in != '\0' ? strchr(escaped, *in) : NULL;

	if (found == NULL)
		return 0;
	out[0] = '\\';
	out[1] = letters[found - escaped];
	return 2;
}

/* C, Go, gdb, and what tools show of bytes (ls -b, git, mount tables). */
static size_t octal(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	const size_t len = named(in, out, "\"\\\n\t\r\a\b\v\f", "\"\\ntrabvf");

	if (len > 0)
		return len;
	return sb_form_is_print(*in) ? sb_form_copy(in, n, out) : sb_form_octal(in, n, out);
}

/* Python's bytes, Go's %q, Rust's escapes. */
static size_t hex(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	const size_t len = named(in, out, "\"\\\n\t\r", "\"\\ntr");

	if (len > 0)
		return len;
	return sb_form_is_print(*in) ? sb_form_copy(in, n, out)
				     : sb_form_hex(in, n, out, "\\x", false);
}

static size_t hex_in_single(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	const size_t len = named(in, out, "'\\\n\t\r", "'\\ntr");

	if (len > 0)
		return len;
	return sb_form_is_print(*in) ? sb_form_copy(in, n, out)
				     : sb_form_hex(in, n, out, "\\x", false);
}

static size_t all_octal(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_octal(in, n, out);
}

static size_t all_hex_lower(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_hex(in, n, out, "\\x", false);
}

static size_t all_hex_upper(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_hex(in, n, out, "\\x", true);
}

const struct sb_form sb_forms_c[] = {
	{"c", octal},
	{"c", hex},
	{"c", hex_in_single},
	{"c", all_octal, .is_full = true},
	{"c", all_hex_lower, .is_full = true},
	{"c", all_hex_upper, .is_full = true},
	{0},
};
