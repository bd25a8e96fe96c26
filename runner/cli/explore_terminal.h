/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_EXPLORE_TERMINAL_H
#define SB_CLI_EXPLORE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/*
 * The terminal while a whole screen is drawn on it. However the process ends (by its own will, by
 * a signal, by a crash), the terminal gets back its screen, cursor and line discipline; only
 * SIGKILL leaves it as it is.
 */
struct sb_screen_terminal {
	FILE *out;
	FILE *in; /* standard input, or the terminal by its name where that is something else */
	bool owns_in;
	bool is_utf8; /* it shows more than ASCII */
	bool has_color;
};

/* SB_E_UNSUPPORTED where `out` is no terminal, or one that can't do it. Cheap: for failing early.
 */
int sb_screen_terminal_check(FILE *out, struct sb_error *err) SB_MUST_USE;
int sb_screen_terminal_begin(
	FILE *out, struct sb_screen_terminal *terminal, struct sb_error *err) SB_MUST_USE;
void sb_screen_terminal_end(struct sb_screen_terminal *terminal);

#endif
