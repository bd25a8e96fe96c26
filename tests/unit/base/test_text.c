/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/filemode.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/utf8.h"

static void only_what_prints_passes_unescaped(void **state)
{
	static const struct {
		const char *text;
		const char *shown;
	} cases[] = {
		{"", ""},
		{"plain text, 100%", "plain text, 100%"},
		{"\x1b]0;x\x07", "\\x1b]0;x\\x07"},
		{"a\nb\tc\rd", "a\\nb\\tc\\rd"},
		{"\x7f", "\\x7f"},
		{"ä€𝄞", "ä€𝄞"},
		{"\xc2\x9b", "\\xc2\\x9b"},                   /* C1: CSI on some terminals */
		{"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
		{"\xe2\x82", "\\xe2\\x82"},                   /* cut */
		{"\xe2\x82z", "\\xe2\\x82z"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"back\\slash", "back\\slash"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		sb_autofree char *shown = sb_escape_text(cases[i].text, strlen(cases[i].text));

		assert_string_equal(shown, cases[i].shown);
	}
}

static void nul_bytes_are_shown_and_the_length_counts(void **state)
{
	sb_autofree char *shown = sb_escape_text("a\0b\xe2\x82\xac", 5);

	(void)state;
	assert_string_equal(shown, "a\\x00b\\xe2\\x82");
}

static void bytes_that_are_no_utf8_are_found_and_replaced(void **state)
{
	static const struct {
		const char *text;
		const char *repaired; /* NULL: it is UTF-8 */
	} cases[] = {
		{"", NULL},
		{"a\n\x7f\x1b", NULL},
		{"ä€𝄞\xc2\x9b", NULL},
		{"\xff", "\xef\xbf\xbd"},
		{"a\xe4z", "a\xef\xbf\xbdz"},
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		const char *expected =
			cases[i].repaired != NULL ? cases[i].repaired : cases[i].text;
		sb_autofree char *repaired = sb_utf8_repaired(cases[i].text);

		assert_int_equal(sb_utf8_is_valid(cases[i].text), cases[i].repaired == NULL);
		assert_string_equal(repaired, expected);
	}
}

static void sizes_are_read_in_steps_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"0", 0}, {"64", 64}, {"64b", 64}, {"64k", 65536}, {"64KB", 65536},
		{"64KiB", 65536}, {"1.5g", 1610612736}, {"2M", 2097152}, {"1t", UINT64_C(1) << 40},
		{".5k", 512}, {"4g", UINT64_C(4) << 30}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		uint64_t bytes = 1;

		assert_int_equal(sb_size_parse(cases[i].text, &bytes, &err), 0);
		assert_true(bytes == cases[i].bytes);
	}
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const cases[] = {"", "k", "-1", "+1", " 1", "1 k", "1.2.3", "1e3",
		"0x10", "1x", "1kk", "1ki", ".", "nan", "inf", "9999999999999999999999", "8388608t",
		"1k\n"};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		uint64_t bytes = 42;

		assert_int_equal(sb_size_parse(cases[i], &bytes, &err), -1);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_true(bytes == 42);
	}
}

static void sizes_are_shown_with_three_figures(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *shown;
	} cases[] = {{0, "0 B"}, {13, "13 B"}, {999, "999 B"}, {1000, "1.00 kB"}, {1500, "1.50 kB"},
		{9994, "9.99 kB"}, {9996, "10.0 kB"}, {99940, "99.9 kB"}, {99960, "100 kB"},
		{999400, "999 kB"}, {999600, "1.00 MB"}, {14500000, "14.5 MB"},
		{UINT64_MAX, "18.4 EB"}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		sb_autofree char *shown = sb_size_format(cases[i].bytes);

		assert_string_equal(shown, cases[i].shown);
	}
}

static void numbers_are_whole_and_within_their_maximum(void **state)
{
	static const struct {
		const char *text;
		int base;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {{"0", 10, 0, true, 0}, {"65535", 10, 65535, true, 65535},
		{"65536", 10, 65535, false, 0}, {"0755", 8, 07777, true, 0755},
		{"8", 8, 07777, false, 0}, {"", 10, 9, false, 0}, {"-1", 10, UINT64_MAX, false, 0},
		{"+1", 10, 9, false, 0}, {" 1", 10, 9, false, 0}, {"1 ", 10, 9, false, 0},
		{"18446744073709551615", 10, UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", 10, UINT64_MAX, false, 0}, {"0x1", 10, 99, false, 0}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		uint64_t value = 7;

		assert_int_equal(
			sb_number_parse(cases[i].text, cases[i].base, cases[i].max, &value),
			cases[i].ok);
		assert_true(value == (cases[i].ok ? cases[i].value : 7));
	}
}

static void modes_are_shown_as_ls_shows_them(void **state)
{
	static const struct {
		char type;
		unsigned mode;
		const char *expected;
	} cases[] = {{'-', 0644, "-rw-r--r--"}, {'d', 01777, "drwxrwxrwt"},
		{'-', 06755, "-rwsr-sr-x"}, {'-', 07644, "-rwSr-Sr-T"}, {'l', 0777, "lrwxrwxrwx"},
		{'c', 0, "c---------"}};
	char text[SB_FILE_MODE_BYTES];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		sb_file_mode_text(cases[i].type, cases[i].mode, text);
		assert_string_equal(text, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_prints_passes_unescaped),
		cmocka_unit_test(nul_bytes_are_shown_and_the_length_counts),
		cmocka_unit_test(bytes_that_are_no_utf8_are_found_and_replaced),
		cmocka_unit_test(sizes_are_read_in_steps_of_1024),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(sizes_are_shown_with_three_figures),
		cmocka_unit_test(modes_are_shown_as_ls_shows_them),
		cmocka_unit_test(numbers_are_whole_and_within_their_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
