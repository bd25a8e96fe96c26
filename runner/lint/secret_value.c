/* SPDX-License-Identifier: MIT */
#include "lint/secret_value.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "buildfile/chars.h"

/* The characters that follow a mark. */
enum set { UPPER_DIGITS, ALNUM, ALNUM_UNDERSCORE, URL_BASE64, ALNUM_DASH, HEX, BASE64, BECH32 };

static bool is_in(enum set set, char c)
{
	const bool is_lower = c >= 'a' && c <= 'z';
	const bool is_upper = c >= 'A' && c <= 'Z';
	const bool is_alnum = is_lower || is_upper || sb_is_digit(c);

	switch (set) {
	case UPPER_DIGITS:
	case BECH32:
		return is_upper || sb_is_digit(c);
	case ALNUM:
		return is_alnum;
	case ALNUM_UNDERSCORE:
		return is_alnum || c == '_';
	case URL_BASE64:
		return is_alnum || c == '_' || c == '-';
	case ALNUM_DASH:
		return is_alnum || c == '-';
	case HEX:
		return sb_is_digit(c) || (c >= 'a' && c <= 'f');
	case BASE64:
		return is_alnum || c == '+' || c == '/' || c == '=';
	}
	return false;
}

/* `min` characters at least follow the mark. */
static const struct mark {
	const char *mark;
	enum set set;
	size_t min;
	const char *kind;
} marks[] = {
	{"AKIA", UPPER_DIGITS, 16, "an AWS access key id"},
	{"ASIA", UPPER_DIGITS, 16, "an AWS access key id"},
	{"ABIA", UPPER_DIGITS, 16, "an AWS access key id"},
	{"ACCA", UPPER_DIGITS, 16, "an AWS access key id"},
	{"ghp_", ALNUM, 36, "a GitHub token"},
	{"gho_", ALNUM, 36, "a GitHub token"},
	{"ghu_", ALNUM, 36, "a GitHub token"},
	{"ghs_", ALNUM, 36, "a GitHub token"},
	{"ghr_", ALNUM, 36, "a GitHub token"},
	{"github_pat_", ALNUM_UNDERSCORE, 22, "a GitHub token"},
	{"glpat-", URL_BASE64, 20, "a GitLab token"},
	{"glrt-", URL_BASE64, 20, "a GitLab runner token"},
	{"gldt-", URL_BASE64, 20, "a GitLab deploy token"},
	{"xoxb-", ALNUM_DASH, 10, "a Slack token"},
	{"xoxp-", ALNUM_DASH, 10, "a Slack token"},
	{"xoxa-", ALNUM_DASH, 10, "a Slack token"},
	{"xoxr-", ALNUM_DASH, 10, "a Slack token"},
	{"xoxs-", ALNUM_DASH, 10, "a Slack token"},
	{"xapp-", ALNUM_DASH, 10, "a Slack token"},
	{"AIza", URL_BASE64, 35, "a Google API key"},
	{"GOCSPX-", URL_BASE64, 28, "a Google client secret"},
	{"sk_live_", ALNUM, 16, "a Stripe key"},
	{"rk_live_", ALNUM, 16, "a Stripe key"},
	{"npm_", ALNUM, 36, "an npm token"},
	{"pypi-AgE", URL_BASE64, 50, "a PyPI token"},
	{"dckr_pat_", URL_BASE64, 27, "a Docker Hub token"},
	{"dop_v1_", HEX, 64, "a DigitalOcean token"},
	{"doo_v1_", HEX, 64, "a DigitalOcean token"},
	{"hvs.", URL_BASE64, 24, "a Vault token"},
	{"hf_", ALNUM, 34, "a Hugging Face token"},
	{"sk-ant-", URL_BASE64, 20, "an Anthropic key"},
	{"sk-proj-", URL_BASE64, 20, "an OpenAI key"},
	{"shpat_", HEX, 32, "a Shopify token"},
	{"AGE-SECRET-KEY-1", BECH32, 58, "an age key"},
	{"AccountKey=", BASE64, 80, "an Azure storage key"},
};

