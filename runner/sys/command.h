/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_COMMAND_H
#define SB_SYS_COMMAND_H

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "sys/interrupt.h"

/*
 * A program of the host that is run to its end, without a shell and without a terminal: it is the
 * leader of a session of its own, its standard input is what it is given, and it has exactly the
 * environment that it is given. Whatever it started and left behind is killed when it ends, and all
 * of it when the interrupt says so.
 */
struct sb_command {
	const struct sb_strv *argv; /* argv[0] is looked up as sb_proc_program_path does */
	const struct sb_strv *env;
	int dir_fd;        /* working directory, or -1 for ours */
	int passed_fd;     /* becomes its descriptor SB_COMMAND_PASSED_FD; or -1 */
	const void *input; /* its standard input, never a file of the disk; NULL: empty */
	size_t input_len;
	unsigned timeout_s; /* ended after this, with SB_E_LIMIT; 0: never */
	struct sb_interrupt *interrupt;
	void (*on_tick)(void *data); /* some ten times a second; may be NULL */
	void *data;
};

struct sb_command_result {
	int status;          /* exit status, or 128 + the signal's number */
	struct sb_buf out;   /* what it wrote to standard output; up to SB_MAX_COMMAND_OUTPUT */
	struct sb_buf error; /* the end of what it wrote to standard error, without newlines
				behind it */
};
enum { SB_COMMAND_PASSED_FD = 3 };
enum { SB_MAX_COMMAND_OUTPUT = 1 << 20, SB_MAX_COMMAND_ERROR = 8 << 10 };
#define SB_COMMAND_RESULT_INIT \
	{ \
		.out = SB_BUF_INIT(SB_MAX_COMMAND_OUTPUT), \
		.error = SB_BUF_INIT(SB_MAX_COMMAND_ERROR) \
	}
void sb_command_result_release(struct sb_command_result *result);

/* Any status is success. SB_E_NOT_FOUND where there is no such program, SB_E_CANCELLED. `out` must
 * be SB_COMMAND_RESULT_INIT, and is the caller's to release, also on failure. */
int sb_command_run(const struct sb_command *command, struct sb_command_result *out,
	struct sb_error *err) SB_MUST_USE;

#endif
