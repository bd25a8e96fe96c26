/* SPDX-License-Identifier: MIT */
#include "explore/pager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/utf8.h"

enum {
	TAB = 8,
	HEX_BYTES = 16, /* a line */
	MAX_CELL = 8,   /* bytes that one character becomes, at most: a tab's blanks */
	STEP = 8,       /* columns to the side */
};

struct line {
	size_t at;
	size_t len;
};

struct sb_pager {
	char *title;
	char *bytes;
	size_t len;
	uint64_t size;
	bool is_cut;
	bool is_hex;
	bool wraps;
	size_t top; /* index in lines */
	size_t left;
	unsigned rows; /* of the last drawing */
	unsigned columns;
	SB_ARRAY(struct line) lines; /* for that width */
};

/* No NULs, and most of it UTF-8 and printable. */
static bool is_text(const char *bytes, size_t len)
{
	enum { LOOK_AT = 64 << 10 };
	const size_t n = len < LOOK_AT ? len : LOOK_AT;
	size_t odd = 0;

	for (size_t i = 0; i < n;) {
		const size_t step = sb_utf8_length(bytes + i, len - i);

		if (bytes[i] == '\0')
			return false;
		odd += step == 0 ||
		       (bytes[i] > 0 && bytes[i] < ' ' && strchr("\t\n\r\f\033", bytes[i]) == NULL);
		i += step > 0 ? step : 1;
	}
	return odd * 10 <= n;
}

struct sb_pager *sb_pager_new(char *title, const struct sb_explored_content *content)
{
	struct sb_pager *pager = SB_NEW(struct sb_pager);

	pager->title = title;
	pager->bytes = content->bytes;
	pager->len = content->len;
	pager->size = content->size_bytes;
	pager->is_cut = content->is_cut;
	pager->is_hex = !is_text(content->bytes, content->len);
	pager->wraps = true;
	return pager;
}

void sb_pager_free(struct sb_pager *pager)
{
	if (pager == NULL)
		return;
	free(pager->title);
	free(pager->bytes);
	SB_ARRAY_RELEASE(&pager->lines);
	free(pager);
}

/* The character at p as it is shown in that column; its bytes, its text and that one's columns. */
static size_t show_character(
	const char *p, size_t left, size_t column, char out[MAX_CELL + 1], size_t *out_columns)
{
	const size_t n = sb_utf8_length(p, left);

	if (*p == '\t') {
		*out_columns = TAB - column % TAB;
		memset(out, ' ', *out_columns);
		out[*out_columns] = '\0';
		return 1;
	}
	if (n == 0 || (n == 1 && ((unsigned char)*p < ' ' || *p == 0x7f))) {
		*out_columns = 4;
		(void)snprintf(out, MAX_CELL + 1, "\\x%02x", (unsigned char)*p);
		return 1;
	}
	memcpy(out, p, n);
	out[n] = '\0';
	*out_columns = n == 1 ? 1 : sb_columns_of(out);
	return n;
}

static size_t line_end(const struct sb_pager *pager, size_t at)
{
	const char *end = memchr(pager->bytes + at, '\n', pager->len - at);

	return end != NULL ? (size_t)(end - pager->bytes) : pager->len;
}

/* As much of the line as fits. */
static size_t fitting(const struct sb_pager *pager, size_t at, size_t end, size_t columns)
{
	char cell[MAX_CELL + 1];
	size_t used = 0;
	size_t i = at;

	while (i < end) {
		size_t width = 0;
		const size_t n = show_character(pager->bytes + i, end - i, used, cell, &width);

		if (used + width > columns && i > at)
			break;
		used += width;
		i += n;
	}
	return i - at;
}

static void list_lines(struct sb_pager *pager, unsigned columns)
{
	size_t at = 0;

	pager->lines.len = 0;
	while (at < pager->len) {
		const size_t end = pager->is_hex ? at + HEX_BYTES : line_end(pager, at);
		size_t len = (end < pager->len ? end : pager->len) - at;

		if (!pager->is_hex && pager->wraps)
			len = fitting(pager, at, end, columns);
		*SB_ARRAY_ADD(&pager->lines) = (struct line){at, len};
		at += len;
		if (!pager->is_hex && at == end)
			at++;
	}
}

static void set_width(struct sb_pager *pager, unsigned columns)
{
	const size_t at = pager->top < pager->lines.len ? pager->lines.items[pager->top].at : 0;

	if (pager->columns == columns)
		return;
	list_lines(pager, columns);
	pager->columns = columns;
	pager->top = 0;
	while (pager->top + 1 < pager->lines.len && pager->lines.items[pager->top + 1].at <= at)
		pager->top++;
}

void sb_pager_toggle_hex(struct sb_pager *pager)
{
	const unsigned columns = pager->columns;

	pager->is_hex = !pager->is_hex;
	pager->left = 0;
	pager->columns = 0;
	set_width(pager, columns);
}

