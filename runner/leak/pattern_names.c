/* SPDX-License-Identifier: MIT */
#include "leak/pattern_names.h"

#include <string.h>
#include <strings.h>

#include "base/charset.h"
#include "leak/entropy.h"
#include "leak/judge.h"
#include "leak/pattern_text.h"
#include "leak/pattern_verify.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

enum { MAX_NAME = 128, MAX_WORDS = 16 };

/* A name's words, in small letters. */
struct words {
	char text[MAX_NAME];
	const char *items[MAX_WORDS];
	size_t len;
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* The last words of the name; digits end none. */
static void split(const char *name, size_t len, struct words *out)
{
	size_t n = 0;
	bool in_word = false;

	out->len = 0;
	if (len > 64)
		name += len - 64, len = 64;
	for (size_t i = 0; i < len; i++) {
		const char c = name[i];
		const bool is_letter = is_upper(c) || is_lower(c) || (c >= '0' && c <= '9');

		if (in_word && (!is_letter || (is_upper(c) && is_lower(name[i - 1])))) {
			out->text[n++] = '\0';
			in_word = false;
		}
		if (!is_letter)
			continue;
		if (!in_word) {
			if (out->len == MAX_WORDS)
				break;
			out->items[out->len++] = out->text + n;
			in_word = true;
		}
		out->text[n++] = is_upper(c) ? (char)(c | 0x20) : c;
	}
	out->text[n] = '\0';
}

static bool is_any(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static bool ends_with(const char *word, const char *end)
{
	const size_t len = strlen(word);
	const size_t n = strlen(end);

	return len >= n && strcmp(word + len - n, end) == 0;
}

/* Words that say in which form the secret is, not what else the variable may be. */
static bool is_form(const char *word)
{
	static const char *const forms[] = {"json", "base64", "b64", "value", "data", "string",
		"plain", "plaintext", "raw", "text", "hex", "pem", "default", "prod", "production",
		"dev", "staging", "live", "test", "old", "new", "1", "2", "3"};

	return is_any(word, forms, N_OF(forms));
}

/* The key of what? A public one's is none, and most are of maps. */
static bool is_secret_key(const char *before)
{
	static const char *const kinds[] = {"api", "ssh", "private", "secret", "access", "signing",
		"encryption", "master", "deploy", "auth", "account", "storage", "license",
		"service", "app", "application", "session", "cookie", "hmac", "aes", "jwt", "rsa",
		"tls", "ssl", "crypt", "crypto"};

	return is_any(before, kinds, N_OF(kinds));
}

bool sb_name_is_secret(const char *name, size_t len)
{
	static const char *const ends[] = {"password", "passwd", "passphrase", "passcode", "secret",
		"token", "apikey", "secretkey", "accesskey", "privatekey", "sshkey", "authkey",
		"pwd"};
	static const char *const wholes[] = {"pass", "pw", "pword", "secrets", "tokens",
		"passwords", "credential", "credentials", "creds", "cred", "dsn", "mnemonic"};
	static const char *const public_words[] = {"public", "pub", "gpg", "pgp", "hash", "sha256",
		"fingerprint", "no", "max", "min", "num", "pad", "eos", "bos", "unk", "sep",
		"disable", "enable", "use", "allow", "require"};
	struct words words;

	split(name, len, &words);
	for (size_t i = 0; i < words.len; i++)
		if (is_any(words.items[i], public_words, N_OF(public_words)))
			return false;
	while (words.len > 1 && is_form(words.items[words.len - 1]))
		words.len--;
	if (words.len == 0)
		return false;

	const char *last = words.items[words.len - 1];

	if (is_any(last, wholes, N_OF(wholes)))
		return true;
	for (size_t i = 0; i < N_OF(ends); i++)
		if (ends_with(last, ends[i]))
			return true;
	if (strcmp(last, "key") == 0 || strcmp(last, "keys") == 0)
		return words.len > 1 && is_secret_key(words.items[words.len - 2]);
	return strcmp(last, "auth") == 0 || ends_with(last, "_auth");
}

static bool is_number(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((value[i] < '0' || value[i] > '9') && value[i] != '.' && value[i] != ',')
			return false;
	return len < 12;
}

/* Capital hex is how fingerprints of keys are written. */
static bool is_fingerprint(const char *value, size_t len)
{
	bool has_upper = false;

	for (size_t i = 0; i < len; i++) {
		has_upper = has_upper || is_upper(value[i]);
		if (!is_upper(value[i]) && (value[i] < '0' || value[i] > '9') && value[i] != ' ' &&
			value[i] != ':')
			return false;
		if (is_upper(value[i]) && value[i] > 'F')
			return false;
	}
	return has_upper && len >= 40;
}

bool sb_value_can_be_secret(const char *value, size_t len)
{
	const char *password = NULL;
	size_t password_len = 0;

	if (len < 4 || sb_text_is_placeholder(value, len) || is_number(value, len) ||
		is_fingerprint(value, len) || sb_text_is_uuid(value, len))
		return false;
	/* A path, of a file that holds it, perhaps. */
	if ((value[0] == '/' || (value[0] == '.' && memchr(value, '/', len) != NULL) ||
		    value[0] == '~') &&
		!sb_judge_is_random(value, len))
		return false;
	if (sb_judge_is_url(value, len, &password, &password_len))
		return password_len >= 4 && !sb_text_is_placeholder(password, password_len);
	return true;
}

static bool is_name_byte(char c)
{
	return sb_chars_have(SB_CHARS_URL64_DOT, c);
}

/* Is the value between what ends one, and not the beginning of an expression? */
static bool ends_as_value(const struct sb_pattern_view *view, struct sb_pattern_span span)
{
	const size_t end = span.at + span.len;

	return end >= view->len || strchr("([{", view->text[end]) == NULL ||
	       view->text[end] == '\0';
}

/* How many different characters random text like this is drawn from. */
static unsigned alphabet_of(const char *value, size_t len)
{
	bool has_lower = false;
	bool has_capital = false;
	bool is_hex = true;

	for (size_t i = 0; i < len; i++) {
		has_lower = has_lower || is_lower(value[i]);
		has_capital = has_capital || is_upper(value[i]);
		is_hex = is_hex && sb_chars_have(SB_CHARS_HEX, (char)(value[i] | 0x20));
	}
	if (is_hex)
		return 16;
	return has_lower && has_capital ? 62 : 36;
}

/* Random enough, and made of what tokens and passwords are made of; words and calls are not. */
static bool looks_random(const char *value, size_t len)
{
	size_t n_digits = 0;
	size_t n_marks = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = value[i];

		if (c <= ' ' || c == 0x7F || sb_char_in(c, "()[]{}<>;,\"'`|\\*"))
			return false;
		n_digits += c >= '0' && c <= '9';
		n_marks += !sb_chars_have(SB_CHARS_ALNUM, c);
	}
	return n_digits > 0 && n_digits < len && n_marks * 4 <= len &&
	       sb_judge_is_random(value, len) &&
	       sb_entropy_is_random(value, len, alphabet_of(value, len));
}

bool sb_verify_named(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	enum { MAX_VALUE = 150, MIN_VALUE = 10 };
	size_t from = at;
	size_t end = at + strlen(mark->text);
	struct sb_pattern_span span;

	while (from > 0 && at - from < 64 && is_name_byte(view->text[from - 1]))
		from--;
	while (end < view->len && end - at < 64 && is_name_byte(view->text[end]))
		end++;
	if (!sb_text_assigned(view, end, MAX_VALUE, &span) || span.len < MIN_VALUE)
		return false;

	const char *value = view->text + span.at;

	if (!ends_as_value(view, span) || !sb_name_is_secret(view->text + from, end - from) ||
		!sb_value_can_be_secret(value, span.len) || !looks_random(value, span.len))
		return false;
	*out = span;
	return true;
}
