/* SPDX-License-Identifier: MIT */
#include "sys/tty.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"

bool sb_tty_is_ours(int fd)
{
	return isatty(fd) != 0 && tcgetpgrp(fd) == getpgrp();
}

bool sb_tty_size(int fd, unsigned short *out_rows, unsigned short *out_columns)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return false;
	*out_rows = size.ws_row;
	*out_columns = size.ws_col;
	return true;
}

void sb_tty_set_size(int fd, unsigned short rows, unsigned short columns)
{
	const struct winsize size = {.ws_row = rows, .ws_col = columns};

	(void)ioctl(fd, TIOCSWINSZ, &size);
}

/* Our sockets too: whoever is at their other end is to see us go. */
static void close_all_but(unsigned a, unsigned b)
{
	const unsigned low = a < b ? a : b;
	const unsigned high = a < b ? b : a;

	(void)close_range(0, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0U, 0);
}

/* Blocked signals let a process of the background set a terminal (SIGTTOU), and keep what ends the
 * whole group from ending it too. */
static _Noreturn void keep(const struct sb_tty_raw *raw, int from_fd)
{
	sigset_t all;
	char byte = 0;
	ssize_t n = -1;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	close_all_but((unsigned)raw->fd, (unsigned)from_fd);
	do
		n = read(from_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		(void)tcsetattr(raw->fd, TCSANOW, &raw->before);
	_exit(0);
}

int sb_tty_raw_begin(int fd, struct sb_tty_raw *out, struct sb_error *err)
{
	struct sb_tty_raw raw = {.keeper_fd = -1};
	struct termios mode;
	int fds[2];

	if (tcgetattr(fd, &raw.before) < 0)
		return sb_fail_errno(err, "read the terminal's mode");
	if (sb_fd_pipe(fds, err) < 0)
		return -1;

	sb_autofd int read_fd = fds[0];
	sb_autofd int write_fd = fds[1];

	if (read_fd < 3)
		return sb_fail(err, SB_E_SYSTEM, "a standard stream is closed");
	/* A copy above the standard streams, which the keeper closes. */
	raw.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (raw.fd < 0)
		return sb_fail_errno(err, "read the terminal's mode");
	raw.keeper = fork();
	if (raw.keeper == 0) {
		(void)close(write_fd);
		keep(&raw, read_fd);
	}
	mode = raw.before;
	cfmakeraw(&mode);
	if (raw.keeper < 0 || tcsetattr(raw.fd, TCSADRAIN, &mode) < 0) {
		(void)sb_fail_errno(err, "make the terminal raw");
		sb_fd_closep(&write_fd);
		if (raw.keeper > 0)
			(void)sb_proc_wait(raw.keeper);
		sb_fd_closep(&raw.fd);
		return -1;
	}
	raw.keeper_fd = sb_fd_steal(&write_fd);
	*out = raw;
	return 0;
}

void sb_tty_raw_end(struct sb_tty_raw *raw)
{
	if (raw->fd < 0)
		return;
	(void)tcsetattr(raw->fd, TCSADRAIN, &raw->before);
	(void)!write(raw->keeper_fd, "x", 1);
	sb_fd_closep(&raw->keeper_fd);
	(void)sb_proc_wait(raw->keeper);
	sb_fd_closep(&raw->fd);
}

int sb_tty_new(uid_t uid, int *out_master_fd, int *out_terminal_fd, struct sb_error *err)
{
	sb_autofd int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	sb_autofd int terminal = -1;
	int locked = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &locked) < 0)
		return sb_fail_errno(err, "make a terminal");
	terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0 || fchown(terminal, uid, (gid_t)-1) < 0)
		return sb_fail_errno(err, "make a terminal");
	*out_master_fd = sb_fd_steal(&master);
	*out_terminal_fd = sb_fd_steal(&terminal);
	return 0;
}
