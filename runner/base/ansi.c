/* SPDX-License-Identifier: MIT */
#include "base/ansi.h"

#include <stdbool.h>
#include <string.h>

static const char ESC = '\033';

static enum sb_ansi_state after_escape(char c)
{
	if (c == '[')
		return SB_ANSI_CONTROL;
	if (c != '\0' && strchr("]PX^_", c) != NULL)
		return SB_ANSI_STRING;
	/* Intermediate bytes, then a final one. */
	return c == ESC || (c >= 0x20 && c < 0x30) ? SB_ANSI_ESCAPE : SB_ANSI_TEXT;
}

/* The state behind `c`, which is not text itself. */
static enum sb_ansi_state next_state(enum sb_ansi_state state, char c)
{
	switch (state) {
	case SB_ANSI_TEXT:
	case SB_ANSI_ESCAPE:
		return after_escape(c);
	case SB_ANSI_CONTROL:
		if (c == ESC)
			return SB_ANSI_ESCAPE;
		return c >= 0x40 && c <= 0x7e ? SB_ANSI_TEXT : SB_ANSI_CONTROL;
	case SB_ANSI_STRING:
		if (c == '\a')
			return SB_ANSI_TEXT;
		return c == ESC ? SB_ANSI_STRING_END : SB_ANSI_STRING;
	case SB_ANSI_STRING_END:
		return c == '\\' ? SB_ANSI_TEXT : after_escape(c);
	}
	return SB_ANSI_TEXT;
}

size_t sb_ansi_filter(struct sb_ansi_filter *filter, const char *bytes, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = bytes[i];

		if (c == '\n')
			filter->state = SB_ANSI_TEXT;
		if (filter->state != SB_ANSI_TEXT)
			filter->state = next_state(filter->state, c);
		else if (c == ESC)
			filter->state = SB_ANSI_ESCAPE;
		else
			out[n++] = c;
	}
	return n;
}
