/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ansi.h"

static const struct {
	const char *bytes;
	const char *text;
} cases[] = {
	{"plain", "plain"},
	{"a\tb\rc\n", "a\tb\rc\n"},
	{"hun\033[01;31m\033[Kter2\033[m", "hunter2"},
	{"\033[2J\033[1;1Hgone", "gone"},
	{"\033[?25lhid", "hid"},
	{"\033]0;title\athen", "then"},
	{"\033]8;;http://x\033\\link\033]8;;\033\\", "link"},
	{"\033P1$r0m\033\\x", "x"},
	{"\033(Bascii", "ascii"},
	{"\033=keys", "keys"},
	{"\033\033[1mtwice", "twice"},
	{"\033[1\033[2mafter", "after"},
	{"\033]a\033[1mb", "b"},
	{"\033[12\nnext", "\nnext"},
	{"\033]never ended\nnext", "\nnext"},
	{"end\033", "end"},
	{"end\033[1;", "end"},
};

static void escape_sequences_are_taken_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_ansi_filter filter = SB_ANSI_FILTER_INIT;
		char out[64];
		const size_t n =
			sb_ansi_filter(&filter, cases[i].bytes, strlen(cases[i].bytes), out);

		out[n] = '\0';
		assert_string_equal(out, cases[i].text);
	}
}

static void pieces_give_the_same_as_the_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len = strlen(cases[i].bytes);

		for (size_t cut = 0; cut <= len; cut++) {
			struct sb_ansi_filter filter = SB_ANSI_FILTER_INIT;
			char out[64];
			size_t n = sb_ansi_filter(&filter, cases[i].bytes, cut, out);

			n += sb_ansi_filter(&filter, cases[i].bytes + cut, len - cut, out + n);
			out[n] = '\0';
			assert_string_equal(out, cases[i].text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_sequences_are_taken_out),
		cmocka_unit_test(pieces_give_the_same_as_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
