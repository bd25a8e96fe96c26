/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "build/created_by.h"
#include "buildfile/healthcheck.h"

static void words_are_quoted_as_go_quotes_them(void **state)
{
	static const struct {
		const char *word;
		const char *expect;
	} rows[] = {
		{"", "[\"\"]"},
		{"a b", "[\"a b\"]"},
		{"say \"hi\"", "[\"say \\\"hi\\\"\"]"},
		{"a\\b", "[\"a\\\\b\"]"},
		{"line\nnext\ttab", "[\"line\\nnext\\ttab\"]"},
		{"\x01\x1b\x7f", "[\"\\x01\\x1b\\x7f\"]"},
		{"gr\xc3\xbc\xc3\x9f", "[\"gr\xc3\xbc\xc3\x9f\"]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_STRV words = SB_STRV_INIT;

		sb_strv_add(&words, rows[i].word);

		sb_autofree char *text = sb_created_by_quoted(&words);

		assert_string_equal(text, rows[i].expect);
	}
}

static void lists_of_none_and_of_many(void **state)
{
	SB_AUTO_STRV words = SB_STRV_INIT;
	sb_autofree char *none = sb_created_by_quoted(&words);

	(void)state;
	assert_string_equal(none, "[]");
	sb_strv_add(&words, "a");
	sb_strv_add(&words, "b c");

	sb_autofree char *quoted = sb_created_by_quoted(&words);
	sb_autofree char *plain = sb_created_by_list(&words);

	assert_string_equal(quoted, "[\"a\" \"b c\"]");
	assert_string_equal(plain, "[a b c]");
}

static void durations_read_as_they_were_written(void **state)
{
	static const char *const durations[] = {"0s", "1ns", "1.5ms", "999ms", "1s", "30s", "1.5s",
		"1m0s", "1m30s", "59m59.000000001s", "1h0m0s", "36h0m0.25s", "-1m0.5s"};

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		int64_t ns = 0;

		assert_int_equal(sb_duration_parse(durations[i], &ns, &err), 0);

		sb_autofree char *text = sb_duration_format(ns);

		assert_string_equal(text, durations[i]);
	}

	sb_autofree char *micro = sb_duration_format(1500);
	sb_autofree char *least = sb_duration_format(INT64_MIN);

	assert_string_equal(micro, "1.5\xc2\xb5s");
	assert_string_equal(least, "-2562047h47m16.854775808s");
}

static void a_healthcheck_is_told_whole(void **state)
{
	struct sb_healthcheck check = {.interval_ns = 1000000000, .retries = 3};

	(void)state;
	sb_strv_add(&check.test, "CMD-SHELL");
	sb_strv_add(&check.test, "curl -f x");

	sb_autofree char *text = sb_created_by_healthcheck(&check);

	sb_strv_release(&check.test);
	assert_string_equal(text, "{Test:[CMD-SHELL curl -f x] Interval:1s Timeout:0s "
				  "StartPeriod:0s StartInterval:0s Retries:3}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_quoted_as_go_quotes_them),
		cmocka_unit_test(lists_of_none_and_of_many),
		cmocka_unit_test(durations_read_as_they_were_written),
		cmocka_unit_test(a_healthcheck_is_told_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
