/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/secret_option.h"

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void forms_of_docker_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *id;
		const char *src;
		const char *env;
	} cases[] = {
		{"id=a", "a", "-", "-"},
		{"id=a,src=f", "a", "f", "-"},
		{"id=a,source=f", "a", "f", "-"},
		{"src=/dev/fd/3,id=a", "a", "/dev/fd/3", "-"},
		{"id=a,env=V", "a", "-", "V"},
		{"id=a,type=env", "a", "-", "a"},
		{"id=a,type=env,src=V", "a", "-", "V"},
		{"id=a,type=env,env=V", "a", "-", "V"},
		{"type=file,id=a", "a", "a", "-"},
		{"id=a,type=file,src=f", "a", "f", "-"},
		{"id=a,src=\"f,1\"", "a", "f,1", "-"},
		{"id=a,src=f=1", "a", "f=1", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_secret_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_secret_option_parse(&list, cases[i].text, &err), 0);
		assert_int_equal(list.len, 1);
		assert_string_equal(list.items[0].id, cases[i].id);
		assert_string_equal(or_dash(list.items[0].src), cases[i].src);
		assert_string_equal(or_dash(list.items[0].env), cases[i].env);
		sb_secret_list_release(&list);
	}
}

static void wrong_forms_are_refused_and_nothing_of_them_is_repeated(void **state)
{
	static const char *const cases[] = {
		"",
		"hunter2",
		"src=hunter2",
		"id=hunter2,value=hunter2",
		"id=x,hunter2",
		"id=x,hunter2=hunter2",
		"id=x,src=hunter2,env=hunter2",
		"id=x,type=hunter2",
		"id=x,type=file,env=hunter2",
		"id=x,type=env,src=hunter2,env=hunter2",
		"id=hunter2,id=hunter2",
		"id=,src=hunter2",
		"id=x,src=",
		"id=x,src=\"hunter2",
		"id=hunter2,",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_secret_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_secret_option_parse(&list, cases[i], &err), -1);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_null(strstr(err.message, "hunter2"));
		assert_true(err.hint == NULL || strstr(err.hint, "hunter2") == NULL);
		assert_int_equal(list.len, 0);
		sb_secret_list_release(&list);
	}
}

static void the_same_id_twice_is_refused(void **state)
{
	struct sb_secret_list list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_secret_option_parse(&list, "id=a,src=f", &err), 0);
	assert_int_equal(sb_secret_option_parse(&list, "id=b,src=f", &err), 0);
	assert_int_equal(sb_secret_option_parse(&list, "id=a,src=g", &err), -1);
	assert_int_equal(list.len, 2);
	sb_secret_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_docker_are_read),
		cmocka_unit_test(wrong_forms_are_refused_and_nothing_of_them_is_repeated),
		cmocka_unit_test(the_same_id_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
