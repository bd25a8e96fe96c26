/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base64_of.h"
#include "leak/scan.h"

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void fill(char *p, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = base64_digits[next_random(&seed) % 64];
}

static struct sb_secrets *secrets_of(const char *value, size_t len)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", value, len, &err), 0);
	return secrets;
}

/* `gap` after each `width` characters. */
static size_t wrap(const char *text, size_t len, size_t width, const char *gap, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && i % width == 0) {
			memcpy(out + n, gap, strlen(gap));
			n += strlen(gap);
		}
		out[n++] = text[i];
	}
	return n;
}

static bool find(
	struct sb_scanner *scanner, const char *text, size_t len, size_t step, struct sb_leak *leak)
{
	sb_scanner_begin(scanner);
	for (size_t i = 0; i < len; i += step)
		(void)sb_scanner_feed(scanner, text + i, len - i < step ? len - i : step, leak);
	return sb_scanner_end(scanner, leak);
}

static const size_t widths[] = {4, 5, 57, 60, 64, 70, 72, 76, 100};
static const char *const gaps[] = {
	"\n", "\r\n", "\n        ", "\\n", "\\r\\n", "\\\\n", "\",\n  \"", "\\\n", " \n# "};
enum { N_WIDTHS = sizeof(widths) / sizeof(widths[0]), N_GAPS = sizeof(gaps) / sizeof(gaps[0]) };

/* Whatever is in front of it and however it is cut, with the offset of its first character. */
static void wrapped_base64_is_found_at_any_width_gap_alignment_and_cut(void **state)
{
	static const size_t lengths[] = {12, 40, 90, 700};
	static const size_t steps[] = {1, 2, 3, 7, 61, 64, 1000, 100000};
	char value[700];
	char whole[900];
	char encoded[1300];
	char text[8192];

	(void)state;
	for (size_t trial = 0; trial < 4 * N_WIDTHS * N_GAPS * 3; trial++) {
		const size_t len = lengths[trial % 4];
		const size_t width = widths[trial / 4 % N_WIDTHS];
		const char *gap = gaps[trial / 4 / N_WIDTHS % N_GAPS];
		const size_t before = 45 + trial / 4 / N_WIDTHS / N_GAPS;

		fill(value, len, 77 + (uint32_t)len);
		fill(whole, sizeof(whole), 5);
		memcpy(whole + before, value, len);

		const size_t n_encoded = base64_of(whole, before + len + 30, encoded);
		const size_t first = (8 * before + 5) / 6;
		size_t n = (size_t)snprintf(text, sizeof(text), "  data = |");

		n += wrap(encoded, n_encoded, width, gap, text + n);
		text[n++] = '.';

		SB_AUTO(sb_secrets) secrets = secrets_of(value, len);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct sb_leak leak = {0};

			if (!find(scanner, text, n, steps[k], &leak))
				fail_msg("%zu bytes at %zu, width %zu, gap %zu, step %zu", len,
					before, width, trial / 4 / N_WIDTHS % N_GAPS, steps[k]);
			assert_string_equal(leak.form, "base64");
			assert_int_equal(leak.offset, 10 + first + first / width * strlen(gap));
		}
		/* The value is the end of what is encoded, and the stream's. */
		struct sb_leak leak = {0};
		const size_t n_short = base64_of(whole, before + len, encoded);

		n = wrap(encoded, n_short, width, gap, text);
		assert_true(find(scanner, text, n, 50, &leak));
	}
}

static void a_changed_character_is_no_find(void **state)
{
	char value[40];
	char encoded[200];
	char text[1000];

	(void)state;
	fill(value, sizeof(value), 3);

	SB_AUTO(sb_secrets) secrets = secrets_of(value, sizeof(value));
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
	const size_t n_encoded = base64_of(value, sizeof(value), encoded);

	for (size_t i = 0; i < 8 * sizeof(value) / 6; i++) {
		struct sb_leak leak;
		const char was = encoded[i];

		encoded[i] = was == 'A' ? 'B' : 'A';
		assert_false(
			find(scanner, text, wrap(encoded, n_encoded, 16, "\n", text), 33, &leak));
		encoded[i] = was;
	}
}

static void hex_in_lines_is_found(void **state)
{
	char value[70];
	char hex[140 + 1];
	char text[300];
	struct sb_leak leak;

	(void)state;
	fill(value, sizeof(value), 9);
	for (size_t i = 0; i < sizeof(value); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)value[i]);

	SB_AUTO(sb_secrets) secrets = secrets_of(value, sizeof(value));
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	assert_true(find(scanner, text, wrap(hex, 140, 60, "\n", text), 100, &leak));
	assert_string_equal(leak.form, "hex");
}

