/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_FRAME_H
#define SB_EXPLORE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"

/*
 * One screen as pieces of text with a style and a place: what is drawn, without a terminal. Later
 * pieces lie over earlier ones.
 */
enum sb_style {
	SB_STYLE_PLAIN,
	SB_STYLE_DIM,
	SB_STYLE_BOLD,
	SB_STYLE_BORDER,
	SB_STYLE_FOCUS, /* the border of the pane that keys go to */
	SB_STYLE_ADDED,
	SB_STYLE_MODIFIED,
	SB_STYLE_REMOVED,
	SB_STYLE_FOLDER,
	SB_STYLE_BAD,
	SB_STYLE_BAR, /* the first and the last line */
	SB_STYLE_KEY, /* a key's name in it */
};
enum { SB_N_STYLES = SB_STYLE_KEY + 1 };

struct sb_run {
	unsigned y;
	unsigned x;
	enum sb_style style;
	bool is_selected; /* shown inverted, or however the terminal can */
	char *text;       /* printable; ASCII unless the frame is_utf8 */
};

struct sb_frame {
	unsigned columns;
	unsigned rows;
	bool is_utf8;
	bool selects; /* what is put from now on is_selected */
	SB_ARRAY(struct sb_run) runs;
	bool has_cursor;
	unsigned cursor_y;
	unsigned cursor_x;
};

struct sb_rect {
	unsigned y;
	unsigned x;
	unsigned rows;
	unsigned columns;
};

void sb_frame_clear(struct sb_frame *frame);
void sb_frame_release(struct sb_frame *frame);

/* Text from anywhere: control bytes are escaped, what is wider than `columns` is cut at its end and
 * gets an ellipsis. Gives the columns that it takes. */
unsigned sb_frame_put(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *text);
/* The same, cut in the middle. */
unsigned sb_frame_put_path(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *path);
unsigned sb_frame_putf(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Blanks. */
void sb_frame_fill(
	struct sb_frame *frame, unsigned y, unsigned x, unsigned columns, enum sb_style style);
/* A frame around the rectangle with a title in its upper edge, and `foot`, or NULL, in its lower
 * one. */
void sb_frame_box(struct sb_frame *frame, const struct sb_rect *rect, bool has_focus,
	const char *title, const char *foot);

/* How many bytes of printable text fit: whole characters, at least one, 0 for "". */
size_t sb_text_fitting(const char *text, size_t columns);

/* Line y as it is seen, without styles and the blanks at its end; caller frees. For tests. */
char *sb_frame_line(const struct sb_frame *frame, unsigned y);

#endif
