/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "leak/needles.h"
#include "leak/scan.h"

static struct sb_secrets *secrets_of(const void *value, size_t len)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", value, len, &err), 0);
	return secrets;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void fill(unsigned char *p, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(next_random(&seed) >> 11);
}

/* Plain base64 with padding; caller frees. */
static char *base64(const unsigned char *p, size_t len, const char *last_two)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char *out = sb_calloc(len / 3 + 2, 4);
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			v |= p[i + 2];
		for (size_t k = 0; k < 4; k++) {
			const uint32_t d = v >> (18 - 6 * k) & 63;

			out[n++] = i + k > len ? '=' : d < 62 ? digits[d] : last_two[d - 62];
		}
	}
	return out;
}

/* Feeds in pieces of `step` bytes; whether there was a find, and which. */
static bool feed_all(struct sb_scanner *scanner, const void *bytes, size_t len, size_t step,
	struct sb_leak *leak)
{
	const unsigned char *p = bytes;
	bool found = false;

	sb_scanner_begin(scanner);
	for (size_t i = 0; i < len; i += step) {
		const bool now =
			sb_scanner_feed(scanner, p + i, len - i < step ? len - i : step, leak);

		assert_true(now || !found);
		found = now;
	}
	return sb_scanner_end(scanner, leak);
}

static void raw_is_found_at_every_cut(void **state)
{
	static const size_t lengths[] = {8, 12, 13, 63, 64, 65, 66, 200, 1000};
	unsigned char value[1000];
	unsigned char text[1400];

	(void)state;
	fill(value, sizeof(value), 7);
	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		const size_t len = lengths[k];

		value[len - 1] = 'x'; /* not a newline */
		SB_AUTO(sb_secrets) secrets = secrets_of(value, len);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

		for (size_t at = 0; at < 200; at += 37) {
			fill(text, sizeof(text), (uint32_t)(at + 1));
			memcpy(text + at, value, len);
			for (size_t step = 1; step <= at + len + 2; step += step < 140 ? 1 : 61) {
				struct sb_leak leak = {0};

				assert_true(feed_all(scanner, text, sizeof(text), step, &leak));
				assert_int_equal(leak.offset, at);
				assert_string_equal(leak.form, "raw");
				assert_string_equal(leak.secret_id, "s");
			}
		}
	}
}

static void base64_is_found_at_every_alignment_and_cut(void **state)
{
	static const size_t lengths[] = {8, 9, 10, 20, 40, 41, 64, 100, 333};
	static const char *const alphabets[] = {"+/", "-_"};
	unsigned char text[600];

	(void)state;
	for (size_t trial = 0; trial < 9 * 3 * 2 * 4; trial++) {
		const size_t len = lengths[trial % 9];
		const size_t before = 30 + trial / 9 % 3;
		const size_t after = trial / 54 % 4;
		const char *alphabet = alphabets[trial / 27 % 2];

		fill(text, sizeof(text), (uint32_t)trial + 99);
		text[before + len - 1] |= 0x40; /* not a newline */

		SB_AUTO(sb_secrets) secrets = secrets_of(text + before, len);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
		sb_autofree char *encoded = base64(text, before + len + after, alphabet);
		const size_t encoded_len = strlen(encoded);
		const size_t core = before * 4 / 3 + (before % 3 == 0 ? 0 : 1);

		for (size_t step = 1; step <= encoded_len; step += step < 70 ? 1 : 31) {
			struct sb_leak leak = {0};

			assert_true(feed_all(scanner, encoded, encoded_len, step, &leak));
			assert_int_equal(leak.offset, core);
			assert_int_equal(strncmp(leak.form, "base64", 6), 0);
		}
	}
}

