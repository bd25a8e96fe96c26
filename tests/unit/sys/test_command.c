/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sys/command.h"

static int run_shell(const char *script, struct sb_interrupt *interrupt, int dir_fd,
	struct sb_command_result *out, struct sb_error *err)
{
	SB_AUTO_STRV argv = SB_STRV_INIT;
	SB_AUTO_STRV env = SB_STRV_INIT;

	sb_strv_add(&argv, "sh");
	sb_strv_add(&argv, "-c");
	sb_strv_add(&argv, script);
	sb_strv_add(&env, "ONLY=this");
	sb_strv_add(&env, "PATH=/usr/bin:/bin");

	const struct sb_command command = {.argv = &argv,
		.env = &env,
		.dir_fd = dir_fd,
		.passed_fd = -1,
		.interrupt = interrupt};

	return sb_command_run(&command, out, err);
}

static void both_streams_and_the_status_are_given(void **state)
{
	static const struct {
		const char *script, *out, *error;
		int status;
	} cases[] = {
		{"echo out; echo err >&2", "out\n", "err", 0},
		{"printf 'a\\n\\n' >&2; exit 7", "", "a", 7},
		{"sh -c 'kill -9 $$'; exit $?", "", "Killed", 137},
		{"setsid sleep 60 & exit 4", "", "", 4},
		{"cat; echo \"$ONLY $HOME\"", "this \n", "", 0},
		{"exec >&- 2>&-; sleep 0.2; exit 3", "", "", 3},
		{"(echo x >/dev/tty) 2>/dev/null || echo none", "none\n", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_command_result) got = SB_COMMAND_RESULT_INIT;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(run_shell(cases[i].script, NULL, -1, &got, &err), 0);
		assert_string_equal(got.out.data, cases[i].out);
		assert_string_equal(got.error.data, cases[i].error);
		assert_int_equal(got.status, cases[i].status);
	}
}

static void all_output_arrives_and_of_errors_the_end(void **state)
{
	SB_AUTO_VALUE(sb_command_result) got = SB_COMMAND_RESULT_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(
		run_shell("i=0; while [ $i -lt 9000 ]; do echo 0123456789; echo abcdefghi >&2; "
			  "i=$((i+1)); done; echo last >&2",
			NULL, -1, &got, &err),
		0);
	assert_int_equal(got.out.len, 99000);
	assert_true(got.error.len <= SB_MAX_COMMAND_ERROR);
	assert_string_equal(got.error.data + got.error.len - 4, "last");
}

static void too_much_output_is_an_error(void **state)
{
	SB_AUTO_VALUE(sb_command_result) got = SB_COMMAND_RESULT_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(run_shell("cat /dev/zero", NULL, -1, &got, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

static double now(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* True once no process of that id is there; nobody of this process reaps it. */
static bool is_gone(const char *pid)
{
	for (unsigned i = 0; i < 200; i++) {
		if (kill((pid_t)strtol(pid, NULL, 10), 0) < 0)
			return true;
		usleep(20000);
	}
	return false;
}

/* A background process that writes its id as this process sees it. */
#define SLEEPER "(read pid rest </proc/self/stat; echo $pid; exec sleep 60) & sleep 0.3"

static void what_a_program_leaves_behind_is_killed(void **state)
{
	SB_AUTO_VALUE(sb_command_result) got = SB_COMMAND_RESULT_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const double start = now();

	(void)state;
	assert_int_equal(run_shell(SLEEPER, NULL, -1, &got, &err), 0);
	assert_true(now() - start < 10);
	assert_true(got.out.len > 1);
	assert_true(is_gone(got.out.data));
}

static void an_interrupt_ends_all_of_it(void **state)
{
	SB_AUTO_VALUE(sb_command_result) got = SB_COMMAND_RESULT_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_interrupt) interrupt = NULL;
	const double start = now();
	const pid_t self = getpid();

	(void)state;
	assert_int_equal(sb_interrupt_new(&interrupt, &err), 0);

	const pid_t killer = fork();

	if (killer == 0) {
		usleep(700000);
		_exit(kill(self, SIGINT) < 0);
	}
	assert_int_equal(
		run_shell("trap '' TERM INT; " SLEEPER "; sleep 60", interrupt, -1, &got, &err),
		-1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	assert_int_equal(got.status, 137);
	assert_true(now() - start < 10);
	assert_true(got.out.len > 1);
	assert_true(is_gone(got.out.data));
	assert_int_equal(waitpid(killer, NULL, 0), killer);
}

static void a_missing_program_is_named(void **state)
{
	SB_AUTO_VALUE(sb_command_result) got = SB_COMMAND_RESULT_INIT;
	SB_AUTO_STRV argv = SB_STRV_INIT;
	SB_AUTO_STRV env = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_strv_add(&argv, "no-such-program-here");

	const struct sb_command command = {
		.argv = &argv, .env = &env, .dir_fd = -1, .passed_fd = -1};

	assert_int_equal(sb_command_run(&command, &got, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_non_null(strstr(err.message, "no-such-program-here"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_streams_and_the_status_are_given),
		cmocka_unit_test(all_output_arrives_and_of_errors_the_end),
		cmocka_unit_test(too_much_output_is_an_error),
		cmocka_unit_test(what_a_program_leaves_behind_is_killed),
		cmocka_unit_test(an_interrupt_ends_all_of_it),
		cmocka_unit_test(a_missing_program_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
