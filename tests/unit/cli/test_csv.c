/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/csv.h"
#include "cli/suggest.h"

static void assert_fields(const char *text, const char *joined)
{
	SB_AUTO_STRV fields = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_csv_split(text, &fields, &err), 0);
	sb_autofree char *got = sb_strv_join(&fields, "|");

	assert_string_equal(got, joined);
}

static void fields_are_split_and_decoded(void **state)
{
	static const struct {
		const char *text;
		const char *joined;
	} cases[] = {
		{"", ""},
		{"a", "a"},
		{"a=1,b=2", "a=1|b=2"},
		{"a=,b", "a=|b"},
		{"a,", "a|"},
		{",", "|"},
		{"a=1,b=\"2,3\"", "a=1|b=2,3"},
		{"a=1,\"b=2,3\",c", "a=1|b=2,3|c"},
		{"\"say \"\"hi\"\"\"", "say \"hi\""},
		{"a=\"\"", "a="},
		{"a=\"x=y,z\",b", "a=x=y,z|b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_fields(cases[i].text, cases[i].joined);
}

static void stray_quotes_are_refused_without_repeating_the_text(void **state)
{
	static const char *const cases[] = {"a=hunter2\"", "\"hunter2", "a=\"hunter2\"x",
		"hun\"ter2\"", "a=b=\"hunter2\"", "\"", "a,\"hunter2"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_STRV fields = SB_STRV_INIT;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_csv_split(cases[i], &fields, &err), -1);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_null(strstr(err.message, "hun"));
		assert_int_equal(fields.len, 0);
	}
}

static void key_and_value_part_at_the_first_equals(void **state)
{
	const char *value = NULL;

	(void)state;
	assert_int_equal(sb_csv_key("src=a=b", &value), 3);
	assert_string_equal(value, "a=b");
	assert_int_equal(sb_csv_key("plain", &value), 5);
	assert_null(value);
}

static void edit_distance_counts_swaps_as_one(void **state)
{
	(void)state;
	assert_int_equal(sb_edit_distance("secret", "secret"), 0);
	assert_int_equal(sb_edit_distance("secert", "secret"), 1);
	assert_int_equal(sb_edit_distance("secrets", "secret"), 1);
	assert_int_equal(sb_edit_distance("", "abc"), 3);
	assert_true(sb_edit_distance("an absurdly long word that is no option", "a") == SIZE_MAX);
}

static void far_words_are_not_suggested(void **state)
{
	struct sb_suggestion near = {.typed = "targte"};
	struct sb_suggestion far = {.typed = "xyzzy"};

	(void)state;
	sb_suggestion_consider(&near, "tag");
	sb_suggestion_consider(&near, "target");
	assert_string_equal(near.best, "target");
	sb_suggestion_consider(&far, "target");
	assert_null(far.best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_split_and_decoded),
		cmocka_unit_test(stray_quotes_are_refused_without_repeating_the_text),
		cmocka_unit_test(key_and_value_part_at_the_first_equals),
		cmocka_unit_test(edit_distance_counts_swaps_as_one),
		cmocka_unit_test(far_words_are_not_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