static void value_is_found_without_its_newline(void **state)
{
	SB_AUTO(sb_secrets) secrets = secrets_of("super-secure\r\n", 14);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
	struct sb_leak leak;

	(void)state;
	assert_true(sb_scanner_check(scanner, "TOKEN=super-secure", 18, &leak));
	assert_int_equal(leak.offset, 6);
	assert_true(sb_scanner_check(scanner, "super-secure\n", 13, &leak));
	assert_int_equal(leak.offset, 0);
	assert_false(sb_scanner_check(scanner, "super-secur", 11, &leak));
	assert_int_equal(sb_scanner_bytes(scanner), 18 + 13 + 11);
}

static void streams_do_not_join(void **state)
{
	SB_AUTO(sb_secrets) secrets = secrets_of("super-secure", 12);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
	struct sb_leak leak;

	(void)state;
	assert_false(sb_scanner_check(scanner, "super-", 6, &leak));
	assert_false(sb_scanner_check(scanner, "secure", 6, &leak));
	sb_scanner_begin(scanner);
	assert_false(sb_scanner_feed(scanner, "super-", 6, &leak));
	assert_true(sb_scanner_feed(scanner, "secure", 6, &leak));
	assert_true(sb_scanner_feed(scanner, "and more", 8, &leak));
	assert_int_equal(leak.offset, 0);
}

static void short_secret_counts_as_whole_token_only(void **state)
{
	static const struct {
		const char *text;
		bool is_found;
		uint64_t offset;
	} cases[] = {
		{"hunt2", true, 0},
		{"pw=hunt2", true, 3},
		{"pw=hunt2\n", true, 3},
		{"pw='hunt2' hunt2", true, 4},
		{"xhunt2", false, 0},
		{"hunt22", false, 0},
		{"hunt2x hunt2", true, 7},
		{"9hunt2 ", false, 0},
		{"hunt", false, 0},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hunt2",
			true, 71},
	};
	SB_AUTO(sb_secrets) secrets = secrets_of("hunt2\n", 6);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len = strlen(cases[i].text);

		for (size_t step = 1; step <= len; step++) {
			struct sb_leak leak = {0};

			assert_int_equal(feed_all(scanner, cases[i].text, len, step, &leak),
				cases[i].is_found);
			if (cases[i].is_found)
				assert_int_equal(leak.offset, cases[i].offset);
		}
	}
}

static void too_short_and_empty_secrets_match_nothing(void **state)
{
	SB_AUTO(sb_secrets) secrets = secrets_of("", 0);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_leak leak;

	(void)state;
	assert_int_equal(sb_secrets_add_bytes(secrets, "t", "abc", 3, &err), 0);

	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	assert_false(sb_scanner_is_active(scanner));
	assert_false(sb_scanner_check(scanner, "abc", 3, &leak));
	assert_false(sb_scanner_check(scanner, "", 0, &leak));
}

static void first_of_several_is_the_one_that_ends_first(void **state)
{
	SB_AUTO(sb_secrets) secrets = secrets_of("hunt2", 5);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const char *text = "..long-secret-value-number-one long-secret hunt2.";

	(void)state;
	assert_int_equal(
		sb_secrets_add_bytes(secrets, "outer", "long-secret-value-number-one", 28, &err),
		0);
	assert_int_equal(sb_secrets_add_bytes(secrets, "inner", "secret-value", 12, &err), 0);

	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	for (size_t step = 1; step <= strlen(text); step++) {
		struct sb_leak leak = {0};

		assert_true(feed_all(scanner, text, strlen(text), step, &leak));
		assert_string_equal(leak.secret_id, "inner");
		assert_int_equal(leak.offset, 7);
	}
}

/* A periodic value against a periodic text that never holds it: neither missed nor quadratic. */
static void long_periodic_secret_is_linear_and_exact(void **state)
{
	enum { LEN = 200000, TEXT = 8 << 20 };
	sb_autofree char *value = sb_malloc(LEN);
	sb_autofree char *text = sb_malloc(TEXT);
	struct sb_leak leak;

	(void)state;
	memset(value, 'a', LEN);
	value[LEN - 1] = 'b';
	memset(text, 'a', TEXT);

	SB_AUTO(sb_secrets) secrets = secrets_of(value, LEN);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	assert_false(feed_all(scanner, text, TEXT, 4096, &leak));
	text[TEXT - 2] = 'b';
	assert_true(feed_all(scanner, text, TEXT, 4095, &leak));
	assert_int_equal(leak.offset, TEXT - 1 - LEN);
	text[100000] = 'c';
	assert_true(feed_all(scanner, text, TEXT, TEXT, &leak));
	assert_int_equal(leak.offset, TEXT - 1 - LEN);
}

