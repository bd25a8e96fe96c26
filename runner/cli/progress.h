/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_PROGRESS_H
#define SB_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/render.h"

/* auto (NULL or ""): tty where `out` is a terminal, else plain. SB_E_USAGE for an unknown name. */
int sb_progress_parse(const char *name, FILE *out, enum sb_progress *out_progress,
	struct sb_error *err) SB_MUST_USE;

/*
 * A renderer for the time of one call of the library: open guards the terminal where the progress
 * is a live view, close finishes the renderer, frees it and lets go of the terminal. Close before
 * an error is printed.
 */
struct sb_renderer *sb_progress_open(enum sb_progress progress, FILE *out);
void sb_progress_close(struct sb_renderer *renderer, struct sb_error *failure, int status);

/* What a verb returns after a call that failed: -1, for err to be printed; or, where the stream
 * for errors holds JSON lines, which say it already and which a line for people would break, the
 * exit status, with err released. */
int sb_progress_failed(enum sb_progress progress, bool is_on_err_stream, struct sb_error *err);

#endif
