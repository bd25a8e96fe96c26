/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_REDACT_LINES_H
#define SB_LEAK_REDACT_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "leak/redact_known.h"

/*
 * Finds seeds that are broken by the ends of lines, in lines of any width: ended by LF, CR LF or a
 * backslash and letters ("\n" in a string), with blanks, quotes, commas and the marks of comments
 * and quotations around, 128 bytes at most between two characters. What stands on one line is not
 * found here.
 *
 * Of a seed's beginning, up to 3 characters that end a line are not counted in: else the end of
 * every other line had to wait for the next one.
 */
struct sb_redact_find {
	const struct sb_redact_string *string;
	uint64_t start; /* offsets in the stream, on one line */
	uint64_t end;
	bool is_end; /* the string ends here, and not in a later line */
};
SB_ARRAY_STRUCT(sb_redact_finds, struct sb_redact_find);

struct sb_redact_lines;
/* Borrows what is known. */
struct sb_redact_lines *sb_redact_lines_new(const struct sb_redact_known *known);
void sb_redact_lines_free(struct sb_redact_lines *lines);
void sb_redact_lines_begin(struct sb_redact_lines *lines);
/* Counts these in until the next begin: nobody waits for a text that is whole. */
void sb_redact_lines_hide_all(struct sb_redact_lines *lines);
/* Appends all that end in these bytes. */
void sb_redact_lines_feed(
	struct sb_redact_lines *lines, const void *bytes, size_t len, struct sb_redact_finds *out);
/* The stream's offset from which on what was fed may belong to a find that is still to come, or
 * UINT64_MAX. */
uint64_t sb_redact_lines_undecided(const struct sb_redact_lines *lines);

#endif
