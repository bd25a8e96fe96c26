/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/strv.h"

static void a_buffer_is_terminated_from_the_start(void **state)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(100);

	(void)state;
	assert_string_equal(buf.data, "");
	sb_buf_clear(&buf);
	assert_string_equal(buf.data, "");
}

static void appends_keep_nul_bytes_and_the_terminator(void **state)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(1000);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buf_add(&buf, "a\0b", 3, &err), 0);
	assert_int_equal(sb_buf_add_str(&buf, "cd", &err), 0);
	assert_int_equal(sb_buf_add_char(&buf, '!', &err), 0);
	assert_int_equal(sb_buf_addf(&buf, &err, "%03d", 7), 0);
	assert_int_equal(sb_buf_add(&buf, NULL, 0, &err), 0);
	assert_int_equal(buf.len, 9);
	assert_memory_equal(buf.data, "a\0bcd!007", 10);
}

static void an_append_past_the_maximum_changes_nothing(void **state)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(4);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buf_add_str(&buf, "abcd", &err), 0);
	assert_int_equal(sb_buf_add_char(&buf, 'e', &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	assert_string_equal(buf.data, "abcd");
	sb_error_release(&err);
	assert_int_equal(sb_buf_reserve(&buf, SIZE_MAX, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

static void a_size_that_overflows_is_a_limit_too(void **state)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SIZE_MAX);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buf_reserve(&buf, SIZE_MAX - 1, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

static void stolen_bytes_are_on_the_heap_also_when_empty(void **state)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(10);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *nothing = sb_buf_steal(&buf);

	(void)state;
	assert_string_equal(nothing, "");
	free(nothing);
	assert_int_equal(sb_buf_add_str(&buf, "xyz", &err), 0);

	char *bytes = sb_buf_steal(&buf);

	assert_string_equal(bytes, "xyz");
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.max_bytes, 10);
	free(bytes);
}

static void a_list_is_ready_for_exec_at_any_length(void **state)
{
	SB_AUTO_STRV v = SB_STRV_INIT;

	(void)state;
	assert_null(sb_strv_argv(&v)[0]);
	for (size_t i = 0; i < 100; i++) {
		sb_strv_addf(&v, "%zu", i);
		assert_null(sb_strv_argv(&v)[i + 1]);
	}
	while (v.len > 0) {
		sb_strv_remove_at(&v, v.len / 2);
		assert_null(sb_strv_argv(&v)[v.len]);
	}
	sb_strv_add(&v, "again");
	sb_strv_clear(&v);
	assert_null(sb_strv_argv(&v)[0]);
}

static void lists_sort_by_bytes_and_join(void **state)
{
	SB_AUTO_STRV v = SB_STRV_INIT;
	SB_AUTO_STRV copy = SB_STRV_INIT;

	(void)state;

	sb_autofree char *nothing = sb_strv_join(&v, ", ");

	assert_string_equal(nothing, "");
	sb_strv_sort(&v);
	sb_strv_add(&v, "b");
	sb_strv_add(&v, "\xc3\xa4");
	sb_strv_add(&v, "B");
	sb_strv_add(&v, "");
	sb_strv_sort(&v);
	sb_strv_add(&copy, "old");
	sb_strv_copy(&copy, &v);

	sb_autofree char *joined = sb_strv_join(&copy, ", ");

	assert_string_equal(joined, ", B, b, \xc3\xa4");
	assert_true(sb_strv_contains(&v, ""));
	assert_true(sb_strv_contains(&v, "B"));
	assert_false(sb_strv_contains(&v, "bb"));
	sb_strv_copy(&v, &v);
	assert_int_equal(v.len, 4);
}

static void an_environment_has_each_name_once_and_keeps_its_order(void **state)
{
	SB_AUTO_STRV env = SB_STRV_INIT;

	(void)state;
	sb_env_set(&env, "PATH", "/bin");
	sb_env_set(&env, "PAT", "x");
	sb_env_set(&env, "EMPTY", "");
	sb_env_set(&env, "PATH", "/usr/bin=1");
	assert_int_equal(env.len, 3);
	assert_string_equal(env.items[0], "PATH=/usr/bin=1");
	assert_string_equal(sb_env_get(&env, "PATH"), "/usr/bin=1");
	assert_string_equal(sb_env_get(&env, "PAT"), "x");
	assert_string_equal(sb_env_get(&env, "EMPTY"), "");
	assert_null(sb_env_get(&env, "PA"));
	assert_null(sb_env_get(&env, "PATHS"));
	sb_env_unset(&env, "PA");
	sb_env_unset(&env, "PATH");
	assert_null(sb_env_get(&env, "PATH"));
	assert_int_equal(env.len, 2);
}

static void array_items_are_zeroed_and_kept_while_it_grows(void **state)
{
	struct item {
		size_t n;
		char *p;
	};
	SB_ARRAY(struct item) items = {0};
	size_t n = 0;

	(void)state;
	SB_ARRAY_FOREACH (&items, none)
		fail_msg("%p", (void *)none);
	for (size_t i = 0; i < 1000; i++) {
		struct item *item = SB_ARRAY_ADD(&items);

		assert_null(item->p);
		assert_int_equal(item->n, 0);
		*item = (struct item){.n = i, .p = (char *)item};
	}
	SB_ARRAY_FOREACH (&items, item)
		assert_int_equal(item->n, n++);
	assert_int_equal(n, 1000);
	SB_ARRAY_RELEASE(&items);
	assert_null(items.items);
	assert_int_equal(items.len, 0);
}

static void copies_take_nul_bytes_and_null(void **state)
{
	sb_autofree char *bytes = sb_memdup0("a\0b", 3);
	sb_autofree char *nothing = sb_memdup0(NULL, 0);

	(void)state;
	assert_memory_equal(bytes, "a\0b", 4);
	assert_string_equal(nothing, "");
	assert_null(sb_strdup_or_null(NULL));
}

static void cleanups_keep_errno_and_stealing_empties(void **state)
{
	char *stolen = NULL;

	(void)state;
	errno = EXDEV;
	{
		sb_autofree char *owned = sb_strdup("x");

		stolen = SB_STEAL(owned);
		assert_null(owned);
	}
	assert_int_equal(errno, EXDEV);
	assert_string_equal(stolen, "x");
	free(stolen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_is_terminated_from_the_start),
		cmocka_unit_test(appends_keep_nul_bytes_and_the_terminator),
		cmocka_unit_test(an_append_past_the_maximum_changes_nothing),
		cmocka_unit_test(a_size_that_overflows_is_a_limit_too),
		cmocka_unit_test(stolen_bytes_are_on_the_heap_also_when_empty),
		cmocka_unit_test(a_list_is_ready_for_exec_at_any_length),
		cmocka_unit_test(lists_sort_by_bytes_and_join),
		cmocka_unit_test(an_environment_has_each_name_once_and_keeps_its_order),
		cmocka_unit_test(array_items_are_zeroed_and_kept_while_it_grows),
		cmocka_unit_test(copies_take_nul_bytes_and_null),
		cmocka_unit_test(cleanups_keep_errno_and_stealing_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
