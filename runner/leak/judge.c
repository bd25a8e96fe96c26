/* SPDX-License-Identifier: MIT */
#include "leak/judge.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/charset.h"

enum {
	MIN_RANDOM_BYTES = 12,
	MIN_URL_PART_BYTES = 16,
	MAX_JUDGED_BYTES = 4096, /* of a longer one, its beginning */
	MAX_PERIOD = 4,
};

static const char *const common_values[] = {"password", "passw0rd", "password1", "password123",
	"password1234", "password12345", "changeme", "changeit", "changethis", "change-me",
	"change_me", "changeme123", "12345678", "123456789", "1234567890", "0123456789", "87654321",
	"qwertyui", "qwertyuiop", "qwerty123", "asdfghjkl", "iloveyou", "letmein1", "letmeinnow",
	"administrator", "admin123", "adminadmin", "rootroot", "testtest", "test1234", "testing123",
	"example", "example1", "sunshine", "princess", "football", "baseball", "superman",
	"trustno1", "starwars", "computer", "internet", "whatever", "welcome1", "welcome123",
	"default1", "disabled", "required", "undefined", "anonymous", "username", "postgres",
	"mysecret", "mysecretpassword", "mypassword", "secretpassword", "secret123", "topsecret",
	"supersecret", "placeholder", "redacted", "xxxxxxxx", "********", "your-password",
	"your_password", "yourpassword", "foobarbaz", "localhost", "mongodb1", "rabbitmq",
	"elastic1", "minioadmin", "pass", "test", "admin", "root", "user", "guest", "1234", "12345",
	"123456", "1234567", "qwerty", "secret", "token", "none", "null", "true", "false", "login",
	"letmein", "welcome", "default", "abc123", "monkey", "dragon", "master", "access",
	"postgre", "oracle", "mysql", "redis", "docker", "toor", "demo", "foobar", "hello"};
enum { N_COMMON = sizeof(common_values) / sizeof(common_values[0]) };

/* Random text falls below a floor once in a thousand or less; words of that length do so most of
 * the time. In hundredths of a bit a character, for letters and digits. */
static const struct {
	size_t len;
	unsigned floor;
} floors[] = {{64, 440}, {40, 405}, {32, 385}, {24, 355}, {20, 335}, {16, 310}, {0, 285}};
enum { N_FLOORS = sizeof(floors) / sizeof(floors[0]), HEX_FLOOR = 255 };

bool sb_judge_is_common(const char *text, size_t len)
{
	for (size_t i = 0; i < N_COMMON; i++)
		if (strlen(common_values[i]) == len &&
			strncasecmp(common_values[i], text, len) == 0)
			return true;
	return false;
}

static bool has_period(const char *text, size_t len, size_t period)
{
	return memcmp(text, text + period, len - period) == 0;
}

static bool is_run(const char *text, size_t len, int step)
{
	for (size_t i = 1; i < len; i++)
		if (text[i] - text[i - 1] != step)
			return false;
	return true;
}

bool sb_judge_is_monotone(const char *text, size_t len)
{
	if (len < 2)
		return true;
	for (size_t period = 1; period <= MAX_PERIOD && period * 2 <= len; period++)
		if (has_period(text, len, period))
			return true;
	return is_run(text, len, 1) || is_run(text, len, -1);
}

/* log2(n) * 256, by the leading bit and a parabola through the rest; exact enough for floors. */
static uint32_t log2_256(uint32_t n)
{
	const uint32_t whole = 31 - (uint32_t)__builtin_clz(n);
	const uint32_t part = (uint32_t)(((uint64_t)n << 16 >> whole) - (1 << 16)); /* 0 to 65535 */

	return whole * 256 + (part >> 8) + (uint32_t)((uint64_t)part * (65536 - part) * 88 >> 32);
}

/* Hundredths of a bit a character (Shannon). */
static unsigned entropy(const char *text, size_t len)
{
	uint32_t counts[256] = {0};
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		counts[(unsigned char)text[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (counts[i] > 0)
			sum += (uint64_t)counts[i] * log2_256(counts[i]);

	const uint64_t most = log2_256((uint32_t)len);

	return (unsigned)((most - sum / len) * 100 / 256);
}

enum kind { LOWER, UPPER, DIGIT, MARK };

static enum kind kind_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return LOWER;
	if (c >= 'A' && c <= 'Z')
		return UPPER;
	return c >= '0' && c <= '9' ? DIGIT : MARK;
}

/* How often the kind changes within words. From a capital to a small letter is none: that is how
 * words begin. */
static size_t count_changes(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 1; i < len; i++) {
		const enum kind a = kind_of(text[i - 1]);
		const enum kind b = kind_of(text[i]);

		n += a != b && a != MARK && b != MARK && !(a == UPPER && b == LOWER);
	}
	return n;
}

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!sb_char_in(text[i], "0123456789abcdefABCDEF"))
			return false;
	return true;
}

