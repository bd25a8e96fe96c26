/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/charset.h"
#include "leak/entropy.h"
#include "leak/judge.h"
#include "leak/pattern_text.h"
#include "leak/pattern_verify.h"

enum { MAX_VALUE = 4096, MAX_LINE = 1024 };

static bool has_end(const char *path, const char *end)
{
	const size_t len = path != NULL ? strlen(path) : 0;
	const size_t n = strlen(end);

	return len >= n && strcasecmp(path + len - n, end) == 0;
}

/* "auth": "…" where the value is USER:PASSWORD in base64, which is what Docker writes. */
bool sb_verify_docker_auth(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span span;
	char plain[512];

	if (!sb_text_assigned(view, at + strlen(mark->text), MAX_VALUE, &span) || span.len < 8 ||
		sb_chars_count(SB_CHARS_BASE64, view, span.at, span.len) != span.len)
		return false;

	const size_t n = sb_text_unbase64(view->text + span.at, span.len, plain, sizeof(plain));
	const char *colon = memchr(plain, ':', n);
	bool is_login = colon != NULL && colon > plain && (size_t)(colon - plain) + 1 < n;

	for (size_t i = 0; is_login && i < n; i++)
		is_login = plain[i] >= ' ' && plain[i] < 0x7F;
	is_login = is_login && !sb_text_is_placeholder(colon + 1, n - (size_t)(colon + 1 - plain));
	explicit_bzero(plain, sizeof(plain));
	if (!is_login)
		return false;
	*out = span;
	return true;
}

/* //registry/:_authToken=…, and _password, _auth in an .npmrc. */
bool sb_verify_npmrc(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t start = sb_text_line_start(view, at, MAX_LINE);
	const bool is_of_host =
		sb_text_has(view, start, "//") && at > start && view->text[at - 1] == ':';
	struct sb_pattern_span span;

	if (!is_of_host && !(has_end(view->path, "npmrc") && at == start))
		return false;
	if (!sb_text_assigned(view, at + strlen(mark->text), MAX_VALUE, &span) || span.len < 8 ||
		sb_text_is_placeholder(view->text + span.at, span.len))
		return false;
	*out = span;
	return true;
}

/* The next word, on this line or the next ones. */
static struct sb_pattern_span next_word(const struct sb_pattern_view *view, size_t at)
{
	struct sb_pattern_span word;

	while (at < view->len && sb_char_in(view->text[at], " \t\r\n"))
		at++;
	word = (struct sb_pattern_span){at, 0};
	while (word.at + word.len < view->len && word.len < 256 &&
		(unsigned char)view->text[word.at + word.len] > ' ')
		word.len++;
	return word;
}

static bool is_word(
	const struct sb_pattern_view *view, struct sb_pattern_span word, const char *text)
{
	return word.len == strlen(text) && memcmp(view->text + word.at, text, word.len) == 0;
}

/* machine HOST login USER password PASSWORD, in any lines. */
/* example.org and the like, which manuals use (RFC 2606), also as troff has it: "example\\&.org".
 */
static bool is_example_host(const char *host, size_t len)
{
	static const char name[] = "example";
	const size_t n = sizeof(name) - 1;

	return len > n && memcmp(host, name, n) == 0 && (host[n] == '.' || host[n] == '\\');
}

bool sb_verify_netrc(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span words[5];
	size_t end = at + strlen(mark->text);

	if (at > 0 && (unsigned char)view->text[at - 1] > ' ' && !sb_text_begins(view, at))
		return false;
	for (size_t i = 0; i < 5; i++) {
		words[i] = next_word(view, end);
		if (words[i].at == end || words[i].len == 0)
			return false;
		end = words[i].at + words[i].len;
	}
	if (!is_word(view, words[1], "login") || !is_word(view, words[3], "password") ||
		sb_text_is_placeholder(view->text + words[2].at, words[2].len) ||
		is_example_host(view->text + words[0].at, words[0].len))
		return false;

	struct sb_pattern_span password = words[4];

	while (password.len > 0 &&
		sb_char_in(view->text[password.at + password.len - 1], "\"'`\\;,)"))
		password.len--;
	if (password.len < 4 || sb_text_is_placeholder(view->text + password.at, password.len) ||
		(!has_end(view->path, "netrc") &&
			memmem(view->text + password.at, password.len, "pass", 4) != NULL))
		return false;
	*out = password;
	return true;
}

