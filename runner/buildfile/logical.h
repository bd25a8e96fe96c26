/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_LOGICAL_H
#define SB_BUILDFILE_LOGICAL_H

#include "base/array.h"
#include "base/buf.h"
#include "buildfile/source.h"

/* A piece of a logical line that comes from one physical line. */
struct sb_piece {
	size_t offset; /* in the logical line's text */
	unsigned line;
	unsigned column;
};
SB_ARRAY_STRUCT(sb_pieces, struct sb_piece);

/*
 * An instruction as one line: continued lines joined with nothing between them, comments and empty
 * lines among them dropped, no blanks at either end.
 */
struct sb_logical {
	const char *file;
	struct sb_buf text;
	struct sb_buf shown; /* for people: one blank where lines were joined */
	struct sb_pieces pieces;
};

#define SB_LOGICAL_INIT \
	{ \
		.text = SB_BUF_INIT(SB_MAX_BUILDFILE), .shown = SB_BUF_INIT(SB_MAX_BUILDFILE) \
	}

void sb_logical_release(struct sb_logical *line);
/* Reads the next instruction's line into an initialised or used line; its text is empty at the
 * end of the source. */
int sb_logical_read(struct sb_source *source, char escape, struct sb_logical *line,
	struct sb_error *err) SB_MUST_USE;
/* Where in the source the text's byte at `offset` stands. */
struct sb_source_pos sb_logical_at(const struct sb_logical *line, size_t offset);

#endif
