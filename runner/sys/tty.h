/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_TTY_H
#define SB_SYS_TTY_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "base/error.h"

/* The user's terminal, lent to a program that has one of its own (a pty). */

/* Is it a terminal, and are we the ones who may read from it (not in the background)? */
bool sb_tty_is_ours(int fd);
/* False where it does not say. */
bool sb_tty_size(int fd, unsigned short *out_rows, unsigned short *out_columns);
void sb_tty_set_size(int fd, unsigned short rows, unsigned short columns);

/*
 * Raw mode: every key goes to who reads, none means anything here. A second process waits beside us
 * and gives the terminal its mode back where we end without sb_tty_raw_end: killed, or crashed.
 */
struct sb_tty_raw {
	int fd; /* borrowed; -1: not begun */
	struct termios before;
	int keeper_fd;
	pid_t keeper;
};
#define SB_TTY_RAW_INIT \
	{ \
		.fd = -1, .keeper_fd = -1 \
	}
int sb_tty_raw_begin(int fd, struct sb_tty_raw *out, struct sb_error *err) SB_MUST_USE;
/* Does nothing where it was not begun. */
void sb_tty_raw_end(struct sb_tty_raw *raw);

/*
 * A new pty of the devpts that is mounted at /dev/pts, which is the caller's own. Whoever `uid` is
 * owns the terminal end.
 */
int sb_tty_new(
	uid_t uid, int *out_master_fd, int *out_terminal_fd, struct sb_error *err) SB_MUST_USE;

#endif
