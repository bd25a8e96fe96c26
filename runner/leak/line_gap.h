/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_LINE_GAP_H
#define SB_LEAK_LINE_GAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An encoded value that was wrapped: what may stand between the characters of one line and those
 * of the next, in files that are searched and in output that is redacted. The line's end, real or
 * written as an escape, blanks and a few marks.
 */
enum { SB_LINE_MAX_GAP = 128 }; /* bytes: deep indentation, and a mark */

/* The characters of base64, base64url and hex. */
extern const unsigned char sb_line_is_run[256];
/* May stand there besides the line's end and backslashes. */
extern const unsigned char sb_line_is_filler[256];

/* Zeroed at its beginning. */
struct sb_line_gap {
	size_t len;
	bool has_newline;
	bool is_after_backslash;
};

enum sb_line_step {
	SB_LINE_IN_GAP,
	SB_LINE_NEXT_RUN, /* the byte is the first character of the next line */
	SB_LINE_NO_GAP,   /* the lines don't adjoin */
};
enum sb_line_step sb_line_gap_step(struct sb_line_gap *gap, unsigned char c);

#endif
