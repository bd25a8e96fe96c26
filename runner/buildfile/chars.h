/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_CHARS_H
#define SB_BUILDFILE_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Character classes of the Dockerfile language. ASCII whatever the locale: the <ctype.h> ones are
 * not. */
static inline bool sb_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool sb_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool sb_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char sb_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char sb_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Number of blanks at the start of text. */
static inline size_t sb_skip_blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && sb_is_blank(text[n]))
		n++;
	return n;
}

/* Length of text without the blanks at its end. */
static inline size_t sb_trim_end(const char *text, size_t len)
{
	while (len > 0 && sb_is_blank(text[len - 1]))
		len--;
	return len;
}

/*
 * Reads one UTF-8 character and says how many bytes it has (at least 1, len must not be 0). A byte
 * that is no valid UTF-8 becomes a number of its own past the last code point, so that it equals
 * only itself.
 */
size_t sb_utf8_next(const char *text, size_t len, uint32_t *out);

#endif
