/* SPDX-License-Identifier: MIT */
#include "leak/pattern_text.h"

#include <string.h>
#include <strings.h>

#include "base/charset.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z');
}

bool sb_chars_have(enum sb_charset set, char c)
{
	switch (set) {
	case SB_CHARS_NONE:
		return false;
	case SB_CHARS_HEX:
		return is_digit(c) || (c >= 'a' && c <= 'f');
	case SB_CHARS_UPPER_BASE32:
		return is_upper(c) || (c >= '2' && c <= '7');
	case SB_CHARS_BECH32:
		return is_digit(c) ? c != '1' : is_upper(c) && c != 'B' && c != 'I' && c != 'O';
	case SB_CHARS_UPPER:
		return is_upper(c) || is_digit(c);
	case SB_CHARS_UPPER_DASH:
		return is_upper(c) || is_digit(c) || c == '-';
	case SB_CHARS_ALNUM:
		return is_alnum(c);
	case SB_CHARS_ALNUM_DASH:
		return is_alnum(c) || c == '-';
	case SB_CHARS_WORD:
		return is_alnum(c) || c == '_';
	case SB_CHARS_URL64:
		return is_alnum(c) || c == '_' || c == '-';
	case SB_CHARS_URL64_DOT:
		return is_alnum(c) || c == '_' || c == '-' || c == '.';
	case SB_CHARS_BASE64:
		return is_alnum(c) || c == '+' || c == '/' || c == '=';
	case SB_CHARS_ANY64:
		return is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '_' || c == '-';
	}
	return false;
}

size_t sb_chars_count(
	enum sb_charset set, const struct sb_pattern_view *view, size_t at, size_t max)
{
	size_t n = 0;

	while (n < max && at + n < view->len && sb_chars_have(set, view->text[at + n]))
		n++;
	return n;
}

unsigned sb_chars_alphabet(enum sb_charset set)
{
	switch (set) {
	case SB_CHARS_NONE:
		return 0;
	case SB_CHARS_HEX:
		return 16;
	case SB_CHARS_UPPER_BASE32:
	case SB_CHARS_BECH32:
		return 32;
	case SB_CHARS_UPPER:
	case SB_CHARS_UPPER_DASH:
		return 36;
	case SB_CHARS_ALNUM:
	case SB_CHARS_ALNUM_DASH:
	case SB_CHARS_WORD:
	case SB_CHARS_URL64:
	case SB_CHARS_URL64_DOT:
	case SB_CHARS_BASE64:
	case SB_CHARS_ANY64:
		return 62;
	}
	return 0;
}

bool sb_text_begins(const struct sb_pattern_view *view, size_t at)
{
	const char *p = view->text + at;

	if (at == 0 || !is_alnum(p[-1]))
		return true;
	if (at >= 2 && p[-2] == '\\' && sb_char_in(p[-1], "nrt"))
		return true;
	return at >= 3 && p[-3] == '%' && is_alnum(p[-2]);
}

bool sb_text_has(const struct sb_pattern_view *view, size_t at, const char *literal)
{
	const size_t len = strlen(literal);

	return at <= view->len && len <= view->len - at &&
	       memcmp(view->text + at, literal, len) == 0;
}

bool sb_text_has_any_case(const struct sb_pattern_view *view, size_t at, const char *literal)
{
	const size_t len = strlen(literal);

	return at <= view->len && len <= view->len - at &&
	       strncasecmp(view->text + at, literal, len) == 0;
}

size_t sb_text_skip_blanks(const struct sb_pattern_view *view, size_t at)
{
	while (at < view->len && (view->text[at] == ' ' || view->text[at] == '\t'))
		at++;
	return at;
}

size_t sb_text_skip_space(const struct sb_pattern_view *view, size_t at)
{
	for (;;) {
		if (at < view->len && sb_char_in(view->text[at], " \t\r\n"))
			at++;
		else if (sb_text_has(view, at, "\\n") || sb_text_has(view, at, "\\r"))
			at += 2;
		else
			return at;
	}
}

size_t sb_text_line_end(const struct sb_pattern_view *view, size_t at, size_t max)
{
	const size_t left = view->len - at < max ? view->len - at : max;
	const char *end = memchr(view->text + at, '\n', left);

	return end != NULL ? (size_t)(end - view->text) : at + left;
}

size_t sb_text_line_start(const struct sb_pattern_view *view, size_t at, size_t max)
{
	const size_t from = at > max ? at - max : 0;
	const char *end = memrchr(view->text + from, '\n', at - from);

	return end != NULL ? (size_t)(end - view->text) + 1 : from;
}

static size_t skip_operator(const struct sb_pattern_view *view, size_t at)
{
	static const char *const operators[] = {":=", "=>", "==", "=", ":"};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (sb_text_has(view, at, operators[i]))
			return at + strlen(operators[i]);
	return at;
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

bool sb_text_assigned(
	const struct sb_pattern_view *view, size_t at, size_t max, struct sb_pattern_span *out)
{
	/* The quote or bracket that ends the name. */
	while (at < view->len &&
		(view->text[at] == '\\' || is_quote(view->text[at]) || view->text[at] == ']'))
		at++;
	at = sb_text_skip_blanks(view, at);

	const size_t value = skip_operator(view, at);

	if (value == at)
		return false;
	at = sb_text_skip_blanks(view, value);
	if (sb_text_has(view, at, "\\") && at + 1 < view->len && is_quote(view->text[at + 1]))
		at++;
	if (at >= view->len)
		return false;

	const char quote = is_quote(view->text[at]) ? view->text[at] : '\0';
	size_t end = at += quote != '\0' ? 1 : 0;

	while (end < view->len && end - at <= max) {
		const unsigned char c = (unsigned char)view->text[end];

		if (c < ' ' || c == 0x7F ||
			(quote != '\0' ? c == (unsigned char)quote : c == ' ') ||
			(quote == '\0' && strchr(",;\"'`<>|&", c) != NULL))
			break;
		end++;
	}
	if (quote != '\0' && end > at && view->text[end - 1] == '\\')
		end--;
	if (end == at || end - at > max)
		return false;
	*out = (struct sb_pattern_span){at, end - at};
	return true;
}

bool sb_text_is_printable(const struct sb_pattern_view *view, struct sb_pattern_span span)
{
	const size_t from = span.at > 64 ? span.at - 64 : 0;
	const size_t end = span.at + span.len;
	const size_t to = view->len - end > 64 ? end + 64 : view->len;

	for (size_t i = from; i < to; i++) {
		const unsigned char c = (unsigned char)view->text[i];

		if (c == 0x7F || (c < ' ' && (c == '\0' || strchr("\t\n\r\f\033", c) == NULL)))
			return false;
	}
	return true;
}

bool sb_text_is_uuid(const char *text, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text[i] != '-' : !sb_chars_have(SB_CHARS_HEX, (char)(text[i] | 0x20)))
			return false;
	}
	return true;
}

static int digit_of(char c)
{
	if (is_upper(c))
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

size_t sb_text_unbase64(const char *text, size_t len, char *out, size_t cap)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len && n < cap; i++) {
		const int digit = digit_of(text[i]);

		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (char)(bits >> n_bits & 0xFF);
		}
	}
	return n;
}
