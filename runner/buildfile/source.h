/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_SOURCE_H
#define SB_BUILDFILE_SOURCE_H

#include <stddef.h>

#include "base/error.h"

/*
 * The physical lines of a Buildfile. A byte order mark at the start of the first line belongs to no
 * line. Borrows the text.
 */
struct sb_source {
	const char *file;
	const char *text;
	size_t len;
	size_t next;   /* offset of the line that sb_source_next gives */
	unsigned line; /* number of lines given so far */
};

struct sb_line {
	const char *text; /* NULL: there are no more lines */
	size_t len;       /* without the line's end and without the CRs before it */
	size_t whole_len; /* with both */
	unsigned number;  /* counts from 1 */
};

struct sb_source sb_source_of(const char *file, const char *text, size_t len);
/* Fails with SB_E_LIMIT at a line that is too long, with SB_E_SYNTAX at one that holds a NUL. */
int sb_source_next(struct sb_source *source, struct sb_line *out, struct sb_error *err) SB_MUST_USE;

/*
 * What stands in the parser directives (`# key=value` before everything else). `syntax` is only
 * checked, never kept.
 */
struct sb_directives {
	char escape;
	char *check; /* the value as written, or NULL; owned */
	unsigned check_line;
};
void sb_directives_release(struct sb_directives *directives);
/* Reads from a source of its own: the parser sees the same lines again, as comments. */
int sb_directives_read(
	struct sb_source source, struct sb_directives *out, struct sb_error *err) SB_MUST_USE;

#endif
