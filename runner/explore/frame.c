/* SPDX-License-Identifier: MIT */
#include "explore/frame.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/columns.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/utf8.h"

void sb_frame_clear(struct sb_frame *frame)
{
	SB_ARRAY_FOREACH (&frame->runs, run)
		free(run->text);
	frame->runs.len = 0;
	frame->has_cursor = frame->selects = false;
}

void sb_frame_release(struct sb_frame *frame)
{
	sb_frame_clear(frame);
	SB_ARRAY_RELEASE(&frame->runs);
}

/* What stands for a character where there is nothing but ASCII; as wide as that. */
static char ascii_for(const char *character, size_t len)
{
	static const struct {
		const char *character;
		char ascii;
	} table[] = {
		{"\xe2\x94\x80", '-'},
		{"\xe2\x94\x82", '|'},
		{"\xe2\x94\x9c", '|'},
		{"\xe2\x94\x94", '`'},
		{"\xe2\x95\xad", '+'},
		{"\xe2\x95\xae", '+'},
		{"\xe2\x95\xb0", '+'},
		{"\xe2\x95\xaf", '+'},
		{"\xe2\x86\x92", '>'},
		{"\xe2\x80\xa6", '~'},
		{"\xe2\x96\xb8", '+'},
		{"\xe2\x96\xbe", 'v'},
		{"\xe2\x96\x88", '#'},
		{"\xc2\xb7", '-'},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strncmp(table[i].character, character, len) == 0 &&
			table[i].character[len] == '\0')
			return table[i].ascii;
	return '?';
}

static char *to_ascii(const char *text)
{
	const size_t len = strlen(text);
	char *out = sb_malloc(len * 2 + 1);
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		const size_t step = sb_utf8_length(text + i, len - i);
		const size_t bytes = step > 0 ? step : 1;
		sb_autofree char *one = sb_memdup0(text + i, bytes);

		if (bytes == 1)
			out[n++] = text[i];
		else
			for (size_t k = sb_columns_of(one); k > 0; k--)
				out[n++] = ascii_for(text + i, bytes);
		i += bytes;
	}
	out[n] = '\0';
	return out;
}

typedef char *(*fit_fn)(const char *text, size_t columns);

static unsigned put(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *text, fit_fn fit)
{
	if (y >= frame->rows || x >= frame->columns || columns == 0 || text[0] == '\0')
		return 0;

	const unsigned room = columns < frame->columns - x ? columns : frame->columns - x;
	sb_autofree char *safe = sb_escape_text(text, strlen(text));
	char *cut = fit(safe, room);
	const unsigned used = (unsigned)sb_columns_of(cut);

	if (!frame->is_utf8) {
		char *ascii = to_ascii(cut);

		free(cut);
		cut = ascii;
	}
	*SB_ARRAY_ADD(&frame->runs) = (struct sb_run){
		.y = y, .x = x, .style = style, .is_selected = frame->selects, .text = cut};
	return used;
}

unsigned sb_frame_put(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *text)
{
	return put(frame, y, x, columns, style, text, sb_columns_fit);
}

unsigned sb_frame_put_path(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *path)
{
	return put(frame, y, x, columns, style, path, sb_columns_fit_middle);
}

unsigned sb_frame_putf(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns,
	enum sb_style style, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);

	sb_autofree char *text = sb_vasprintf(fmt, args);

	va_end(args);
	return sb_frame_put(frame, y, x, columns, style, text);
}

void sb_frame_fill(
	struct sb_frame *frame, unsigned y, unsigned x, unsigned columns, enum sb_style style)
{
	(void)sb_frame_putf(frame, y, x, columns, style, "%*s", (int)columns, "");
}

/* left, then `line` over and over, then right: one row of an edge. */
static void put_edge(struct sb_frame *frame, const struct sb_rect *rect, unsigned y,
	enum sb_style style, const char *left, const char *right)
{
	static const char line[] = "\xe2\x94\x80";
	const size_t n = rect->columns - 2;
	sb_autofree char *text = sb_malloc(n * 3 + 7);
	char *p = stpcpy(text, left);

	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, line);
	(void)stpcpy(p, right);
	(void)sb_frame_put(frame, y, rect->x, rect->columns, style, text);
}

void sb_frame_box(struct sb_frame *frame, const struct sb_rect *rect, bool has_focus,
	const char *title, const char *foot)
{
	static const char side[] = "\xe2\x94\x82";
	const enum sb_style style = has_focus ? SB_STYLE_FOCUS : SB_STYLE_BORDER;
	const unsigned last = rect->y + rect->rows - 1;

	if (rect->columns < 6 || rect->rows < 2)
		return;
	put_edge(frame, rect, rect->y, style, "\xe2\x95\xad", "\xe2\x95\xae");
	put_edge(frame, rect, last, style, "\xe2\x95\xb0", "\xe2\x95\xaf");
	for (unsigned y = rect->y + 1; y < last; y++) {
		(void)sb_frame_put(frame, y, rect->x, 1, style, side);
		(void)sb_frame_put(frame, y, rect->x + rect->columns - 1, 1, style, side);
	}
	(void)sb_frame_putf(frame, rect->y, rect->x + 2, rect->columns - 4,
		has_focus ? SB_STYLE_FOCUS : SB_STYLE_BOLD, " %s ", title);
	if (foot != NULL && foot[0] != '\0')
		(void)sb_frame_putf(
			frame, last, rect->x + 2, rect->columns - 4, SB_STYLE_DIM, " %s ", foot);
}

size_t sb_text_fitting(const char *text, size_t columns)
{
	const size_t len = strlen(text);
	size_t used = 0;
	size_t i = 0;

	while (i < len) {
		const size_t n = sb_utf8_length(text + i, len - i);
		sb_autofree char *one = sb_memdup0(text + i, n > 0 ? n : 1);

		used += sb_columns_of(one);
		if (used > columns && i > 0)
			break;
		i += n > 0 ? n : 1;
	}
	return i;
}

/* Cells of one column each; what is wider leaves empty ones behind it. */
char *sb_frame_line(const struct sb_frame *frame, unsigned y)
{
	enum { CELL = 16 };
	sb_autofree char *cells = sb_calloc(frame->columns, CELL);
	char *line = sb_malloc((size_t)frame->columns * CELL + 1);
	char *p = line;

	for (unsigned x = 0; x < frame->columns; x++)
		cells[(size_t)x * CELL] = ' ';
	SB_ARRAY_FOREACH (&frame->runs, run) {
		const size_t len = strlen(run->text);
		unsigned x = run->x;

		for (size_t i = 0; run->y == y && i < len;) {
			const size_t n = sb_utf8_length(run->text + i, len - i);
			sb_autofree char *one = sb_memdup0(run->text + i, n);
			const unsigned width = (unsigned)sb_columns_of(one);

			for (unsigned k = 0; k < width && x + k < frame->columns; k++)
				memset(cells + (size_t)(x + k) * CELL, 0, CELL);
			if (width > 0 && x < frame->columns)
				memcpy(cells + (size_t)x * CELL, one, n);
			x += width;
			i += n;
		}
	}
	for (unsigned x = 0; x < frame->columns; x++)
		p = stpcpy(p, cells + (size_t)x * CELL);
	while (p > line && p[-1] == ' ')
		p--;
	*p = '\0';
	return line;
}
