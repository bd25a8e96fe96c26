/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_TERMINAL_H
#define SB_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/*
 * What is known of the terminal behind a stream.
 */

/* A terminal that understands cursor movements (TERM is set and not "dumb"). */
bool sb_terminal_is_live(FILE *stream);
/* Colours are wanted: a terminal, and NO_COLOR (no-color.org) is unset or empty. */
bool sb_terminal_has_color(FILE *stream);
/* The locale's character set is UTF-8. */
bool sb_terminal_is_utf8(void);
/* Its size in characters; false where the stream is no terminal or does not tell. */
bool sb_terminal_size(FILE *stream, unsigned *out_columns, unsigned *out_rows);

/* The process's terminal by its name, for keys where standard input is something else: a
 * descriptor, or -1. */
int sb_terminal_open(void);
/* Asks on the process's terminal, whatever its streams are, and reads one line (caller wipes and
 * frees); a hidden one is not echoed. NULL where there is no terminal, or no line comes. */
char *sb_terminal_ask(const char *question, bool is_hidden);

/*
 * From begin to end, a signal that ends or stops the process first gives the terminal behind stderr
 * its cursor and its line wrapping back. Signals that were ignored stay so (nohup). Begin hides the
 * cursor, end shows it.
 */
void sb_terminal_guard_begin(void);
void sb_terminal_guard_end(void);

#endif
