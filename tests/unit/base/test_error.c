/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

static void message_code_and_return_value_are_set(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_false(sb_error_is_set(&err));
	assert_int_equal(sb_fail(&err, SB_E_LIMIT, "%d of '%s'", 3, "x"), -1);
	assert_true(sb_error_is_set(&err));
	assert_int_equal(err.code, SB_E_LIMIT);
	assert_string_equal(err.message, "3 of 'x'");
	assert_null(err.hint);
}

static void errno_decides_the_code(void **state)
{
	static const struct {
		int os_errno;
		enum sb_code code;
	} cases[] = {{ENOENT, SB_E_NOT_FOUND}, {ENOTDIR, SB_E_NOT_FOUND}, {EACCES, SB_E_DENIED},
		{EPERM, SB_E_DENIED}, {ENOSPC, SB_E_SYSTEM}, {EIO, SB_E_SYSTEM}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		char expected[128] = "open 'f': ";

		errno = cases[i].os_errno;
		assert_int_equal(sb_fail_errno(&err, "open '%s'", "f"), -1);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(err.os_errno, cases[i].os_errno);
		(void)strncat(expected, strerror(cases[i].os_errno), 100);
		assert_string_equal(err.message, expected);
	}
}

static void context_goes_before_the_cause(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	(void)sb_fail(&err, SB_E_INTEGRITY, "cause");
	assert_int_equal(sb_error_context(&err, "inner %d", 1), -1);
	assert_int_equal(sb_error_context(&err, "outer"), -1);
	assert_string_equal(err.message, "outer: inner 1: cause");
	assert_int_equal(err.code, SB_E_INTEGRITY);
}

static void the_hint_and_place_nearest_to_the_cause_stay(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char file[] = "Buildfile";

	(void)state;
	(void)sb_fail_at(&err, SB_E_SYNTAX,
		(struct sb_source_pos){.file = file, .line = 3, .column = 5}, "bad");
	file[0] = 'X'; /* it was copied */
	(void)sb_error_locate(&err, (struct sb_source_pos){.file = "other", .line = 9});
	assert_string_equal(err.at.file, "Buildfile");
	assert_int_equal(err.at.line, 3);
	assert_int_equal(err.at.column, 5);
	(void)sb_error_hint(&err, "do %s", "this");
	(void)sb_error_hint(&err, "do that");
	assert_string_equal(err.hint, "do this");
}

static void bytes_that_do_not_print_are_escaped(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	(void)sb_fail(&err, SB_E_NOT_FOUND, "'%s'", "a\x1b[31m\nb\xff");
	(void)sb_error_context(&err, "c\r");
	(void)sb_error_hint(&err, "h\t\x9b");
	assert_string_equal(err.message, "c\\r: 'a\\x1b[31m\\nb\\xff'");
	assert_string_equal(err.hint, "h\\t\\x9b");
}

static void a_moved_error_leaves_none_behind(void **state)
{
	SB_AUTO_ERROR from = SB_ERROR_INIT;
	SB_AUTO_ERROR to = SB_ERROR_INIT;

	(void)state;
	(void)sb_fail(&from, SB_E_AUTH, "m");
	sb_error_move(&to, &from);
	assert_false(sb_error_is_set(&from));
	assert_null(from.message);
	assert_string_equal(to.message, "m");
	sb_error_ignore(&to, "seen");
	assert_false(sb_error_is_set(&to));
}

static void release_keeps_errno(void **state)
{
	struct sb_error err = SB_ERROR_INIT;

	(void)state;
	(void)sb_fail(&err, SB_E_AUTH, "m");
	errno = EXDEV;
	sb_error_release(&err);
	sb_error_release(&err);
	assert_int_equal(errno, EXDEV);
}

static void overwrite_an_error(void)
{
	struct sb_error err = SB_ERROR_INIT;

	(void)sb_fail(&err, SB_E_AUTH, "one");
	(void)sb_fail(&err, SB_E_AUTH, "two");
}

static void context_without_an_error(void)
{
	struct sb_error err = SB_ERROR_INIT;

	(void)sb_error_context(&err, "x");
}

static void move_over_an_error(void)
{
	struct sb_error from = SB_ERROR_INIT;
	struct sb_error to = SB_ERROR_INIT;

	(void)sb_fail(&from, SB_E_AUTH, "one");
	(void)sb_fail(&to, SB_E_AUTH, "two");
	sb_error_move(&to, &from);
}

static bool aborts(void (*misuse)(void))
{
	int status = 0;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		misuse();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_swallowed_error_aborts(void **state)
{
	(void)state;
	assert_true(aborts(overwrite_an_error));
	assert_true(aborts(context_without_an_error));
	assert_true(aborts(move_over_an_error));
}

static void every_code_has_a_name(void **state)
{
	(void)state;
	for (int code = SB_OK; code <= SB_E_BUG; code++) {
		assert_non_null(sb_code_name((enum sb_code)code));
		assert_string_not_equal(sb_code_name((enum sb_code)code), "unknown");
	}
	assert_string_equal(sb_code_name((enum sb_code)(SB_E_BUG + 1)), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_code_and_return_value_are_set),
		cmocka_unit_test(errno_decides_the_code),
		cmocka_unit_test(context_goes_before_the_cause),
		cmocka_unit_test(the_hint_and_place_nearest_to_the_cause_stay),
		cmocka_unit_test(bytes_that_do_not_print_are_escaped),
		cmocka_unit_test(a_moved_error_leaves_none_behind),
		cmocka_unit_test(release_keeps_errno),
		cmocka_unit_test(a_swallowed_error_aborts),
		cmocka_unit_test(every_code_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
