/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/ssh_option.h"

/* "id|path|path raw" */
static char *text_of(const struct sb_ssh_option *option)
{
	SB_AUTO_STRV words = SB_STRV_INIT;

	sb_strv_add(&words, option->id);
	for (const char *const *path = option->paths; path != NULL && *path != NULL; path++)
		sb_strv_add(&words, *path);

	sb_autofree char *joined = sb_strv_join(&words, "|");

	return sb_asprintf("%s%s", joined, option->is_raw ? " raw" : "");
}

static void forms_of_docker_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *read;
	} cases[] = {
		{"default", "default"},
		{"git", "git"},
		{"default=/a", "default|/a"},
		{"default=/a,b,./c d", "default|/a|b|./c d"},
		{"default=/a=b", "default|/a=b"},
		{"default,raw=true", "default raw"},
		{"default,raw=false", "default"},
		{"default=/s,raw=true", "default|/s raw"},
		{"default=/s,raw=true,/t", "default|/s|/t raw"},
		{"default=\"/a,b\",c", "default|/a,b|c"},
		{"\"default=/a,b\",c", "default|/a,b|c"},
		{"default=raw=true", "default|raw=true"},
		{"default=/a,./raw=true", "default|/a|./raw=true"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_ssh_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_ssh_option_parse(&list, cases[i].text, &err), 0);
		assert_int_equal(list.len, 1);

		sb_autofree char *read = text_of(&list.items[0]);

		assert_string_equal(read, cases[i].read);
		sb_ssh_list_release(&list);
	}
}

static void wrong_forms_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"", "the id is missing"},
		{"=", "the id is missing"},
		{"=/a", "the id is missing"},
		{",raw=true", "the id is missing"},
		{"default=", "a path is empty"},
		{"default=/a,", "a path is empty"},
		{"default=/a,,/b", "a path is empty"},
		{"default,/a", "a path without an id"},
		{"default,", "a path without an id"},
		{"default,raw=yes", "raw is true or false"},
		{"default=/a,raw=", "raw is true or false"},
		{"default=\"/a", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_ssh_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_ssh_option_parse(&list, cases[i].text, &err), -1);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_non_null(strstr(err.message, cases[i].message));
		assert_non_null(err.hint);
		assert_int_equal(list.len, 0);
		sb_ssh_list_release(&list);
	}
}

static void many_options_keep_their_own_paths(void **state)
{
	struct sb_ssh_list list = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *text = sb_asprintf("id%d=/a%d,/b%d", i, i, i);

		assert_int_equal(sb_ssh_option_parse(&list, text, &err), 0);
	}
	assert_int_equal(list.len, 100);
	for (int i = 0; i < 100; i++) {
		sb_autofree char *read = text_of(&list.items[i]);
		sb_autofree char *wanted = sb_asprintf("id%d|/a%d|/b%d", i, i, i);

		assert_string_equal(read, wanted);
	}
	sb_ssh_list_release(&list);
}

static void the_same_id_twice_is_refused(void **state)
{
	struct sb_ssh_list list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_ssh_option_parse(&list, "a", &err), 0);
	assert_int_equal(sb_ssh_option_parse(&list, "b=/s", &err), 0);
	assert_int_equal(sb_ssh_option_parse(&list, "a=/s", &err), -1);
	assert_int_equal(list.len, 2);
	sb_ssh_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_docker_are_read),
		cmocka_unit_test(wrong_forms_are_refused),
		cmocka_unit_test(many_options_keep_their_own_paths),
		cmocka_unit_test(the_same_id_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
