/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_COMMAND_H
#define SB_LINT_COMMAND_H

#include "lint/shell.h"

/*
 * What a command runs: the program behind assignments and behind programs that only start another
 * one (sudo, env, timeout …).
 */
struct sb_call {
	const char *name;                  /* without its folder; borrowed from the command */
	const struct sb_shell_word *words; /* [0] is the program */
	size_t len;
};

/* False for a command that has only assignments. */
bool sb_command_call(const struct sb_shell_command *command, struct sb_call *out);
/* Does the command start with sudo, behind assignments? */
bool sb_command_has_sudo(const struct sb_shell_command *command);

bool sb_call_is(const struct sb_call *call, const char *name);
/* Is one of the names, separated by blanks, the program's? */
bool sb_call_is_one_of(const struct sb_call *call, const char *names);
/* Has it this word among its arguments, or the start "--name=" for an option with a value? */
bool sb_call_has(const struct sb_call *call, const char *word);
/* Has it this letter among its short options ("-qy")? */
bool sb_call_has_letter(const struct sb_call *call, char letter);
/* Its n-th argument that is no option, or NULL. Options are taken to have no values. */
const char *sb_call_operand(const struct sb_call *call, size_t n);

bool sb_is_shell_name(const char *name);
bool sb_command_is_shell(const struct sb_shell_command *command);
/* A shell or interpreter that takes its program from standard input. */
bool sb_command_runs_input(const struct sb_shell_command *command);
/* A shell or interpreter whose program is a file named on the command line: that word's index in
 * the command, or -1. */
int sb_command_script_file_word(const struct sb_shell_command *command);
/* The word of `sh -c WORD`, as an index in the command, or -1. */
int sb_command_script_word(const struct sb_shell_command *command);

#endif
