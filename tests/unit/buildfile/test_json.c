/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/json.h"

static void arrays_of_strings_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *expected; /* each string followed by | */
	} rows[] = {
		{"[]", ""},
		{"[ ]", ""},
		{"[\n\t\r ]", ""},
		{"[\"\"]", "|"},
		{"[\"a\"]", "a|"},
		{"[\"a\",\"b\"]", "a|b|"},
		{" [ \"a\" , \"b\" ] ", "a|b|"},
		{"\t[\"a\"]\r\n", "a|"},
		{"[\"a b\"]", "a b|"},
		{"[\"'a'\"]", "'a'|"},
		{"[\"a#b\"]", "a#b|"},
		{"[\"[\"]", "[|"},
		{"[\"]\",\"],\"]", "]|],|"},
		{"[\"$a\",\"${b}\"]", "$a|${b}|"},
		{"[\"\\\"\"]", "\"|"},
		{"[\"\\\\\"]", "\\|"},
		{"[\"\\/\"]", "/|"},
		{"[\"\\b\\f\\n\\r\\t\"]", "\b\f\n\r\t|"},
		{"[\"\\u0041\"]", "A|"},
		{"[\"\\u00e9\\u00E9\"]", "\xC3\xA9\xC3\xA9|"},
		{"[\"\\u20ac\"]", "\xE2\x82\xAC|"},
		{"[\"\\ud83d\\ude00\"]", "\xF0\x9F\x98\x80|"},
		{"[\"\\uD83D\\uDE00\"]", "\xF0\x9F\x98\x80|"},
		{"[\"\\ud83d\"]", "\xEF\xBF\xBD|"},
		{"[\"\\ude00\"]", "\xEF\xBF\xBD|"},
		{"[\"\\ud83d\\u0041\"]", "\xEF\xBF\xBD"
					 "A|"},
		{"[\"\xC3\xA9\"]", "\xC3\xA9|"},
		{"[\"\x7F\"]", "\x7F|"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_STRV out = SB_STRV_INIT;
		const enum sb_json_form form =
			sb_json_parse_strings(rows[i].text, strlen(rows[i].text), &out);

		if (form != SB_JSON_STRINGS)
			fail_msg("'%s': %d", rows[i].text, (int)form);
		sb_strv_add(&out, "");

		sb_autofree char *joined = sb_strv_join(&out, "|");

		assert_string_equal(joined, rows[i].expected);
	}
}

static void arrays_of_other_things_are_told_from_text(void **state)
{
	static const struct {
		const char *text;
		enum sb_json_form form;
	} rows[] = {
		{"[1]", SB_JSON_NOT_STRINGS},
		{"[-1.5e+3]", SB_JSON_NOT_STRINGS},
		{"[0]", SB_JSON_NOT_STRINGS},
		{"[true]", SB_JSON_NOT_STRINGS},
		{"[false]", SB_JSON_NOT_STRINGS},
		{"[null]", SB_JSON_NOT_STRINGS},
		{"[\"a\", 1]", SB_JSON_NOT_STRINGS},
		{"[1, \"a\"]", SB_JSON_NOT_STRINGS},
		{"[[]]", SB_JSON_NOT_STRINGS},
		{"[[\"a\"]]", SB_JSON_NOT_STRINGS},
		{"[{}]", SB_JSON_NOT_STRINGS},
		{"[{\"a\": \"b\"}]", SB_JSON_NOT_STRINGS},
		{"[\"a\", {\"b\": [1, null]}]", SB_JSON_NOT_STRINGS},
		{"[\"a\\u0000\"]", SB_JSON_NUL},
		{"[\"a\", \"\\u0000b\"]", SB_JSON_NUL},
		{"", SB_JSON_NONE},
		{" ", SB_JSON_NONE},
		{"a", SB_JSON_NONE},
		{"[", SB_JSON_NONE},
		{"]", SB_JSON_NONE},
		{"[]]", SB_JSON_NONE},
		{"[[]", SB_JSON_NONE},
		{"[a]", SB_JSON_NONE},
		{"['a']", SB_JSON_NONE},
		{"[\"a]", SB_JSON_NONE},
		{"[\"a\"", SB_JSON_NONE},
		{"[\"a\",]", SB_JSON_NONE},
		{"[,\"a\"]", SB_JSON_NONE},
		{"[\"a\",,\"b\"]", SB_JSON_NONE},
		{"[\"a\" \"b\"]", SB_JSON_NONE},
		{"[\"a\"] b", SB_JSON_NONE},
		{"[\"a\"] []", SB_JSON_NONE},
		{"[\"a\"]]", SB_JSON_NONE},
		{"b [\"a\"]", SB_JSON_NONE},
		{"\"a\"", SB_JSON_NONE},
		{"{\"a\": \"b\"}", SB_JSON_NONE},
		{"null", SB_JSON_NONE},
		{"[\"\\x\"]", SB_JSON_NONE},
		{"[\"\\$a\"]", SB_JSON_NONE},
		{"[\"\\\"]", SB_JSON_NONE},
		{"[\"\\u12\"]", SB_JSON_NONE},
		{"[\"\\u12g4\"]", SB_JSON_NONE},
		{"[\"a\nb\"]", SB_JSON_NONE},
		{"[\"a\tb\"]", SB_JSON_NONE},
		{"[\"a\x01\"]", SB_JSON_NONE},
		{"[01]", SB_JSON_NONE},
		{"[1.]", SB_JSON_NONE},
		{"[.5]", SB_JSON_NONE},
		{"[+1]", SB_JSON_NONE},
		{"[tru]", SB_JSON_NONE},
		{"[True]", SB_JSON_NONE},
		{"[nullx]", SB_JSON_NONE},
		{"[ -f x ] && y", SB_JSON_NONE},
		{"[ \"$a\" = b ]", SB_JSON_NONE},
		{"[\"a\"] // c", SB_JSON_NONE},
		{"\xEF\xBB\xBF[\"a\"]", SB_JSON_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_STRV out = SB_STRV_INIT;
		const enum sb_json_form form =
			sb_json_parse_strings(rows[i].text, strlen(rows[i].text), &out);

		if (form != rows[i].form)
			fail_msg("'%s': %d", rows[i].text, (int)form);
		assert_int_equal(out.len, 0);
	}
}

static void very_deep_arrays_do_no_harm(void **state)
{
	sb_autofree char *text = sb_malloc(200001);
	SB_AUTO_STRV out = SB_STRV_INIT;

	(void)state;
	memset(text, '[', 100000);
	memset(text + 100000, ']', 100000);
	text[200000] = '\0';
	assert_int_not_equal(sb_json_parse_strings(text, 200000, &out), SB_JSON_STRINGS);
	assert_int_not_equal(sb_json_parse_strings(text, 100000, &out), SB_JSON_STRINGS);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_of_strings_are_read),
		cmocka_unit_test(arrays_of_other_things_are_told_from_text),
		cmocka_unit_test(very_deep_arrays_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