bool sb_judge_is_random(const char *text, size_t len)
{
	unsigned floor = HEX_FLOOR;

	if (len > MAX_JUDGED_BYTES)
		len = MAX_JUDGED_BYTES;
	if (len < MIN_RANDOM_BYTES || count_changes(text, len) * 6 < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == ' ' || text[i] == '\t' || text[i] == '\n')
			return false;
	if (!is_hex(text, len)) {
		size_t i = 0;

		while (i < N_FLOORS - 1 && len < floors[i].len)
			i++;
		floor = floors[i].floor;
	}
	return entropy(text, len) >= floor;
}

bool sb_judge_is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (kind_of(text[i]) == MARK && !sb_char_in(text[i], "_.:/@~-"))
			return false;
	return count_changes(text, len) * 6 < len;
}

/* Without regard to case, and to - _ . and blanks in the name. `end` has none of them. */
static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t left = strlen(end);

	while (left > 0 && len > 0) {
		const char c = name[--len];

		if (c == '-' || c == '_' || c == '.' || c == ' ')
			continue;
		if ((c | 0x20) != end[--left])
			return false;
	}
	return left == 0;
}

bool sb_judge_is_secret_name(const char *name, size_t len)
{
	static const char *const ends[] = {"password", "passwd", "pass", "passphrase", "pwd", "pw",
		"secret", "secrets", "token", "apikey", "secretkey", "accesskey", "privatekey",
		"signingkey", "encryptionkey", "masterkey", "accountkey", "licensekey", "authkey",
		"auth", "keydata", "credential", "credentials", "cookie", "session", "salt",
		"mnemonic", "seed", "bearer", "jwt", "authorization"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(name, len, ends[i]))
			return true;
	return false;
}

bool sb_judge_is_url(
	const char *text, size_t len, const char **out_password, size_t *out_password_len)
{
	const char *mark = memmem(text, len, "://", 3);

	*out_password = NULL;
	*out_password_len = 0;
	if (mark == NULL || mark == text)
		return false;
	for (const char *p = text; p < mark; p++)
		if (kind_of(*p) == MARK && !sb_char_in(*p, "+-."))
			return false;

	const char *host = mark + 3;
	const size_t left = (size_t)(text + len - host);
	const char *slash = memchr(host, '/', left);
	const size_t authority_len = slash != NULL ? (size_t)(slash - host) : left;
	const char *at = memrchr(host, '@', authority_len);

	if (at == NULL)
		return true;

	const char *colon = memchr(host, ':', (size_t)(at - host));

	*out_password = colon != NULL ? colon + 1 : host;
	*out_password_len = (size_t)(at - *out_password);
	return true;
}

/* A path or query of an address that no one would guess is a secret itself: of a web hook, or
 * signed. */
static bool has_random_part(const char *text, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && !sb_char_in(text[i], "/?&=;#"))
			continue;
		if (i - start >= MIN_URL_PART_BYTES && sb_judge_is_random(text + start, i - start))
			return true;
		start = i + 1;
	}
	return false;
}

static bool is_reference(const char *value, size_t len)
{
	return len > 2 && (memcmp(value, "${", 2) == 0 || memcmp(value, "$(", 2) == 0 ||
				  memcmp(value, "{{", 2) == 0);
}

bool sb_judge_is_secret_value(const char *name, size_t name_len, const char *value, size_t len)
{
	const char *password = NULL;
	size_t password_len = 0;

	if (sb_judge_is_common(value, len) || sb_judge_is_monotone(value, len) ||
		is_reference(value, len))
		return false;
	if (sb_judge_is_url(value, len, &password, &password_len))
		return password != NULL || has_random_part(value, len);
	if (sb_judge_is_random(value, len))
		return true;
	if (!sb_judge_is_secret_name(name, name_len))
		return false;
	/* A file that holds it. */
	return !(value[0] == '/' && memchr(value + 1, '/', len - 1) != NULL &&
		 sb_judge_is_plain(value, len));
}
