/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "registry/challenge.h"

/* The list written out: "Scheme{a=b;c=d} Other{}". */
static char *write_out(const struct sb_challenges *list)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;

	for (size_t i = 0; i < list->len; i++) {
		sb_autofree char *params = sb_strv_join(&list->items[i].params, ";");

		sb_strv_addf(&parts, "%s{%s}", list->items[i].scheme, params);
	}
	return sb_strv_join(&parts, " ");
}

static void challenges_are_read_as_the_grammar_says(void **state)
{
	static const struct {
		const char *value;
		const char *read;
	} cases[] = {
		{"", ""}, {" , ,, ", ""}, {"Basic", "Basic{}"},
		{"Basic realm=\"x\"", "Basic{realm=x}"},
		{"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
		 "scope=\"repository:a/b:pull,push\"",
			"Bearer{realm=https://auth.docker.io/"
			"token;service=registry.docker.io;scope=repository:a/b:pull,push}"},
		{"Basic realm=\"a\", Bearer realm=\"b\", service=c",
			"Basic{realm=a} Bearer{realm=b;service=c}"},
		{"Basic, Bearer realm=b", "Basic{} Bearer{realm=b}"},
		{"Negotiate, Basic realm=a", "Negotiate{} Basic{realm=a}"},
		{"Negotiate YWJj==, Basic realm=a", "Negotiate{} Basic{realm=a}"},
		{"Bearer REALM = \"b\" , Service\t=\tc", "Bearer{realm=b;service=c}"},
		{"Bearer realm=\"a\\\"b\\\\c\"", "Bearer{realm=a\"b\\c}"},
		{"Bearer realm=\"Basic realm=x, y\"", "Bearer{realm=Basic realm=x, y}"},
		{"Bearer realm=\"\"", "Bearer{realm=}"},
		{",Bearer realm=\"a\",,service=b,", "Bearer{realm=a;service=b}"},
		{"Bearer realm=", "Bearer{}"}, /* a token68, as the grammar has it */
		{"Bearer realm=a, service", "Bearer{realm=a} service{}"}, /* and a scheme */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_challenges) list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_challenges_parse(cases[i].value, &list, &err), 0);

		sb_autofree char *read = write_out(&list);

		assert_string_equal(read, cases[i].read);
	}
}

static void hostile_challenges_are_refused_and_leave_the_list_alone(void **state)
{
	static const char *const cases[] = {
		"realm=\"x\"",
		"=",
		"\"Bearer\" realm=x",
		"Bearer realm=\"never closed",
		"Bearer realm=\"ends in a backslash\\",
		"Bearer realm=\"a\" service=\"b\"",
		"Bearer realm=\"a\"x",
		"Bearer realm=\"a\", realm=\"b\"",
		"Bearer realm=\"a\", REALM=b",
		"Bearer realm=\"a\nInjected: header\"",
		"Bearer realm=\"a\x7f\"",
		"Bearer realm=a;service=b",
		"Bearer realm=a, service=",
		"Bearer {realm=a}",
		"\x80\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_challenges) list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_challenges_parse("Basic realm=kept", &list, &err), 0);
		assert_int_equal(sb_challenges_parse(cases[i], &list, &err), -1);
		assert_int_equal(err.code, SB_E_AUTH);

		sb_autofree char *read = write_out(&list);

		assert_string_equal(read, "Basic{realm=kept}");
	}
}

static void a_scheme_is_found_without_case_and_over_several_headers(void **state)
{
	SB_AUTO_VALUE(sb_challenges) list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_challenges_parse("Basic realm=a", &list, &err), 0);
	assert_int_equal(sb_challenges_parse("bEARER realm=b", &list, &err), 0);

	const struct sb_challenge *found = sb_challenges_find(&list, "Bearer");

	assert_non_null(found);
	assert_string_equal(sb_challenge_param(found, "realm"), "b");
	assert_null(sb_challenge_param(found, "service"));
	assert_null(sb_challenges_find(&list, "Digest"));
}

/* Every cut and every changed byte of a good header: reads or fails, but never runs past its end
 * (the sanitizers see to that). */
static void no_mutation_of_a_header_breaks_the_parser(void **state)
{
	static const char good[] =
		"Negotiate YQ==, Bearer realm=\"h\\\"ttps://a/\",service=b, Basic";
	static const char bytes[] = {'"', '\\', ',', '=', ' ', '\t', '\x01', 'x', '\xff', '\0'};

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (size_t j = 0; j < sizeof(bytes); j++) {
			SB_AUTO_VALUE(sb_challenges) list = {0};
			SB_AUTO_ERROR err = SB_ERROR_INIT;
			sb_autofree char *changed = sb_strdup(good);

			changed[i] = bytes[j];

			sb_autofree char *exact = sb_strdup(changed);
			const int result = sb_challenges_parse(exact, &list, &err);

			assert_true(result == 0 ? err.code == SB_OK : list.len == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_are_read_as_the_grammar_says),
		cmocka_unit_test(hostile_challenges_are_refused_and_leave_the_list_alone),
		cmocka_unit_test(a_scheme_is_found_without_case_and_over_several_headers),
		cmocka_unit_test(no_mutation_of_a_header_breaks_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