static void key_is_found_when_its_lines_have_another_width(void **state)
{
	char body[800];
	char pem[1000];
	char text[4096];
	uint32_t seed = 4;

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = base64_digits[next_random(&seed) % 64];

	size_t n = (size_t)snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n");

	n += wrap(body, sizeof(body), 64, "\n", pem + n);
	n += (size_t)snprintf(pem + n, sizeof(pem) - n, "\n-----END PRIVATE KEY-----\n");

	SB_AUTO(sb_secrets) secrets = secrets_of(pem, n);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	for (size_t k = 0; k < N_WIDTHS; k++) {
		for (size_t g = 0; g < N_GAPS; g++) {
			struct sb_leak leak = {0};
			const size_t len = wrap(body, sizeof(body), widths[k], gaps[g], text);

			assert_true(find(scanner, text, len, 61, &leak));
		}
	}
}

static void words_at_lines_ends_do_not_join(void **state)
{
	static const char text[] =
		"the hunter2xyz\nis not\nsuper-\nsecure nor is\nsuper\nsecure12\n";
	SB_AUTO(sb_secrets) secrets = secrets_of("supersecure12", 13);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
	struct sb_leak leak;

	(void)state;
	assert_false(find(scanner, text, sizeof(text) - 1, 100, &leak));
}

/* Whatever the bytes are, the joined search ends and finds nothing that is not there. */
static void its_place_is_right_among_very_many_lines(void **state)
{
	enum { LEN = 40, BEFORE = 400, AFTER = 6000 };
	char value[LEN];
	char joined[BEFORE + LEN + AFTER];
	char text[6 + 2 * sizeof(joined)];
	struct sb_leak leak;

	(void)state;
	fill(value, LEN, 8);
	SB_AUTO(sb_secrets) secrets = secrets_of(value, LEN);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	for (size_t width = 1; width < 9; width++) {
		fill(joined, sizeof(joined), 9);
		memcpy(joined + BEFORE, value, LEN);
		/* The first line has MIN_WIDTH characters at least. */
		memcpy(text, "first", 5);
		text[5] = '\n';

		const size_t len = 6 + wrap(joined, sizeof(joined), width, "\n", text + 6);

		assert_true(find(scanner, text, len, sizeof(text), &leak));
		assert_int_equal(leak.offset, 6 + BEFORE + BEFORE / width);
	}
}

/* Longer than what is gathered of the joined lines before they are searched. */
static void a_very_long_secret_is_found_in_lines(void **state)
{
	enum { LEN = 30000 };
	static const size_t steps[] = {1000, 65536, 200000};
	sb_autofree char *value = sb_malloc(LEN);
	sb_autofree char *text = sb_malloc((size_t)4 * LEN);
	struct sb_leak leak;

	(void)state;
	fill(value, LEN, 5);
	SB_AUTO(sb_secrets) secrets = secrets_of(value, LEN);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		fill(text, LEN, 6);

		const size_t len = wrap(text, LEN, 76, "\n", text + LEN);

		assert_false(find(scanner, text + LEN, len, steps[i], &leak));
		assert_true(find(scanner, text, wrap(value, LEN, 76, "\n", text), steps[i], &leak));
	}
}

static void any_bytes_are_survived(void **state)
{
	static const char letters[] = "AAAAAAAAAAbc\n\n\r\\nr \t\"',#-_=.";
	SB_AUTO(sb_secrets) secrets = secrets_of("x9Kq2mPz8LwT4", 13);
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
	uint32_t seed = 31;

	(void)state;
	for (size_t trial = 0; trial < 300; trial++) {
		char text[9000];
		struct sb_leak leak;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = letters[next_random(&seed) % (sizeof(letters) - 1)];
		assert_false(
			find(scanner, text, sizeof(text), 1 + next_random(&seed) % 3000, &leak));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapped_base64_is_found_at_any_width_gap_alignment_and_cut),
		cmocka_unit_test(a_changed_character_is_no_find),
		cmocka_unit_test(hex_in_lines_is_found),
		cmocka_unit_test(key_is_found_when_its_lines_have_another_width),
		cmocka_unit_test(words_at_lines_ends_do_not_join),
		cmocka_unit_test(its_place_is_right_among_very_many_lines),
		cmocka_unit_test(a_very_long_secret_is_found_in_lines),
		cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
