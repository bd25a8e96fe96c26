/* SPDX-License-Identifier: MIT */
#include "buildfile/json.h"

#include <string.h>

#include "base/mem.h"
#include "buildfile/chars.h"

/* What is nested deeper is taken for the shell form: no instruction has a use for it. */
enum { MAX_DEPTH = 32 };

struct json {
	const char *text;
	size_t len;
	size_t at;
};

static bool is_json_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char peek(const struct json *j)
{
	return j->at < j->len ? j->text[j->at] : '\0';
}

static void skip_blanks(struct json *j)
{
	while (j->at < j->len && is_json_blank(j->text[j->at]))
		j->at++;
}

static bool take(struct json *j, char c)
{
	if (j->at >= j->len || j->text[j->at] != c)
		return false;
	j->at++;
	return true;
}

static bool take_hex4(struct json *j, uint32_t *out)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		const char c = sb_lower(peek(j));

		if (sb_is_digit(c))
			value = value * 16 + (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (uint32_t)(c - 'a' + 10);
		else
			return false;
		j->at++;
	}
	*out = value;
	return true;
}

static char *put_utf8(char *out, uint32_t point)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xC0 | point >> 6);
		*out++ = (char)(0x80 | (point & 0x3F));
	} else if (point < 0x10000) {
		*out++ = (char)(0xE0 | point >> 12);
		*out++ = (char)(0x80 | (point >> 6 & 0x3F));
		*out++ = (char)(0x80 | (point & 0x3F));
	} else {
		*out++ = (char)(0xF0 | point >> 18);
		*out++ = (char)(0x80 | (point >> 12 & 0x3F));
		*out++ = (char)(0x80 | (point >> 6 & 0x3F));
		*out++ = (char)(0x80 | (point & 0x3F));
	}
	return out;
}

/* Behind `\u`. A surrogate without its other half becomes U+FFFD. */
static bool take_unicode(struct json *j, char **out)
{
	uint32_t point;

	if (!take_hex4(j, &point))
		return false;
	if (point >= 0xD800 && point < 0xDC00) {
		const size_t before = j->at;
		uint32_t low;

		if (take(j, '\\') && take(j, 'u') && take_hex4(j, &low) && low >= 0xDC00 &&
			low < 0xE000) {
			point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
		} else {
			j->at = before;
			point = 0xFFFD;
		}
	} else if (point >= 0xDC00 && point < 0xE000) {
		point = 0xFFFD;
	}
	*out = put_utf8(*out, point);
	return true;
}

static bool take_escape(struct json *j, char **out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char c = peek(j);

	if (c == '\0')
		return false;
	j->at++;
	if (c == 'u')
		return take_unicode(j, out);

	const char *found = strchr(from, c);

	if (found == NULL)
		return false;
	*(*out)++ = to[found - from];
	return true;
}

/* Bytes up to the quote that ends the string, which no decoded string exceeds: escapes shrink. */
static size_t string_room(const struct json *j)
{
	size_t i = j->at;

	while (i < j->len && j->text[i] != '"')
		i += j->text[i] == '\\' ? 2 : 1;
	return (i < j->len ? i : j->len) - j->at;
}

static bool take_string(struct json *j, char **out, size_t *out_len)
{
	if (!take(j, '"'))
		return false;

	sb_autofree char *value = sb_malloc(string_room(j) + 1);
	char *end = value;

	while (!take(j, '"')) {
		const char c = peek(j);

		if (j->at >= j->len || (unsigned char)c < 0x20)
			return false;
		j->at++;
		if (c != '\\')
			*end++ = c;
		else if (!take_escape(j, &end))
			return false;
	}
	*end = '\0';
	*out_len = (size_t)(end - value);
	*out = SB_STEAL(value);
	return true;
}

static bool take_digits(struct json *j)
{
	const size_t before = j->at;

	while (sb_is_digit(peek(j)))
		j->at++;
	return j->at > before;
}

static bool take_number(struct json *j)
{
	(void)take(j, '-');
	if (!take(j, '0') && !take_digits(j))
		return false;
	if (take(j, '.') && !take_digits(j))
		return false;
	if (take(j, 'e') || take(j, 'E')) {
		if (!take(j, '+'))
			(void)take(j, '-');
		return take_digits(j);
	}
	return true;
}

static bool take_word(struct json *j, const char *word)
{
	const size_t len = strlen(word);

	if (j->len - j->at < len || memcmp(j->text + j->at, word, len) != 0)
		return false;
	j->at += len;
	return true;
}

static bool skip_value(struct json *j, int depth);

static bool skip_string(struct json *j)
{
	sb_autofree char *ignored = NULL;
	size_t len;

	return take_string(j, &ignored, &len);
}

static bool skip_container(struct json *j, char close, int depth)
{
	j->at++;
	skip_blanks(j);
	if (take(j, close))
		return true;
	do {
		skip_blanks(j);
		if (close == '}') {
			if (!skip_string(j))
				return false;
			skip_blanks(j);
			if (!take(j, ':'))
				return false;
		}
		if (!skip_value(j, depth + 1))
			return false;
		skip_blanks(j);
	} while (take(j, ','));
	return take(j, close);
}

static bool skip_value(struct json *j, int depth)
{
	if (depth > MAX_DEPTH)
		return false;
	skip_blanks(j);
	switch (peek(j)) {
	case '"':
		return skip_string(j);
	case '[':
		return skip_container(j, ']', depth);
	case '{':
		return skip_container(j, '}', depth);
	case 't':
		return take_word(j, "true");
	case 'f':
		return take_word(j, "false");
	case 'n':
		return take_word(j, "null");
	default:
		return take_number(j);
	}
}

static bool take_item(struct json *j, struct sb_strv *items, enum sb_json_form *form)
{
	char *item = NULL;
	size_t len;

	skip_blanks(j);
	if (peek(j) != '"') {
		*form = SB_JSON_NOT_STRINGS;
		return skip_value(j, 1);
	}
	if (!take_string(j, &item, &len))
		return false;
	if (strlen(item) != len && *form == SB_JSON_STRINGS)
		*form = SB_JSON_NUL;
	sb_strv_add_nodup(items, item);
	return true;
}

enum sb_json_form sb_json_parse_strings(const char *text, size_t len, struct sb_strv *out)
{
	struct json j = {.text = text, .len = len};
	enum sb_json_form form = SB_JSON_STRINGS;
	SB_AUTO_STRV items = SB_STRV_INIT;

	skip_blanks(&j);
	if (!take(&j, '['))
		return SB_JSON_NONE;
	skip_blanks(&j);
	if (!take(&j, ']')) {
		do {
			if (!take_item(&j, &items, &form))
				return SB_JSON_NONE;
			skip_blanks(&j);
		} while (take(&j, ','));
		if (!take(&j, ']'))
			return SB_JSON_NONE;
	}
	skip_blanks(&j);
	if (j.at != j.len)
		return SB_JSON_NONE;
	if (form == SB_JSON_STRINGS)
		sb_strv_add_all(out, &items);
	return form;
}
