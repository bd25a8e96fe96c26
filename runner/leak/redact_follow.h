/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_REDACT_FOLLOW_H
#define SB_LEAK_REDACT_FOLLOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "leak/redact_known.h"

/*
 * Goes on behind a seed, with the rest of its needle, for as long as the stream does: in the same
 * line at once, in the lines that follow when enough of them is the needle's. A line may begin with
 * what a logger puts before it, 128 bytes at most.
 */
struct sb_redact_part {
	const struct sb_redact_string *string;
	uint64_t start; /* offsets in the stream */
	uint64_t end;
};
SB_ARRAY_STRUCT(sb_redact_parts, struct sb_redact_part);

struct sb_redact_follow;
struct sb_redact_follow *sb_redact_follow_new(void);
void sb_redact_follow_free(struct sb_redact_follow *follow);
void sb_redact_follow_begin(struct sb_redact_follow *follow);
/* A seed was found; it ends in the bytes that are fed next. `start` is on the line that it ends on.
 */
void sb_redact_follow_add(struct sb_redact_follow *follow, const struct sb_redact_string *string,
	uint64_t start, uint64_t end);
/* Appends what goes on in these bytes. A part that reaches their end may come again with the same
 * start and another end. */
void sb_redact_follow_feed(struct sb_redact_follow *follow, const void *bytes, size_t len,
	struct sb_redact_parts *out);
/* What the stream's end decides. */
void sb_redact_follow_end(struct sb_redact_follow *follow, struct sb_redact_parts *out);
/* As sb_redact_lines_undecided. */
uint64_t sb_redact_follow_undecided(const struct sb_redact_follow *follow);

#endif
