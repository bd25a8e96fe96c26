/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/charset.h"
#include "leak/entropy.h"
#include "leak/judge.h"
#include "leak/pattern_text.h"
#include "leak/pattern_verify.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

enum { MAX_SCHEME = 24, MAX_USERINFO = 300, MAX_COMMAND = 600 };

static bool is_url_byte(char c)
{
	return (unsigned char)c > ' ' && (unsigned char)c < 0x7F &&
	       strchr("\"'<>`\\{}|^", c) == NULL;
}

static size_t host_length(const struct sb_pattern_view *view, size_t at)
{
	size_t n = 0;

	while (n < 255 && at + n < view->len &&
		sb_chars_have(SB_CHARS_URL64_DOT, view->text[at + n]))
		n++;
	return n;
}

/* Names that documents and tests give to hosts that are none. */
static bool is_sample_host(const char *host, size_t len)
{
	static const char *const wholes[] = {"host", "hostname", "server", "proxy", "proxyserver",
		"site", "domain", "url", "address", "foo", "bar", "xyz", "a", "b", "h", "www",
		"domain.com", "domain.tld", "host.com", "server.com", "hostname.com", "host.tld",
		"site.com", "proxy.com", "foo.com", "bar.com", "foo.bar", "foo.bar.com",
		"company.com", "my.proxy", "my.host", "somehost", "myhost", "some.host",
		"127.0.0.1", "0.0.0.0", "::1", "proxy.server", "proxy.host"};
	static const char *const parts[] = {"example", ".test", ".invalid", "python.org",
		"somewhere", "localhost", "yourhost", "your-", "acme"};

	for (size_t i = 0; i < N_OF(wholes); i++)
		if (strlen(wholes[i]) == len && strncasecmp(wholes[i], host, len) == 0)
			return true;
	for (size_t i = 0; i < N_OF(parts); i++)
		if (memmem(host, len, parts[i], strlen(parts[i])) != NULL)
			return true;
	return false;
}

/* What stands in the password's place as a name of it, in one word or with the user's. */
static bool is_sample_password(const struct sb_pattern_view *view, struct sb_pattern_span user,
	struct sb_pattern_span password)
{
	const char *p = view->text + password.at;

	return password.len < 3 || sb_text_is_placeholder(p, password.len) ||
	       (user.len == password.len && memcmp(view->text + user.at, p, user.len) == 0) ||
	       memchr(p, '*', password.len) != NULL || memchr(p, '$', password.len) != NULL ||
	       (memmem(p, password.len, "pass", 4) != NULL && sb_judge_is_plain(p, password.len));
}

static bool is_hidden(const char *password, size_t len)
{
	return memchr(password, '$', len) != NULL || memchr(password, '*', len) != NULL ||
	       (len == strlen("password") && strncasecmp(password, "password", len) == 0);
}

/* SCHEME://USER:PASSWORD@HOST; without USER in addresses of Redis. */
bool sb_verify_url(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t from = at + strlen(mark->text);
	size_t colon = 0;
	size_t end = from;

	while (end < view->len && end - from < MAX_USERINFO && is_url_byte(view->text[end]) &&
		strchr("/?#@", view->text[end]) == NULL) {
		if (view->text[end] == ':' && colon == 0)
			colon = end;
		end++;
	}
	if (end >= view->len || view->text[end] != '@' || colon == 0 || end == colon + 1)
		return false;

	const struct sb_pattern_span user = {from, colon - from};
	const struct sb_pattern_span password = {colon + 1, end - colon - 1};

	if (view->is_line) {
		if (user.len == 0 || is_hidden(view->text + password.at, password.len))
			return false;
		*out = password;
		return true;
	}

	const size_t host = host_length(view, end + 1);

	if (at < 2 || !sb_chars_have(SB_CHARS_ALNUM, view->text[at - 1]) || host == 0 ||
		is_sample_password(view, user, password))
		return false;
	/* A sample's host, and a password that says nothing else. */
	if (is_sample_host(view->text + end + 1, host) &&
		!sb_judge_is_random(view->text + password.at, password.len))
		return false;
	*out = password;
	return true;
}

