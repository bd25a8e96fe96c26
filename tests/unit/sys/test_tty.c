/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"
#include "sys/signals.h"
#include "sys/tty.h"

static int new_terminal(int *out_master)
{
	*out_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*out_master >= 0);
	assert_int_equal(grantpt(*out_master), 0);
	assert_int_equal(unlockpt(*out_master), 0);

	const int fd = open(ptsname(*out_master), O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool is_cooked(int fd)
{
	struct termios mode;

	assert_int_equal(tcgetattr(fd, &mode), 0);
	return (mode.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG);
}

static void a_terminal_is_raw_from_begin_to_end(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_tty_raw raw = SB_TTY_RAW_INIT;
	sb_autofd int master = -1;
	sb_autofd int fd = new_terminal(&master);

	(void)state;
	sb_tty_raw_end(&raw);
	assert_true(is_cooked(fd));
	assert_int_equal(sb_tty_raw_begin(fd, &raw, &err), 0);
	assert_false(is_cooked(fd));
	sb_tty_raw_end(&raw);
	assert_true(is_cooked(fd));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void killed_it_is_cooked_again(void **state)
{
	sb_autofd int master = -1;
	sb_autofd int fd = new_terminal(&master);
	int fds[2];
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char byte = 0;

	(void)state;
	assert_int_equal(sb_fd_pipe(fds, &err), 0);

	const pid_t pid = fork();

	if (pid == 0) {
		struct sb_tty_raw raw = SB_TTY_RAW_INIT;

		if (sb_tty_raw_begin(fd, &raw, &err) == 0 && write(fds[1], "x", 1) == 1)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_false(is_cooked(fd));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(fds[1]);
	/* The keeper holds no end of ours. */
	assert_int_equal(read(fds[0], &byte, 1), 0);
	for (int i = 0; i < 1000 && !is_cooked(fd); i++)
		(void)poll(NULL, 0, 10);
	assert_true(is_cooked(fd));
	(void)close(fds[0]);
}

static void sizes(void **state)
{
	sb_autofd int master = -1;
	sb_autofd int fd = new_terminal(&master);
	unsigned short rows = 0;
	unsigned short columns = 0;

	(void)state;
	assert_false(sb_tty_size(fd, &rows, &columns));
	sb_tty_set_size(master, 24, 80);
	assert_true(sb_tty_size(fd, &rows, &columns));
	assert_int_equal(rows, 24);
	assert_int_equal(columns, 80);
	assert_false(sb_tty_is_ours(fd)); /* not the terminal of this process */
}

static void signals_are_read_and_not_delivered(void **state)
{
	static const int numbers[] = {SIGUSR1, SIGINT};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_signals *signals = NULL;
	sigset_t mask;

	(void)state;
	assert_int_equal(sb_signals_new(numbers, 2, &signals, &err), 0);
	assert_int_equal(sb_signals_next(signals), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(sb_signals_next(signals), SIGUSR1);
	assert_int_equal(sb_signals_next(signals), 0);
	assert_int_equal(raise(SIGINT), 0); /* taken by free */
	sb_signals_free(signals);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_false(sigismember(&mask, SIGINT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_is_raw_from_begin_to_end),
		cmocka_unit_test(killed_it_is_cooked_again),
		cmocka_unit_test(sizes),
		cmocka_unit_test(signals_are_read_and_not_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
