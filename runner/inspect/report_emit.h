/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_EMIT_H
#define SB_INSPECT_REPORT_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/strv.h"

/*
 * JSON (RFC 8259) written as text, without a tree in memory: reports of images with a million files
 * are long. ASCII only, two blanks a level; what is opened with a _line function stays on one line.
 *
 * The first failure is kept in err, and what comes after it is dropped: only the end needs a check.
 * Keys are plain words of ours; in an array the key is NULL.
 */
enum { SB_EMIT_MAX_DEPTH = 16 };
struct sb_emit {
	struct sb_buf text;
	struct sb_error *err;
	unsigned depth;
	struct sb_emit_level {
		char closing;
		bool is_line;
		bool has_items;
	} levels[SB_EMIT_MAX_DEPTH];
};

void sb_emit_object(struct sb_emit *emit, const char *key);
void sb_emit_array(struct sb_emit *emit, const char *key);
void sb_emit_line_object(struct sb_emit *emit, const char *key);
void sb_emit_line_array(struct sb_emit *emit, const char *key);
/* Closes what was opened last. */
void sb_emit_end(struct sb_emit *emit);

/* NULL gives null. A byte that is no UTF-8 becomes the four characters \xHH. */
void sb_emit_text(struct sb_emit *emit, const char *key, const char *text);
/* At most INT64_MAX: more than that is no number in many a reader. */
void sb_emit_number(struct sb_emit *emit, const char *key, uint64_t n);
void sb_emit_bool(struct sb_emit *emit, const char *key, bool value);
/* null where it is not set. */
void sb_emit_digest(struct sb_emit *emit, const char *key, const struct sb_digest *digest);
/* null for SIZE_MAX. */
void sb_emit_index(struct sb_emit *emit, const char *key, size_t index);
void sb_emit_lines(struct sb_emit *emit, const char *key, const struct sb_strv *lines);

/* Gives the document away with its last newline, or fails with what went wrong first. */
int sb_emit_finish(struct sb_emit *emit, char **out) SB_MUST_USE;

#endif
