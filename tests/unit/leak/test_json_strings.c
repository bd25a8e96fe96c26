/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "leak/json_strings.h"

struct strings {
	char text[400]; /* "offset:string;" each */
	size_t stop_after;
	size_t n;
};

static int on_string(void *self, size_t offset, const char *bytes, size_t len, struct sb_error *err)
{
	struct strings *strings = self;
	const size_t at = strlen(strings->text);

	(void)err;
	(void)snprintf(strings->text + at, sizeof(strings->text) - at, "%zu:%.*s;", offset,
		(int)len, bytes);
	return ++strings->n == strings->stop_after ? -1 : 0;
}

static void assert_strings(const char *text, const char *expected)
{
	struct strings strings = {.stop_after = SIZE_MAX};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_json_each_escaped(text, strlen(text), on_string, &strings, &err), 0);
	assert_string_equal(strings.text, expected);
}

static void strings_with_escapes_are_undone(void **state)
{
	(void)state;
	assert_strings("{\"a\": \"plain\", \"b\": [\"\"]}", "");
	assert_strings("{\"a\": \"x\\\"y\", \"k\\\\y\": 1, \"c\": \"\\\\x41\\/\\n\"}",
		"7:x\"y;15:k\\y;31:\\x41/\n;");
	assert_strings("\"\\u0041\\u00fc\\u20AC\\ud83d\\ude00\"",
		"1:A\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80;");
	assert_strings("[\"a\\u00\", \"\\q\"]", "2:au00;11:q;");
}

static void what_is_no_json_is_no_error(void **state)
{
	(void)state;
	assert_strings("", "");
	assert_strings("\"", "");
	assert_strings("\"\\", "1:\\;");
	assert_strings("\"abc\\\"", "1:abc\";");
	assert_strings("x\"a\\tb\"\"\"\\", "2:a\tb;");
}

static void an_answer_ends_it(void **state)
{
	static const char text[] = "[\"\\\\1\", \"\\\\2\", \"\\\\3\"]";
	struct strings strings = {.stop_after = 2};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(
		sb_json_each_escaped(text, sizeof(text) - 1, on_string, &strings, &err), -1);
	assert_string_equal(strings.text, "2:\\1;9:\\2;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_with_escapes_are_undone),
		cmocka_unit_test(what_is_no_json_is_no_error),
		cmocka_unit_test(an_answer_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