/* ?password=…, &password=…, ;password=…, or USER/PASSWORD@ as Oracle has it. */
bool sb_verify_jdbc(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	static const char thin[] = "oracle:thin:";
	static const char name[] = "password=";
	size_t end = at;
	struct sb_pattern_span user = {at, 0};

	while (end < view->len && end - at < MAX_COMMAND && is_url_byte(view->text[end]))
		end++;

	const size_t body = at + strlen(mark->text);
	const char *slash = memchr(view->text + at, '/', end - at);
	const char *sign = memchr(view->text + at, '@', end - at);
	struct sb_pattern_span span = {0, 0};

	if (sb_text_has(view, body, thin) && slash != NULL && sign != NULL && slash < sign &&
		slash[-1] != ':') {
		user.at = body + strlen(thin);
		user.len = (size_t)(slash - view->text) - user.at;
		span.at = (size_t)(slash - view->text) + 1;
		span.len = (size_t)(sign - slash) - 1;
	} else {
		for (size_t i = body; i + strlen(name) < end && span.at == 0; i++)
			if (strchr("?&;", view->text[i - 1]) != NULL &&
				sb_text_has_any_case(view, i, name))
				span.at = i + strlen(name);
		while (span.at != 0 && span.at + span.len < end &&
			strchr("&;,)", view->text[span.at + span.len]) == NULL)
			span.len++;
	}
	if (span.len == 0 || is_sample_password(view, user, span))
		return false;
	*out = span;
	return true;
}

/* The argument at `at`, without its quotes. */
static struct sb_pattern_span argument_at(const struct sb_pattern_view *view, size_t at, size_t end)
{
	const char quote = at < end && (view->text[at] == '"' || view->text[at] == '\'')
				   ? view->text[at]
				   : ' ';
	struct sb_pattern_span span = {at + (quote != ' ' ? 1 : 0), 0};

	while (span.at + span.len < end && view->text[span.at + span.len] != quote)
		span.len++;
	return span;
}

/* USER:PASSWORD. */
static bool is_login(
	const struct sb_pattern_view *view, struct sb_pattern_span arg, struct sb_pattern_span *out)
{
	const char *text = view->text + arg.at;
	const char *colon = memchr(text, ':', arg.len);

	if (colon == NULL || colon == text)
		return false;

	const size_t n = (size_t)(colon - text);
	const struct sb_pattern_span user = {arg.at, n};
	const struct sb_pattern_span password = {arg.at + n + 1, arg.len - n - 1};

	for (size_t i = 0; i < arg.len; i++)
		if (!is_url_byte(text[i]) || text[i] == '[' || text[i] == ']')
			return false;
	if (is_sample_password(view, user, password) || sb_text_is_placeholder(text, n))
		return false;
	*out = password;
	return true;
}

static bool is_header(
	const struct sb_pattern_view *view, size_t at, size_t end, struct sb_pattern_span *out)
{
	static const char *const schemes[] = {"Basic ", "Bearer ", "Token ", "ApiKey "};
	static const char name[] = "Authorization:";
	size_t i = sb_text_skip_blanks(view, at + strlen(name));
	size_t n = 0;

	for (size_t k = 0; k < N_OF(schemes); k++)
		if (sb_text_has_any_case(view, i, schemes[k]))
			n = strlen(schemes[k]);
	if (n == 0)
		return false;
	i += n;
	n = 0;
	while (i + n < end && (sb_chars_have(SB_CHARS_ANY64, view->text[i + n]) ||
				      sb_char_in(view->text[i + n], ".~")))
		n++;
	if (n < 8 || (i + n < end && strchr("$<{", view->text[i + n]) != NULL) ||
		sb_text_is_placeholder(view->text + i, n) ||
		sb_entropy_of(view->text + i, n) < sb_entropy_floor(n, 16) ||
		sb_judge_is_plain(view->text + i, n))
		return false;
	*out = (struct sb_pattern_span){i, n};
	return true;
}

bool sb_verify_curl(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	static const char *const options[] = {"-u", "--user", "--proxy-user", "-U"};
	const size_t end = sb_text_line_end(view, at, MAX_COMMAND);

	if (!sb_text_begins(view, at))
		return false;
	for (size_t i = at + strlen(mark->text); i < end; i++) {
		if (sb_text_has_any_case(view, i, "Authorization:") && is_header(view, i, end, out))
			return true;
		for (size_t k = 0; view->text[i - 1] == ' ' && k < N_OF(options); k++) {
			const size_t n = strlen(options[k]);
			size_t value = i + n;

			if (!sb_text_has(view, i, options[k]) || value >= end)
				continue;
			if (view->text[value] == ' ' || view->text[value] == '=')
				value++;
			else if (options[k][1] == '-')
				continue;
			if (is_login(view, argument_at(view, value, end), out))
				return true;
		}
	}
	return false;
}