static void false_start_of_a_long_secret_hides_no_true_one(void **state)
{
	char value[150];
	char text[400];

	(void)state;
	/* "xyxy…xyz…": its beginning occurs in itself, shifted by two. */
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = i < 80 ? (i % 2 ? 'y' : 'x') : (char)('a' + i % 20);
	for (size_t extra = 0; extra < 40; extra += 2) {
		SB_AUTO(sb_secrets) secrets = secrets_of(value, sizeof(value));
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

		memset(text, '.', sizeof(text));
		for (size_t i = 0; i < extra; i++)
			text[50 + i] = i % 2 ? 'y' : 'x';
		memcpy(text + 50 + extra, value, sizeof(value));
		for (size_t step = 1; step < sizeof(text); step += 13) {
			struct sb_leak leak = {0};

			assert_true(feed_all(scanner, text, sizeof(text), step, &leak));
			assert_int_equal(leak.offset, 50 + extra);
		}
	}
}

static void nothing_is_found_in_random_bytes(void **state)
{
	enum { LEN = 16 << 20 };
	sb_autofree unsigned char *text = sb_malloc(LEN);
	struct sb_leak leak;

	(void)state;
	fill(text, LEN, 424242);

	SB_AUTO(sb_secrets) secrets = secrets_of("hunter2x", 8);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "b", "0123456789abcdef0123", 20, &err), 0);

	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	assert_false(feed_all(scanner, text, LEN, 65536, &leak));
}

static void largest_secret_is_found(void **state)
{
	sb_autofree unsigned char *value = sb_malloc(SB_MAX_SECRET);
	sb_autofree unsigned char *text = sb_calloc(1, SB_MAX_SECRET + 777);
	struct sb_leak leak;

	(void)state;
	fill(value, SB_MAX_SECRET, 5);
	value[SB_MAX_SECRET - 1] = 'e';
	memcpy(text + 777, value, SB_MAX_SECRET);

	SB_AUTO(sb_secrets) secrets = secrets_of(value, SB_MAX_SECRET);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	assert_true(feed_all(scanner, text, SB_MAX_SECRET + 777, 30011, &leak));
	assert_int_equal(leak.offset, 777);
	text[SB_MAX_SECRET + 776] = 0x15; /* another in bits that base64's core holds */
	assert_false(feed_all(scanner, text, SB_MAX_SECRET + 777, 30011, &leak));

	sb_autofree char *encoded = base64(text, SB_MAX_SECRET + 777, "+/");

	assert_false(feed_all(scanner, encoded, strlen(encoded), 30011, &leak));
	text[SB_MAX_SECRET + 776] = 'e';
	sb_autofree char *again = base64(text, SB_MAX_SECRET + 777, "-_");

	assert_true(feed_all(scanner, again, strlen(again), 30011, &leak));
	assert_int_equal(leak.offset, 777 / 3 * 4);
	assert_string_equal(leak.form, "base64url");
}

static void form_names_are_those_that_are_searched(void **state)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	(void)state;
	sb_needle_form_names(&names);
	assert_true(sb_strv_contains(&names, "raw"));
	assert_true(sb_strv_contains(&names, "line"));
	assert_true(sb_strv_contains(&names, "base64"));
	assert_true(sb_strv_contains(&names, "utf-16"));
	assert_int_equal(names.len, 12);
}

