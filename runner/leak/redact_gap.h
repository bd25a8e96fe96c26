/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_REDACT_GAP_H
#define SB_LEAK_REDACT_GAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What may stand between the characters of one line and those of the next: the line's end, real or
 * written as an escape, blanks and a few marks.
 */
enum { SB_REDACT_MAX_GAP = 128 }; /* bytes: deep indentation, and a mark */

/* The characters of base64, base64url and hex. */
extern const unsigned char sb_redact_is_run[256];
/* May stand there besides the line's end and backslashes. */
extern const unsigned char sb_redact_is_filler[256];

/* Zeroed at its beginning. */
struct sb_redact_gap {
	size_t len;
	bool has_newline;
	bool is_after_backslash;
};

enum sb_redact_step {
	SB_REDACT_IN_GAP,
	SB_REDACT_NEXT_RUN, /* the byte is the first character of the next line */
	SB_REDACT_NO_GAP,   /* the lines don't adjoin */
};
enum sb_redact_step sb_redact_gap_step(struct sb_redact_gap *gap, unsigned char c);

#endif
