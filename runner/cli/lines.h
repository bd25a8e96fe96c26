/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_LINES_H
#define SB_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "safebuild/event.h"

#include "base/array.h"

/*
 * The lines of steps' output, put together from bytes as they come, for each step and stream apart.
 *
 * A line is handed on without its newline. One that grows past SB_LINE_BYTES is handed on in
 * pieces, never cut inside a UTF-8 sequence. Unless `is_raw`, a carriage return starts the line
 * anew, as on a terminal: of a progress bar its last state is left.
 */
enum { SB_LINE_BYTES = 16 << 10 };

typedef void (*sb_line_fn)(void *data, uint32_t step, int stream, const char *line, size_t len);

struct sb_line_buffer {
	uint32_t step;
	int stream;
	char *bytes; /* SB_LINE_BYTES */
	size_t len;
	bool has_return; /* a \r was the last byte: what comes next decides */
};

struct sb_lines {
	SB_ARRAY_FIELDS(struct sb_line_buffer);
	bool is_raw;
	sb_line_fn on_line;
	void *data;
};

/* An SB_EVENT_STEP_OUTPUT. */
void sb_lines_add(struct sb_lines *lines, const struct sb_event *event);
/* The step ended: hands on what has no newline, and forgets the step. */
void sb_lines_end(struct sb_lines *lines, uint32_t step);
/* Hands on what is left of all steps. */
void sb_lines_end_all(struct sb_lines *lines);
void sb_lines_release(struct sb_lines *lines);

/* A copy that is safe on one line of a terminal: escape sequences are left out, tabs become blanks,
 * other control bytes and broken UTF-8 are escaped. Caller frees. */
char *sb_line_clean(const char *line, size_t len);

/* How many columns printable UTF-8 takes; never less than it does. */
size_t sb_text_columns(const char *text);
/* A copy of printable UTF-8 that takes at most so many columns; a cut one ends in "…" or "...".
 * Caller frees. */
char *sb_text_fit(const char *text, size_t columns, bool is_utf8);

#endif
