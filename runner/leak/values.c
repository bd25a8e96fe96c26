/* SPDX-License-Identifier: MIT */
#include "leak/values.h"

#include <stdint.h>
#include <string.h>

#include "base/charset.h"
#include "base/utf8.h"
#include "leak/judge.h"
#include "leak/value_parts.h"

enum {
	MAX_DEPTH = 4,
	MAX_BASE64_BYTES = 64 << 10,
};

/* Among the first ones: a value that is there twice does no harm, and costs less than to compare
 * each of very many with all. */
static bool is_known(const struct sb_values *values, const char *bytes, size_t len)
{
	for (size_t i = 0; i < values->len && i < SB_VALUES_MAX; i++)
		if (values->items[i].len == len && memcmp(values->items[i].bytes, bytes, len) == 0)
			return true;
	return false;
}

void sb_value_add(
	struct sb_value_finder *finder, const char *bytes, size_t len, enum sb_value_kind kind)
{
	struct sb_values *out = finder->out;

	if (is_known(out, bytes, len))
		return;
	if (out->len >= finder->max_values) {
		out->n_left_out++;
		return;
	}
	*SB_ARRAY_ADD(out) = (struct sb_value){.bytes = bytes, .len = len, .kind = kind};
}

static size_t base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
	const char *digit = c != '\0' ? strchr(digits, c) : NULL;
	const size_t value = digit != NULL ? (size_t)(digit - digits) : 64;

	return digit == NULL ? 64 : value < 64 ? value : value - 2;
}

static bool is_text(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		const size_t sequence = sb_utf8_length(bytes + i, len - i);
		const char c = bytes[i];

		if (sequence == 0 || c == 0x7f ||
			(c >= 0 && c < 0x20 && c != '\n' && c != '\r' && c != '\t'))
			return false;
		i += sequence;
	}
	return true;
}

const char *sb_value_decode_base64(
	struct sb_secret_memory *memory, const char *text, size_t len, size_t *out_len)
{
	size_t n = 0;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	char *out = sb_secret_memory_alloc(memory, len);

	for (size_t i = 0; i < len; i++) {
		const size_t digit = base64_digit(text[i]);

		if (digit == 64)
			return NULL;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		out[n++] = (char)(bits >> n_bits & 0xff);
	}
	*out_len = n;
	return out;
}

/* What base64 holds, where that is text; else NULL. */
static const char *decode_text(
	struct sb_secret_memory *memory, const char *value, size_t len, size_t *out_len)
{
	while (len > 0 && value[len - 1] == '=')
		len--;
	if (len < SB_VALUE_MIN_BYTES * 4 / 3 || len > MAX_BASE64_BYTES)
		return NULL;

	const char *out = sb_value_decode_base64(memory, value, len, out_len);

	return out != NULL && is_text(out, *out_len) ? out : NULL;
}

static char next_mark(const char *text, size_t len, size_t *at)
{
	while (*at < len && sb_char_in(text[*at], " \t\r\n"))
		(*at)++;
	return *at < len ? text[(*at)++] : '\0';
}

/* "[default]" begins a file of settings. */
static bool begins_json(const char *text, size_t len)
{
	size_t at = 0;
	const char first = next_mark(text, len, &at);
	const char second = next_mark(text, len, &at);

	return (first == '{' && (second == '"' || second == '\0')) ||
	       (first == '[' && (second == '"' || second == '{' || second == '['));
}

static void read_text(struct sb_value_finder *finder, const char *text, size_t len)
{
	if (begins_json(text, len))
		sb_value_read_json(finder, text, len);
	else
		sb_value_read_lines(finder, text, len);
}

static size_t trimmed_len(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return len;
}

/* A text in a text: when something in it is secret, so is it. True when it was one. */
static bool read_inner_text(struct sb_value_finder *finder, const char *text, size_t len)
{
	const size_t before = finder->out->len;

	if (memchr(text, '\n', len) == NULL && !begins_json(text, len))
		return false;
	read_text(finder, text, len);
	if (finder->out->len > before)
		sb_value_add(finder, text, len, SB_VALUE_PART);
	return true;
}

/* base64 of a text; "auth" of Docker's config.json holds user:password. */
static bool read_encoded(struct sb_value_finder *finder, const char *name, size_t name_len,
	const char *value, size_t len)
{
	const size_t before = finder->out->len;
	size_t text_len = 0;
	const char *text = decode_text(finder->memory, value, len, &text_len);

	if (text == NULL)
		return false;
	text_len = trimmed_len(text, text_len);

	const char *colon = memchr(text, ':', text_len);

	if (name_len >= 4 && memcmp(name + name_len - 4, "auth", 4) == 0 && colon != NULL) {
		sb_value_part(
			finder, "password", 8, colon + 1, (size_t)(text + text_len - colon - 1));
		sb_value_add(finder, value, len, SB_VALUE_PART);
		return true;
	}
	sb_value_part(finder, name, name_len, text, text_len);
	if (finder->out->len > before)
		sb_value_add(finder, value, len, SB_VALUE_PART);
	return true;
}