void sb_pager_toggle_wrap(struct sb_pager *pager)
{
	const unsigned columns = pager->columns;

	pager->wraps = !pager->wraps;
	pager->left = 0;
	pager->columns = 0;
	set_width(pager, columns);
}

static size_t last_top(const struct sb_pager *pager)
{
	return pager->lines.len > pager->rows ? pager->lines.len - pager->rows : 0;
}

void sb_pager_move(struct sb_pager *pager, enum sb_pager_move move)
{
	const size_t page = pager->rows > 1 ? pager->rows - 1 : 1;
	const size_t step = move == SB_PAGER_UP || move == SB_PAGER_DOWN ? 1 : page;
	const bool is_wide = !pager->wraps && !pager->is_hex;

	if (move == SB_PAGER_UP || move == SB_PAGER_PAGE_UP)
		pager->top -= pager->top < step ? pager->top : step;
	else if (move == SB_PAGER_DOWN || move == SB_PAGER_PAGE_DOWN)
		pager->top += step;
	else if (move == SB_PAGER_TOP)
		pager->top = 0;
	else if (move == SB_PAGER_BOTTOM)
		pager->top = last_top(pager);
	else if (move == SB_PAGER_LEFT && is_wide)
		pager->left -= pager->left < STEP ? pager->left : STEP;
	else if (move == SB_PAGER_RIGHT && is_wide)
		pager->left += STEP;
	if (pager->top > last_top(pager))
		pager->top = last_top(pager);
}

static char *hex_text(const struct sb_pager *pager, const struct line *line)
{
	char text[128];
	size_t n = (size_t)snprintf(text, sizeof(text), "%08zx ", line->at);

	for (size_t i = 0; i < HEX_BYTES; i++) {
		if (i % 8 == 0)
			text[n++] = ' ';
		if (i < line->len)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%02x ",
				(unsigned char)pager->bytes[line->at + i]);
		else
			n += (size_t)snprintf(text + n, sizeof(text) - n, "   ");
	}
	text[n++] = ' ';
	for (size_t i = 0; i < line->len; i++) {
		const char c = pager->bytes[line->at + i];

		text[n++] = (char)(c >= ' ' && c < 0x7f ? c : '.');
	}
	text[n] = '\0';
	return sb_strdup(text);
}

/* From column `left` on, `columns` wide. */
static char *line_text(const struct sb_pager *pager, const struct line *line, size_t columns)
{
	/* Marks that take no column are cut where they are more than a screen has room for. */
	const size_t room = (columns + 1) * MAX_CELL;
	char *text = sb_malloc(room + 1);
	char cell[MAX_CELL + 1];
	size_t used = 0;
	char *p = text;

	for (size_t i = 0; i < line->len && used < pager->left + columns &&
			   (size_t)(p - text) + MAX_CELL <= room;) {
		const char *at = pager->bytes + line->at + i;
		size_t width = 0;

		i += show_character(at, line->len - i, used, cell, &width);
		if (used >= pager->left && used + width <= pager->left + columns)
			p = stpcpy(p, cell);
		used += width;
	}
	*p = '\0';
	return text;
}

static char *foot_text(const struct sb_pager *pager)
{
	sb_autofree char *size = sb_size_format(pager->size);
	sb_autofree char *shown = sb_size_format(pager->len);
	const size_t n = pager->lines.len;
	const size_t last = pager->top + pager->rows < n ? pager->top + pager->rows : n;
	const size_t percent = n > 0 ? last * 100 / n : 100;

	if (pager->is_cut)
		return sb_asprintf("%s, the first %s are shown  %zu %%", size, shown, percent);
	return sb_asprintf("%s  %zu %%", size, percent);
}

void sb_pager_draw(struct sb_pager *pager, struct sb_frame *frame, const struct sb_rect *rect)
{
	const unsigned columns = rect->columns > 4 ? rect->columns - 4 : 1;

	pager->rows = rect->rows > 2 ? rect->rows - 2 : 1;
	set_width(pager, columns);
	if (pager->top > last_top(pager))
		pager->top = last_top(pager);

	sb_autofree char *foot = foot_text(pager);

	sb_frame_box(frame, rect, true, pager->title, foot);
	if (pager->len == 0)
		(void)sb_frame_put(
			frame, rect->y + 1, rect->x + 2, columns, SB_STYLE_DIM, "(empty)");
	for (unsigned i = 0; i < pager->rows && pager->top + i < pager->lines.len; i++) {
		const struct line *line = &pager->lines.items[pager->top + i];
		sb_autofree char *text =
			pager->is_hex ? hex_text(pager, line) : line_text(pager, line, columns);

		(void)sb_frame_put(
			frame, rect->y + 1 + i, rect->x + 2, columns, SB_STYLE_PLAIN, text);
	}
}
