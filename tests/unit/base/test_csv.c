/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/csv.h"

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
		{"a=1,\"b=2,3\",c", "a=1|b=2,3|c"},
		{"\"say \"\"hi\"\"\"", "say \"hi\""},
		{"\"\",\"\"\"\"", "|\""},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		static const enum sb_csv_quotes both[] = {
			SB_CSV_QUOTED_FIELDS, SB_CSV_QUOTED_VALUES};

		for (size_t j = 0; j < N_OF(both); j++) {
			SB_AUTO_STRV fields = SB_STRV_INIT;

			assert_null(sb_csv_split(cases[i].text, both[j], &fields));

			sb_autofree char *got = sb_strv_join(&fields, "|");

			assert_string_equal(got, cases[i].joined);
		}
	}
}

static void values_may_be_quoted_where_that_is_asked_for(void **state)
{
	static const struct {
		const char *text;
		const char *joined;
	} cases[] = {
		{"a=1,b=\"2,3\"", "a=1|b=2,3"},
		{"a=\"\"", "a="},
		{"a=\"x=y,z\",b", "a=x=y,z|b"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_STRV fields = SB_STRV_INIT;

		assert_non_null(sb_csv_split(cases[i].text, SB_CSV_QUOTED_FIELDS, &fields));
		assert_int_equal(fields.len, 0);
		assert_null(sb_csv_split(cases[i].text, SB_CSV_QUOTED_VALUES, &fields));

		sb_autofree char *got = sb_strv_join(&fields, "|");

		assert_string_equal(got, cases[i].joined);
	}
}

static void stray_quotes_are_refused_without_repeating_the_text(void **state)
{
	static const char *const cases[] = {"a=hunter2\"", "\"hunter2", "a=\"hunter2\"x",
		"hun\"ter2\"", "a=b=\"hunter2\"", "\"", "a,\"hunter2", "\"a\"b"};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_STRV fields = SB_STRV_INIT;
		const char *wrong = sb_csv_split(cases[i], SB_CSV_QUOTED_VALUES, &fields);

		assert_non_null(wrong);
		assert_null(strstr(wrong, "hun"));
		assert_int_equal(fields.len, 0);
		assert_non_null(sb_csv_split(cases[i], SB_CSV_QUOTED_FIELDS, &fields));
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_split_and_decoded),
		cmocka_unit_test(values_may_be_quoted_where_that_is_asked_for),
		cmocka_unit_test(stray_quotes_are_refused_without_repeating_the_text),
		cmocka_unit_test(key_and_value_part_at_the_first_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