/* HOST:PORT:DATABASE:USER:PASSWORD, the first line that is one. */
bool sb_verify_pgpass(const struct sb_pattern_view *view, struct sb_pattern_span *out)
{
	for (size_t at = 0; at < view->len;) {
		const size_t end = sb_text_line_end(view, at, view->len);
		size_t field = at;
		int n = 0;

		for (size_t i = at; i < end && n < 4; i++)
			if (view->text[i] == ':' && (i == at || view->text[i - 1] != '\\')) {
				n++;
				field = i + 1;
			}
		if (n == 4 && view->text[at] != '#' && field < end &&
			!sb_text_is_placeholder(view->text + field, end - field)) {
			*out = (struct sb_pattern_span){field, end - field};
			return true;
		}
		at = end + 1;
	}
	return false;
}

/* <add key="ClearTextPassword" value="…" />; "Password" holds what only Windows decrypts, but is
 * one where the file is NuGet's. */
bool sb_verify_nuget(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t name = at + strlen(mark->text) + 1;
	const size_t end = sb_text_line_end(view, at, MAX_LINE);
	struct sb_pattern_span span;
	size_t i = name;

	if (sb_text_has_any_case(view, name, "ClearTextPassword\""))
		i += strlen("ClearTextPassword\"");
	else if (sb_text_has_any_case(view, name, "Password\"") &&
		 has_end(view->path, "nuget.config"))
		i += strlen("Password\"");
	else
		return false;
	while (i < end && !sb_text_has_any_case(view, i, "value"))
		i++;
	if (i >= end || !sb_text_assigned(view, i + strlen("value"), MAX_LINE, &span) ||
		span.len < 8 || sb_text_is_placeholder(view->text + span.at, span.len) ||
		(view->text[span.at] == '%' && view->text[span.at + span.len - 1] == '%'))
		return false;
	*out = span;
	return true;
}

/* Where "data:" begins within 400 bytes of the kind, on both sides; 0 without. */
static size_t find_data(const struct sb_pattern_view *view, size_t at)
{
	static const char *const names[] = {
		"\ndata:", "\nstringData:", "\"data\":", "\"stringData\":"};
	enum { NEAR = 400 };
	const size_t from = at > NEAR ? at - NEAR : 0;
	const size_t to = view->len - at > NEAR ? at + NEAR : view->len;

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const char *found =
			memmem(view->text + from, to - from, names[k], strlen(names[k]));

		if (found != NULL)
			return (size_t)(found - view->text) + strlen(names[k]);
	}
	return 0;
}

/* The first value of data that is no placeholder, of ten characters or more. */
bool sb_verify_kubernetes(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t from = find_data(view, at);
	const bool is_json = mark->text[0] == '"';
	const size_t behind = at + strlen(mark->text);
	size_t i = from;

	if (from == 0 ||
		(view->path != NULL && !has_end(view->path, ".yaml") &&
			!has_end(view->path, ".yml") && !has_end(view->path, ".json")) ||
		(behind < view->len && sb_chars_have(SB_CHARS_ALNUM, view->text[behind])))
		return false;
	for (int n = 0; n < 32; n++) {
		struct sb_pattern_span span;

		while (i < view->len && sb_char_in(view->text[i], " \t\r\n{,\""))
			i++;

		const size_t name = sb_chars_count(SB_CHARS_URL64_DOT, view, i, 256);

		/* A key of the next block stands at the line's beginning. */
		if (name == 0 || (!is_json && i > 0 && view->text[i - 1] == '\n'))
			return false;
		if (sb_text_assigned(view, i + name, MAX_VALUE, &span) && span.len >= 10 &&
			!sb_text_is_placeholder(view->text + span.at, span.len)) {
			*out = span;
			return true;
		}
		i = is_json ? i + name + 1 : sb_text_line_end(view, i, MAX_VALUE);
	}
	return false;
}

/* How long the digest of each scheme is, behind the last $. */
static size_t digest_length(char scheme)
{
	switch (scheme) {
	case '1':
		return 22;
	case '2':
		return 53;
	case '6':
		return 86;
	default:
		return 43;
	}
}

/* NAME:$id$…$digest: as in shadow; locked accounts have ! or * there. */
bool sb_verify_shadow(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	size_t end = at + strlen(mark->text);
	size_t dollar = end - 1;
	const size_t start = sb_text_line_start(view, at, 256);

	if (at <= start + 1 || view->text[at - 1] != ':')
		return false;
	for (size_t i = start; i + 1 < at; i++)
		if (!sb_chars_have(SB_CHARS_URL64_DOT, view->text[i]))
			return false;
	while (end < view->len && end - at < 256 &&
		(sb_chars_have(SB_CHARS_BASE64, view->text[end]) ||
			sb_char_in(view->text[end], "$.,"))) {
		if (view->text[end] == '$')
			dollar = end;
		end++;
	}
	if (end >= view->len || view->text[end] != ':' ||
		end - dollar - 1 != digest_length(mark->text[1]) ||
		sb_text_is_sample(view->text + dollar + 1, end - dollar - 1))
		return false;
	*out = (struct sb_pattern_span){at, end - at};
	return true;
}
