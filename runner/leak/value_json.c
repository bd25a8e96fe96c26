/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "leak/value_parts.h"

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

static size_t put_utf8(char *out, uint32_t c)
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

const char *sb_value_unescape(
	struct sb_secret_memory *memory, const char *text, size_t len, size_t *out_len)
{
	static const char from[] = "nrtbf";
	static const char to[] = "\n\r\t\b\f";
	size_t n = 0;

	*out_len = len;
	if (memchr(text, '\\', len) == NULL)
		return text;

	/* Undone is never longer. */
	char *out = sb_secret_memory_alloc(memory, len);

	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t took = 0;

		if (text[i] != '\\' || i + 1 == len) {
			out[n++] = text[i++];
			continue;
		}
		if (text[i + 1] == 'u' && (took = read_unicode(text + i, len - i, &c)) > 0) {
			n += put_utf8(out + n, c);
			i += took;
			continue;
		}

		const char *known = memchr(from, text[i + 1], sizeof(from) - 1);

		out[n++] = known != NULL ? to[known - from] : text[i + 1];
		i += 2;
	}
	*out_len = n;
	return out;
}

/* Where the string that begins behind a quote at `at` ends. */
static size_t string_end(const char *text, size_t len, size_t at)
{
	while (at < len && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < len ? at : len;
}

static bool is_key(const char *text, size_t len, size_t at)
{
	while (at < len && memchr(" \t\r\n", text[at], 4) != NULL)
		at++;
	return at < len && text[at] == ':';
}

void sb_value_read_json(struct sb_value_finder *finder, const char *text, size_t len)
{
	const char *name = "";
	size_t name_len = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '"')
			continue;

		const char *string = text + i + 1;
		const size_t end = string_end(text, len, i + 1);
		const size_t string_len = end - i - 1;

		i = end;
		if (is_key(text, len, end + 1)) {
			name = string;
			name_len = string_len;
			continue;
		}
		if (string_len < SB_VALUE_MIN_BYTES)
			continue;

		size_t value_len = 0;
		const char *value =
			sb_value_unescape(finder->memory, string, string_len, &value_len);

		sb_value_part(finder, name, name_len, value, value_len);
	}
}
