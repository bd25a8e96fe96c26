/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_ANSI_H
#define SB_BASE_ANSI_H

#include <stddef.h>

/*
 * Takes escape sequences (ECMA-48: colours, cursor movements, window titles) out of a stream of
 * text, in whatever pieces it comes. A line's end ends a sequence that was never finished.
 */
enum sb_ansi_state {
	SB_ANSI_TEXT,
	SB_ANSI_ESCAPE,     /* after ESC */
	SB_ANSI_CONTROL,    /* in ESC [ … */
	SB_ANSI_STRING,     /* in ESC ] … and the like, up to BEL or ESC \ */
	SB_ANSI_STRING_END, /* after ESC in such a string */
};

struct sb_ansi_filter {
	enum sb_ansi_state state;
};

#define SB_ANSI_FILTER_INIT \
	{ \
		SB_ANSI_TEXT \
	}

/* Writes what is text to `out`, which has room for len bytes; returns how many. */
size_t sb_ansi_filter(struct sb_ansi_filter *filter, const char *bytes, size_t len, char *out);

#endif