static size_t count_in(enum set set, const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_in(set, text[n]))
		n++;
	return n;
}

/* The same character all over, or what documentation shows, is no secret. */
static bool is_placeholder(const char *text, size_t len)
{
	static const char example[] = "EXAMPLE";
	bool seen[256] = {false};
	size_t distinct = 0;

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];

		distinct += seen[c] ? 0 : 1;
		seen[c] = true;
	}
	return distinct < 4 || (len >= strlen(example) && memcmp(text + len - strlen(example),
								  example, strlen(example)) == 0);
}

static bool match_mark(const char *text, size_t len, struct sb_secret_value *out)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const struct mark *m = &marks[i];
		const size_t mark_len = strlen(m->mark);

		if (text[0] != m->mark[0] || len < mark_len + m->min ||
			memcmp(text, m->mark, mark_len) != 0)
			continue;

		const size_t n = count_in(m->set, text + mark_len, len - mark_len);

		if (n < m->min || is_placeholder(text + mark_len, n))
			continue;
		*out = (struct sb_secret_value){m->kind, 0, mark_len + n};
		return true;
	}
	return false;
}

/* Three parts of base64 with points between them; the first two are JSON objects. */
static bool match_jwt(const char *text, size_t len, struct sb_secret_value *out)
{
	size_t at = 0;

	for (int part = 0; part < 3; part++) {
		const size_t n = count_in(URL_BASE64, text + at, len - at);

		if (n < 10 || (part < 2 && memcmp(text + at, "eyJ", 3) != 0))
			return false;
		at += n;
		if (part < 2 && (at >= len || text[at++] != '.'))
			return false;
	}
	*out = (struct sb_secret_value){"a JSON Web Token", 0, at};
	return true;
}

static bool match_pem(const char *text, size_t len, struct sb_secret_value *out)
{
	static const char begin[] = "-----BEGIN ";
	static const char key[] = "PRIVATE KEY";
	size_t at = strlen(begin);

	if (len < at || memcmp(text, begin, at) != 0)
		return false;
	while (at < len && ((text[at] >= 'A' && text[at] <= 'Z') || text[at] == ' '))
		at++;

	/* What follows on the line is the key, where it is all on one line. */
	if (memmem(text, at, key, strlen(key)) == NULL)
		return false;
	*out = (struct sb_secret_value){"a private key", 0, len};
	return true;
}

static bool is_url_byte(char c)
{
	return (unsigned char)c > ' ' && strchr("\"'<>`\\{}|^", c) == NULL;
}

/* SCHEME://USER:PASSWORD@HOST; `text` is at the colon. */
static bool match_url(const char *text, size_t len, struct sb_secret_value *out)
{
	size_t at = 3;
	size_t colon = 0;

	if (len < 4 || memcmp(text, "://", 3) != 0)
		return false;
	while (at < len && is_url_byte(text[at]) && strchr("/?#@", text[at]) == NULL) {
		if (text[at] == ':' && colon == 0)
			colon = at;
		at++;
	}
	if (at >= len || text[at] != '@' || colon <= 3 || at == colon + 1)
		return false;

	const char *password = text + colon + 1;
	const size_t n = at - colon - 1;

	if (memchr(password, '$', n) != NULL || memchr(password, '*', n) != NULL ||
		(n == strlen("password") && strncasecmp(password, "password", n) == 0))
		return false;
	*out = (struct sb_secret_value){"a password in a URL", colon + 1, n};
	return true;
}

bool sb_secret_value_find(const char *text, size_t len, size_t from, struct sb_secret_value *out)
{
	for (size_t i = from; i < len; i++) {
		const char c = text[i];
		const bool begins = i == 0 || !is_in(ALNUM, text[i - 1]);
		bool found = false;

		if (c == ':')
			found = match_url(text + i, len - i, out);
		else if (c == '-')
			found = match_pem(text + i, len - i, out);
		else if (begins && c == 'e')
			found = match_jwt(text + i, len - i, out);
		if (!found && begins)
			found = match_mark(text + i, len - i, out);
		if (found) {
			out->at += i;
			return true;
		}
	}
	return false;
}