static void judge_part(struct sb_value_finder *finder, const char *name, size_t name_len,
	const char *value, size_t len)
{
	const char *password = NULL;
	size_t password_len = 0;

	if (len < SB_VALUE_MIN_BYTES) {
		finder->out->n_left_out += len > 0 && sb_judge_is_secret_name(name, name_len);
		return;
	}
	if (sb_judge_is_url(value, len, &password, &password_len) && password != NULL)
		sb_value_part(finder, "password", 8, password, password_len);
	if (sb_judge_is_secret_value(name, name_len, value, len))
		sb_value_add(finder, value, len, SB_VALUE_PART);
	else
		finder->out->n_left_out++;
}

void sb_value_part(struct sb_value_finder *finder, const char *name, size_t name_len,
	const char *value, size_t len)
{
	len = trimmed_len(value, len);
	if (finder->depth == MAX_DEPTH) {
		judge_part(finder, name, name_len, value, len);
		return;
	}
	finder->depth++;
	if (!read_inner_text(finder, value, len) &&
		!read_encoded(finder, name, name_len, value, len))
		judge_part(finder, name, name_len, value, len);
	finder->depth--;
}

/* Without what an editor puts before and behind it, and what `read` in a shell drops. */
static void add_without_blanks(struct sb_value_finder *finder, const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of byte order */
	const size_t whole_len = len;

	if (len >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		len -= 3;
	}
	while (len > 0 && sb_char_in(text[len - 1], " \t\r\n"))
		len--;
	while (len > 0 && sb_char_in(*text, " \t\r\n")) {
		text++;
		len--;
	}
	if (len < whole_len && len >= SB_VALUE_MIN_BYTES && !sb_judge_is_common(text, len))
		sb_value_add(finder, text, len, SB_VALUE_PART);
}

static void add_all_lines(struct sb_value_finder *finder, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		const size_t end = newline != NULL ? (size_t)(newline - text) : len;
		const size_t has_return = end > at && text[end - 1] == '\r';

		if (end - at - has_return >= SB_VALUE_MIN_BYTES)
			sb_value_add(finder, text + at, end - at - has_return, SB_VALUE_LINE);
		at = end + 1;
	}
}

static void read_whole(
	struct sb_value_finder *finder, const char *text, size_t len, bool has_all_lines)
{
	add_without_blanks(finder, text, len);
	read_text(finder, text, len);
	if (has_all_lines)
		add_all_lines(finder, text, len);
}

/* What programs of Windows save: a step writes what is in it in other encodings. */
static bool read_utf16(
	struct sb_value_finder *finder, const struct sb_secret *secret, bool has_all_lines)
{
	size_t len = 0;
	const char *text = sb_value_decode_utf16(finder->memory, secret->bytes, secret->len, &len);

	if (text == NULL)
		return false;
	len = trimmed_len(text, len);
	if (len >= SB_VALUE_MIN_BYTES && !sb_judge_is_common(text, len))
		sb_value_add(finder, text, len, SB_VALUE_PART);
	else
		finder->out->n_left_out += len > 0;
	read_whole(finder, text, len, has_all_lines);
	return true;
}

void sb_values_find(const struct sb_secret *secret, struct sb_secret_memory *memory,
	bool has_all_lines, struct sb_values *out)
{
	struct sb_value_finder finder = {.out = out,
		.memory = memory,
		.max_values = has_all_lines ? SIZE_MAX : SB_VALUES_MAX};
	const size_t len = sb_secret_trimmed_len(secret);

	*out = (struct sb_values){0};
	if (len == 0)
		return;
	sb_value_add(&finder, secret->bytes, len, SB_VALUE_WHOLE);
	if (read_utf16(&finder, secret, has_all_lines) || memchr(secret->bytes, '\0', len) != NULL)
		return; /* no text: its lines are chance */
	read_whole(&finder, secret->bytes, len, has_all_lines);
}

void sb_values_release(struct sb_values *values)
{
	SB_ARRAY_RELEASE(values);
}

size_t sb_secret_public_parts(const struct sb_secret *secret)
{
	SB_AUTO(sb_secret_memory) memory = sb_secret_memory_new();
	struct sb_values values = {0};

	sb_values_find(secret, memory, false, &values);

	const size_t n = values.n_left_out;

	sb_values_release(&values);
	return n;
}
