/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/charset.h"
#include "leak/entropy.h"
#include "leak/pattern_text.h"
#include "leak/pattern_verify.h"

/* A line of a key is longer than any word, and a key than one sample line cut short. */
enum { MIN_LINE = 40, MIN_BODY = 64, MAX_LABEL = 32, MAX_HEADERS = 6, MAX_HEADER_LINE = 200 };

/* Past what stands between a key's lines: in texts of programs also quotes and escapes. */
static size_t skip_between(const struct sb_pattern_view *view, size_t at)
{
	while (at < view->len && sb_char_in(view->text[at], " \t\r\n\"',\\")) {
		const bool is_escape = view->text[at] == '\\' && at + 1 < view->len &&
				       sb_char_in(view->text[at + 1], "nrt");

		at += is_escape ? 2 : 1;
	}
	return at;
}

/* Past "Proc-Type: 4,ENCRYPTED" and the like. */
static size_t skip_headers(const struct sb_pattern_view *view, size_t at)
{
	for (int i = 0; i < MAX_HEADERS; i++) {
		at = skip_between(view, at);

		const size_t name = sb_chars_count(SB_CHARS_ALNUM_DASH, view, at, MAX_LABEL);
		const size_t left =
			view->len - at < MAX_HEADER_LINE ? view->len - at : MAX_HEADER_LINE;

		if (name == 0 || !sb_text_has(view, at + name, ": "))
			break;

		const char *end = memchr(view->text + at, '\n', left);
		const char *escaped = memmem(view->text + at, left, "\\n", 2);

		if (end == NULL || (escaped != NULL && escaped < end))
			end = escaped;
		if (end == NULL)
			break;
		at = (size_t)(end - view->text);
	}
	return skip_between(view, at);
}

/* Where the base64 that begins at `at` ends, or 0 where it is too little for a key. */
static size_t body_end(const struct sb_pattern_view *view, size_t at)
{
	const size_t first = sb_chars_count(SB_CHARS_BASE64, view, at, view->len - at);
	size_t total = 0;

	if (first < MIN_LINE ||
		!sb_entropy_is_random(view->text + at, first < 256 ? first : 256, 10))
		return 0;
	for (;;) {
		const size_t n = sb_chars_count(SB_CHARS_BASE64, view, at, view->len - at);
		const size_t next = skip_between(view, at + n);

		total += n;
		if (n == 0 || next == at + n)
			return total < MIN_BODY ? 0 : at + n;
		at = next;
	}
}

bool sb_verify_pem(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	static const char begin[] = "-----BEGIN ";
	const size_t begin_len = strlen(begin);
	size_t label = at;
	size_t behind = at + strlen(mark->text);

	while (label > 0 && at - label < MAX_LABEL &&
		(view->text[label - 1] == ' ' ||
			sb_chars_have(SB_CHARS_UPPER, view->text[label - 1])))
		label--;
	/* The label's beginning is the last part of the mark's. */
	label = label + strlen("BEGIN ");
	if (label < begin_len || label > at || !sb_text_has(view, label - begin_len, begin))
		return false;

	const size_t from = label - begin_len;

	if (view->is_line) {
		*out = (struct sb_pattern_span){from, view->len - from};
		return true;
	}
	if (sb_text_has(view, behind, " BLOCK"))
		behind += strlen(" BLOCK");
	if (!sb_text_has(view, behind, "-----"))
		return false;

	const size_t end = body_end(view, skip_headers(view, behind + 5));

	if (end == 0)
		return false;
	*out = (struct sb_pattern_span){from, end - from};
	return true;
}

bool sb_verify_gcp(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	static const struct sb_pattern_mark pem = {.text = "PRIVATE KEY"};
	const size_t from = at + strlen(mark->text);
	const size_t left = from < view->len ? view->len - from : 0;
	const char *key =
		memmem(view->text + from, left < 64 ? left : 64, pem.text, strlen(pem.text));

	return key != NULL && sb_verify_pem(view, &pem, (size_t)(key - view->text), out);
}

bool sb_verify_putty(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	static const char lines[] = "Private-Lines: ";
	const size_t left = view->len - at < 8192 ? view->len - at : 8192;
	const char *body = memmem(view->text + at, left, lines, strlen(lines));
	const size_t version = at + strlen(mark->text);

	if (body == NULL || version + 1 >= view->len || view->text[version + 1] != ':')
		return false;

	size_t end = sb_text_line_end(view, (size_t)(body - view->text), MAX_HEADER_LINE);
	const size_t from = skip_between(view, end);
	const size_t n = sb_chars_count(SB_CHARS_BASE64, view, from, view->len - from);

	if (n < MIN_LINE || !sb_entropy_is_random(view->text + from, n, 16))
		return false;
	end = from + n;
	*out = (struct sb_pattern_span){at, end - at};
	return true;
}

static bool begins_with(const struct sb_pattern_view *view, const char *bytes, size_t len)
{
	return view->len >= len && memcmp(view->text, bytes, len) == 0;
}

/* A DER sequence of long form, its content at 4. */
static bool is_sequence(const struct sb_pattern_view *view)
{
	return view->len > 32 && begins_with(view, "\x30\x82", 2);
}

/*
 * PKCS #12 (RFC 7292): version 3, then an object of PKCS #7. Java's store: entries with tag 1 are
 * keys, those with tag 2 certificates, which are public. KeePass's two signatures.
 */
bool sb_verify_key_store(const struct sb_pattern_view *view, struct sb_pattern_span *out)
{
	const bool is_pkcs12 =
		is_sequence(view) && memcmp(view->text + 4, "\x02\x01\x03\x30", 4) == 0;
	const bool is_java = view->len > 16 &&
			     (begins_with(view, "\xFE\xED\xFE\xED", 4) ||
				     begins_with(view, "\xCE\xCE\xCE\xCE", 4)) &&
			     memcmp(view->text + 12, "\0\0\0\1", 4) == 0;
	const bool is_keepass = view->len > 16 && begins_with(view, "\x03\xD9\xA2\x9A", 4);

	*out = (struct sb_pattern_span){0, view->len};
	return is_pkcs12 || is_java || is_keepass;
}

/* A key begins with its version, where a certificate or public key has a sequence. */
bool sb_verify_der_key(const struct sb_pattern_view *view, struct sb_pattern_span *out)
{
	const bool is_rsa = is_sequence(view) && memcmp(view->text + 4, "\x02\x01\0", 3) == 0;
	const bool is_short = view->len > 32 && view->text[0] == '\x30' &&
			      (memcmp(view->text + 2, "\x02\x01\x01\x04", 4) == 0 ||
				      memcmp(view->text + 2, "\x02\x01\0\x30", 4) == 0 ||
				      memcmp(view->text + 3, "\x02\x01\0\x30", 4) == 0);

	*out = (struct sb_pattern_span){0, view->len};
	return is_rsa || is_short;
}