enum letter { DIGIT, LOWER, UPPER, SIGN };

static enum letter letter_of(char c)
{
	if (sb_is_digit(c))
		return DIGIT;
	if (c >= 'a' && c <= 'z')
		return LOWER;
	return c >= 'A' && c <= 'Z' ? UPPER : SIGN;
}

/* Shannon's entropy in bits a character. */
static double entropy_of(const char *text, size_t len)
{
	size_t counts[256] = {0};
	double sum = 0;

	for (size_t i = 0; i < len; i++)
		counts[(unsigned char)text[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (counts[i] > 0)
			sum += (double)counts[i] * log2((double)counts[i]);
	return log2((double)len) - sum / (double)len;
}

/*
 * What the entropy of `len` characters drawn evenly from `k` is on average: short strings stay
 * below log2(k). The count of one character is binomial, its mean of c·log2(c) gives the rest.
 */
static double expected_entropy(size_t len, size_t k)
{
	const double n = (double)len;
	const double p = 1.0 / (double)k;
	double probability = pow(1 - p, n);
	double mean = 0;

	for (size_t c = 1; c <= len; c++) {
		probability *= (n - (double)c + 1) / (double)c * p / (1 - p);
		if (c > 1)
			mean += probability * (double)c * log2((double)c);
	}
	return log2(n) - (double)k * mean / n;
}

/* Words run on in one class of characters; of random text, this part of all neighbours is in two.
 */
static double changes_of(const char *text, size_t len)
{
	size_t changes = 0;

	for (size_t i = 1; i < len; i++)
		changes += letter_of(text[i]) != letter_of(text[i - 1]) ? 1 : 0;
	return (double)changes / (double)(len - 1);
}

enum { MIN_RANDOM = 20, MAX_RANDOM = 512, MIN_HEX = 32 };

static bool is_hex(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = sb_lower(text[i]);

		n += sb_is_digit(c) || (c >= 'a' && c <= 'f') || c == '-' ? 1 : 0;
	}
	return n == len;
}

bool sb_secret_value_is_random(const char *text, size_t len, bool is_named)
{
	size_t counts[4] = {0};

	if (len < MIN_RANDOM || len > MAX_RANDOM)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_in(BASE64, text[i]) && !is_in(URL_BASE64, text[i]))
			return false;
		counts[letter_of(text[i])]++;
	}
	if (is_hex(text, len))
		return is_named && len >= MIN_HEX && counts[SIGN] == 0 && counts[UPPER] == 0 &&
		       entropy_of(text, len) > expected_entropy(len, 16) - 0.45;
	if (counts[DIGIT] == 0 || counts[LOWER] + counts[UPPER] == 0 || counts[SIGN] * 6 > len)
		return false;

	const bool has_both = counts[LOWER] > 0 && counts[UPPER] > 0;

	/* One case and digits are also what versions and names of packages are made of. */
	if (!has_both)
		return len >= 24 && counts[SIGN] == 0 && counts[DIGIT] * 7 >= len &&
		       changes_of(text, len) > 0.3 &&
		       entropy_of(text, len) > expected_entropy(len, 36) - 0.45;
	return changes_of(text, len) > 0.45 &&
	       entropy_of(text, len) > expected_entropy(len, 62) - 0.45;
}

char *sb_secret_value_hide(const char *text)
{
	const size_t len = strlen(text);
	struct sb_secret_value found;
	SB_AUTO_STRV parts = SB_STRV_INIT;
	size_t at = 0;

	while (sb_secret_value_find(text, len, at, &found)) {
		sb_strv_addf(&parts, "%.*s[hidden]", (int)(found.at - at), text + at);
		at = found.at + found.len;
	}
	sb_strv_add(&parts, text + at);
	return sb_strv_join(&parts, "");
}