static bool is_word(const char *text, size_t len, size_t i)
{
	const char c = i < len ? text[i] : '.';

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The smallest end of any needle in the text, or 0. */
static size_t naive_search(const struct sb_needles *needles, const char *text, size_t len)
{
	for (size_t end = 1; end <= len; end++) {
		for (size_t i = 0; i < sb_needles_count(needles); i++) {
			const struct sb_needle *needle = sb_needles_at(needles, i);
			const size_t start = end - needle->len;

			if (needle->len > end ||
				memcmp(text + start, needle->bytes, needle->len) != 0)
				continue;
			if (!needle->is_whole_token ||
				((start == 0 || !is_word(text, len, start - 1) ||
					 !is_word(text, len, start)) &&
					(!is_word(text, len, end) || !is_word(text, len, end - 1))))
				return end;
		}
	}
	return 0;
}

/* Values and texts of two letters and a dot overlap and repeat in every way. */
static void any_text_and_any_cut_agree_with_a_naive_search(void **state)
{
	static const char letters[] = "ab.";
	uint32_t seed = 12345;
	size_t n_found = 0;

	(void)state;
	for (size_t trial = 0; trial < 6000; trial++) {
		SB_AUTO(sb_secrets) secrets = sb_secrets_new();
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		char text[700];
		const size_t text_len = next_random(&seed) % sizeof(text);

		for (size_t i = 0; i < text_len; i++)
			text[i] = letters[next_random(&seed) % (trial % 2 ? 2 : 3)];
		for (size_t k = 0; k < 1 + trial % 3; k++) {
			const char id[] = {(char)('0' + k), '\0'};
			char value[200];
			const size_t len = 4 + next_random(&seed) % (trial % 5 == 0 ? 196 : 12);

			/* Often a piece of the text with its last byte changed, or not. */
			for (size_t i = 0; i < len; i++)
				value[i] = text_len > len && trial % 4 != 0
						   ? text[text_len - len - 1 + i]
						   : letters[next_random(&seed) % 2];
			if (next_random(&seed) % 2)
				value[len - 1] = 'b';
			assert_int_equal(sb_secrets_add_bytes(secrets, id, value, len, &err), 0);
		}

		SB_AUTO(sb_needles) needles = sb_needles_new(secrets, SB_NEEDLES_SEARCH);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
		const size_t end = naive_search(needles, text, text_len);
		struct sb_leak leak = {0};
		bool found = false;

		sb_scanner_begin(scanner);
		for (size_t i = 0; i < text_len;) {
			const size_t most = trial % 7 == 0 ? 300 : 9;
			size_t step = 1 + next_random(&seed) % most;

			step = step < text_len - i ? step : text_len - i;
			found = sb_scanner_feed(scanner, text + i, step, &leak);
			i += step;
		}
		found = sb_scanner_end(scanner, &leak);
		assert_int_equal(found, end != 0);
		if (!found)
			continue;
		n_found++;

		bool ends_there = false;

		for (size_t i = 0; i < sb_needles_count(needles); i++)
			ends_there |= leak.offset + sb_needles_at(needles, i)->len == end;
		assert_true(ends_there);
	}
	assert_in_range(n_found, 1000, 5900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_is_found_at_every_cut),
		cmocka_unit_test(base64_is_found_at_every_alignment_and_cut),
		cmocka_unit_test(value_is_found_without_its_newline),
		cmocka_unit_test(streams_do_not_join),
		cmocka_unit_test(short_secret_counts_as_whole_token_only),
		cmocka_unit_test(too_short_and_empty_secrets_match_nothing),
		cmocka_unit_test(first_of_several_is_the_one_that_ends_first),
		cmocka_unit_test(long_periodic_secret_is_linear_and_exact),
		cmocka_unit_test(false_start_of_a_long_secret_hides_no_true_one),
		cmocka_unit_test(nothing_is_found_in_random_bytes),
		cmocka_unit_test(largest_secret_is_found),
		cmocka_unit_test(any_text_and_any_cut_agree_with_a_naive_search),
		cmocka_unit_test(form_names_are_those_that_are_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
