/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/charset.h"
#include "leak/value_parts.h"

enum { MIN_PEM_LINE = 16 };

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";

/* What nobody hides. A label that is not known may be secret. */
static bool is_public_label(const char *label, size_t len)
{
	static const char *const words[] = {
		"CERTIFICATE", "PUBLIC", "PARAMETERS", "CRL", "REQUEST", "PKCS7", "SIGNATURE"};

	if (memmem(label, len, "PRIVATE", 7) != NULL || memmem(label, len, "SECRET", 6) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(label, len, words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

static size_t line_end(const char *text, size_t len, size_t at)
{
	const char *newline = memchr(text + at, '\n', len - at);

	return newline != NULL ? (size_t)(newline - text) : len;
}

static bool is_base64(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '+' || c == '/' || c == '='))
			return false;
	}
	return len > 0;
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && sb_char_in((*text)[*len - 1], " \t\r"))
		(*len)--;
	while (*len > 0 && sb_char_in(**text, " \t\r")) {
		(*text)++;
		(*len)--;
	}
}

struct line {
	const char *text;
	size_t len;
	size_t at; /* in the body */
};

struct lines {
	SB_ARRAY_FIELDS(struct line);
};

/* A body with its base64 undone, and which of its bytes are public. */
struct key {
	const char *bytes; /* NULL: it is no base64 */
	size_t len;
	const unsigned char *is_public;
};

static struct key read_key(struct sb_value_finder *finder, const char *body, size_t body_len)
{
	struct key key = {0};

	key.bytes = sb_value_decode_base64(finder->memory, body, body_len, &key.len);
	if (key.bytes == NULL)
		return key;

	unsigned char *is_public = sb_secret_memory_alloc(finder->memory, key.len + 1);

	sb_value_mark_public((const unsigned char *)key.bytes, key.len, is_public);
	key.is_public = is_public;
	return key;
}

/*
 * The key as a file of its own, as of `openssl … -outform DER` and `gpg --dearmor`. What follows
 * the public half of an RSA key, its last six numbers, is the same in PKCS#1 and PKCS#8.
 */
static void add_binary(struct sb_value_finder *finder, const struct key *key)
{
	enum { MIN_KEY = 32, MIN_NUMBERS = 128, DER_SEQUENCE = 0x30 };
	size_t secret_at = key->len;

	if (key->bytes == NULL || key->len < MIN_KEY)
		return;
	while (secret_at > 0 && !key->is_public[secret_at - 1])
		secret_at--;
	if (memchr(key->is_public, 0, key->len) != NULL)
		sb_value_add(finder, key->bytes, key->len, SB_VALUE_PART);
	if (key->bytes[0] == DER_SEQUENCE && secret_at > 0 && key->len - secret_at >= MIN_NUMBERS)
		sb_value_add(finder, key->bytes + secret_at, key->len - secret_at, SB_VALUE_PART);
}

/* The bytes that a line has wholly are public: the bits at its ends prove nothing. */
static bool is_public_line(const struct line *line, const struct key *key)
{
	const size_t from = (line->at * 6 + 7) / 8;
	const size_t to_padding = (line->at + line->len) * 6 / 8;
	const size_t to = to_padding < key->len ? to_padding : key->len;

	return key->bytes != NULL && from < to &&
	       memchr(key->is_public + from, 0, to - from) == NULL;
}

/* The lines of base64, and the body that they make; header lines ("Proc-Type: …") are none, and the
 * checksum of OpenPGP ("=x7Bz") is no part of it. */
static size_t join_body(const char *text, size_t len, struct lines *out, char *out_body)
{
	size_t body_len = 0;

	for (size_t at = 0; at < len;) {
		const size_t stop = line_end(text, len, at);
		struct line line = {.text = text + at, .len = stop - at, .at = body_len};

		at = stop + 1;
		trim(&line.text, &line.len);
		if (!is_base64(line.text, line.len) || line.text[0] == '=')
			continue;
		*SB_ARRAY_ADD(out) = line;
		memcpy(out_body + body_len, line.text, line.len);
		body_len += line.len;
	}
	return body_len;
}

/*
 * The body's lines, and all of it on one line without the padding. The first line of a body holds
 * the algorithm, and for some kinds of key nothing else: it is the same for every such key, and is
 * public by itself. So are lines that hold nothing but the public half.
 */
static void read_body(struct sb_value_finder *finder, const char *text, size_t len)
{
	char *body = sb_secret_memory_alloc(finder->memory, len + 1);
	struct lines lines = {0};
	size_t body_len = join_body(text, len, &lines, body);

	while (body_len > 0 && body[body_len - 1] == '=')
		body_len--;

	const struct key key = read_key(finder, body, body_len);

	SB_ARRAY_FOREACH (&lines, line) {
		if (line->at == 0 || is_public_line(line, &key))
			finder->out->n_left_out++;
		else if (line->len >= MIN_PEM_LINE)
			sb_value_add(finder, line->text, line->len, SB_VALUE_LINE);
	}
	SB_ARRAY_RELEASE(&lines);
	if (body_len >= SB_VALUE_MIN_BYTES)
		sb_value_add(finder, body, body_len, SB_VALUE_PART);
	add_binary(finder, &key);
}

size_t sb_value_read_pem(struct sb_value_finder *finder, const char *text, size_t len)
{
	const char *label = (const char *)memmem(text, len, begin, sizeof(begin) - 1);

	if (label == NULL)
		return len;
	label += sizeof(begin) - 1;

	const size_t label_at = (size_t)(label - text);
	const size_t body_at = line_end(text, len, label_at);
	const char *stop = memmem(text + body_at, len - body_at, end, sizeof(end) - 1);
	const size_t body_end = stop != NULL ? (size_t)(stop - text) : len;

	if (is_public_label(label, body_at - label_at))
		finder->out->n_left_out++;
	else
		read_body(finder, text + body_at, body_end - body_at);
	return line_end(text, len, body_end);
}
