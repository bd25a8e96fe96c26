/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/retry.h"

static void retry_after_is_read_as_seconds_or_date(void **state)
{
	enum { NOV_6 = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *value;
		bool is_read;
		uint64_t ms;
	} cases[] = {
		{"0", true, 0},
		{"7", true, 7000},
		{"18446744073709551", true, 18446744073709551000u},
		{"Sun, 06 Nov 1994 08:49:37 GMT", true, 0},
		{"Sun, 06 Nov 1994 08:49:47 GMT", true, 10000},
		{"Sun, 06 Nov 1994 08:49:07 GMT", true, 0},
		{NULL, false, 0},
		{"", false, 0},
		{"-1", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1s", false, 0},
		{"1.5", false, 0},
		{"0x10", false, 0},
		{"18446744073709551616", false, 0},
		{"18446744073709551615", false, 0},
		{"soon", false, 0},
		{"Sun, 06 Xxx 1994 08:49:37 GMT", false, 0},
		{"Sun, 06 anF 1994 08:49:37 GMT", false, 0},
		{"Sun, 06 Nov 1994 08:49:37", false, 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT+1", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ms = 0;
		const bool is_read = sb_retry_after_parse(cases[i].value, NOV_6, &ms);

		if (is_read != cases[i].is_read || (is_read && ms != cases[i].ms))
			fail_msg("'%s'", cases[i].value);
	}
}

static void waiting_grows_and_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(sb_retry_delay_ms(1, false, 0, 250, 30000), 250);
	assert_int_equal(sb_retry_delay_ms(2, false, 0, 250, 30000), 500);
	assert_int_equal(sb_retry_delay_ms(5, false, 0, 250, 30000), 4000);
	assert_int_equal(sb_retry_delay_ms(1000000, false, 0, 250, 30000), 30000);
	assert_int_equal(sb_retry_delay_ms(1, true, 0, 250, 30000), 0);
	assert_int_equal(sb_retry_delay_ms(1, true, 7000, 250, 30000), 7000);
	assert_int_equal(sb_retry_delay_ms(1, true, UINT64_MAX, 250, 30000), 30000);
}

static void only_temporary_answers_are_tried_again(void **state)
{
	(void)state;
	for (long status = 100; status < 600; status++) {
		const bool expected = status == 408 || status == 429 || status == 500 ||
				      status == 502 || status == 503 || status == 504;

		assert_int_equal(sb_status_is_temporary(status), expected);
	}
}

static void a_range_must_continue_where_we_stopped(void **state)
{
	static const struct {
		const char *value;
		bool continues; /* from byte 10 of 100 */
	} cases[] = {
		{"bytes 10-99/100", true},
		{"Bytes 10-99/100", true},
		{"bytes 10-50/100", true},
		{"bytes 10-99/*", true},
		{NULL, false},
		{"", false},
		{"bytes", false},
		{"bytes */100", false},
		{"bytes 0-99/100", false},
		{"bytes 11-99/100", false},
		{"bytes 10-100/101", false},
		{"bytes 10-99/200", false},
		{"bytes 10-99/99", false},
		{"bytes 10-100/*", false},
		{"bytes 10-9/100", false},
		{"bytes 10-99/100 ", false},
		{"bytes 10-99", false},
		{"bytes -10-99/100", false},
		{"bytes 18446744073709551626-99/100", false},
		{"items 10-99/100", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (sb_content_range_continues(cases[i].value, 10, 100) != cases[i].continues)
			fail_msg("'%s'", cases[i].value);
}

static void an_uploads_state_is_read(void **state)
{
	static const struct {
		const char *value;
		bool is_read;
		uint64_t n;
	} cases[] = {
		{"0-0", true, 0},
		{"0-99", true, 100},
		{"bytes=0-99", true, 100},
		{NULL, false, 0},
		{"", false, 0},
		{"1-99", false, 0},
		{"0-", false, 0},
		{"0-99 ", false, 0},
		{"0-18446744073709551615", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t n = 0;

		assert_int_equal(sb_upload_range_parse(cases[i].value, &n), cases[i].is_read);
		assert_int_equal(n, cases[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after_is_read_as_seconds_or_date),
		cmocka_unit_test(waiting_grows_and_is_bounded),
		cmocka_unit_test(only_temporary_answers_are_tried_again),
		cmocka_unit_test(a_range_must_continue_where_we_stopped),
		cmocka_unit_test(an_uploads_state_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
