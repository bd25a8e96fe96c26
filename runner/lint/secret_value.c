/* SPDX-License-Identifier: MIT */
#include "lint/secret_value.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "buildfile/chars.h"
#include "leak/pattern.h"
#include "leak/pattern_text.h"

bool sb_secret_value_find(const char *text, size_t len, size_t from, struct sb_secret_value *out)
{
	struct sb_pattern_found found;

	if (!sb_pattern_find_in_text(text, len, from, &found))
		return false;
	*out = (struct sb_secret_value){found.rule->title, found.at, found.len};
	return true;
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
		if (!sb_chars_have(SB_CHARS_ANY64, text[i]))
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
