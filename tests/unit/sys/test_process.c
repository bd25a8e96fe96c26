/* SPDX-License-Identifier: MIT */
#include "temp.h"

#include <poll.h>
#include <signal.h>

#include "sys/interrupt.h"
#include "sys/proc.h"

static void a_programs_status_and_last_words_are_told(void **state)
{
	static const struct {
		const char *script;
		enum sb_code code;
		const char *message;
	} cases[] = {
		{"exit 0", SB_OK, NULL},
		{"echo out; echo err >&2", SB_OK, NULL},
		{"echo why >&2; exit 3", SB_E_SYSTEM, "sh ended with status 3: why"},
		{"kill -9 $$", SB_E_SYSTEM, "sh ended with status 137: "},
		{"read line && exit 1 || exit 0", SB_OK, NULL}, /* there is nothing to read */
		{"test -z \"$SB_UNIT_SECRET\"", SB_OK, NULL},
	};

	(void)state;
	assert_int_equal(setenv("SB_UNIT_SECRET", "s", 1), 0);
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV argv = SB_STRV_INIT;
		const size_t n_fds = temp_n_open_fds();

		sb_strv_add(&argv, "sh");
		sb_strv_add(&argv, "-c");
		sb_strv_add(&argv, cases[i].script);
		assert_int_equal(sb_proc_run(&argv, &err), cases[i].code == SB_OK ? 0 : -1);
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].message != NULL)
			assert_string_equal(err.message, cases[i].message);
		assert_int_equal(temp_n_open_fds(), n_fds);
	}
}

static void a_flood_of_words_is_cut_and_does_not_hang(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV argv = SB_STRV_INIT;

	(void)state;
	sb_strv_add(&argv, "sh");
	sb_strv_add(&argv, "-c");
	sb_strv_add(&argv,
		"i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done; exit 1");
	assert_int_equal(sb_proc_run(&argv, &err), -1);
	assert_true(strlen(err.message) < 4096);
}

static void programs_are_found_by_name(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV argv = SB_STRV_INIT;
	sb_autofree char *old = strdup(getenv("PATH") != NULL ? getenv("PATH") : "");
	sb_autofree char *sh = NULL;

	(void)state;
	/* Not in the working directory, whatever PATH says. */
	assert_int_equal(setenv("PATH", "::.:relative", 1), 0);
	sh = sb_proc_program_path("sh");
	assert_non_null(sh);
	assert_int_equal(sh[0], '/');
	assert_false(sb_proc_find_program("no-such-program-here"));
	sb_strv_add(&argv, "no-such-program-here");
	assert_int_equal(sb_proc_run(&argv, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_int_equal(setenv("PATH", old, 1), 0);
}

static void a_processs_end_can_be_polled(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int pidfd = -1;
	const pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	assert_int_equal(sb_proc_open(pid, &pidfd, &err), 0);

	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	assert_int_equal(poll(&end, 1, 0), 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(sb_proc_wait(pid), 128 + SIGTERM);
	assert_int_equal(sb_proc_wait(pid), -1);
	sb_fd_closep(&pidfd);
	assert_int_equal(sb_proc_open(pid, &pidfd, &err), -1);
}

static void an_interrupt_is_seen_once_and_stays(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	for (size_t i = 0; i < N_OF(signals); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sigset_t before;
		sigset_t after;

		assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
		{
			SB_AUTO(sb_interrupt) interrupt = NULL;

			assert_int_equal(sb_interrupt_new(&interrupt, &err), 0);
			assert_false(sb_interrupt_is_pending(interrupt));
			assert_int_equal(sb_interrupt_check(interrupt, &err), 0);
			assert_int_equal(raise(signals[i]), 0);

			struct pollfd fd = {.fd = sb_interrupt_fd(interrupt), .events = POLLIN};

			assert_int_equal(poll(&fd, 1, 0), 1);
			assert_true(sb_interrupt_is_pending(interrupt));
			assert_true(sb_interrupt_is_pending(interrupt));
			assert_int_equal(sb_interrupt_check(interrupt, &err), -1);
			assert_int_equal(err.code, SB_E_CANCELLED);
			/* These are not seen before the end, and must not kill us then. */
			for (size_t j = 0; j < N_OF(signals); j++)
				assert_int_equal(raise(signals[j]), 0);
		}
		assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
		for (int sig = 1; sig < 32; sig++)
			assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	}
	assert_false(sb_interrupt_is_pending(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_programs_status_and_last_words_are_told),
		cmocka_unit_test(a_flood_of_words_is_cut_and_does_not_hang),
		cmocka_unit_test(programs_are_found_by_name),
		cmocka_unit_test(a_processs_end_can_be_polled),
		cmocka_unit_test(an_interrupt_is_seen_once_and_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
