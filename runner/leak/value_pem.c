/* SPDX-License-Identifier: MIT */
#include <string.h>

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
	while (*len > 0 && memchr(" \t\r", (*text)[*len - 1], 3) != NULL)
		(*len)--;
	while (*len > 0 && memchr(" \t\r", **text, 3) != NULL) {
		(*text)++;
		(*len)--;
	}
}

/*
 * The body's lines, and all of it on one line without the padding. The first line of a body holds
 * the algorithm, and for some kinds of key nothing else: it is the same for every such key, and is
 * public by itself. Header lines ("Proc-Type: …") are no base64.
 */
static void read_body(struct sb_value_finder *finder, const char *text, size_t len)
{
	char *body = sb_secret_memory_alloc(finder->memory, len + 1);
	size_t body_len = 0;

	for (size_t at = 0; at < len;) {
		const size_t stop = line_end(text, len, at);
		const char *line = text + at;
		size_t line_len = stop - at;

		at = stop + 1;
		trim(&line, &line_len);
		if (!is_base64(line, line_len))
			continue;
		if (body_len == 0)
			finder->out->n_left_out++;
		else if (line_len >= MIN_PEM_LINE)
			sb_value_add(finder, line, line_len, SB_VALUE_LINE);
		memcpy(body + body_len, line, line_len);
		body_len += line_len;
	}
	while (body_len > 0 && body[body_len - 1] == '=')
		body_len--;
	if (body_len >= SB_VALUE_MIN_BYTES)
		sb_value_add(finder, body, body_len, SB_VALUE_PART);
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
