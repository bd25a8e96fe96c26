/* SPDX-License-Identifier: MIT */
#include "cli/lines.h"

#include <string.h>

#include "base/ansi.h"
#include "base/escape.h"
#include "base/mem.h"

enum { TAB_COLUMNS = 8 };

static struct sb_line_buffer *buffer_of(struct sb_lines *lines, uint32_t step, int stream)
{
	SB_ARRAY_FOREACH (lines, buffer) {
		if (buffer->step == step && buffer->stream == stream)
			return buffer;
	}

	struct sb_line_buffer *buffer = SB_ARRAY_ADD(lines);

	buffer->step = step;
	buffer->stream = stream;
	buffer->bytes = sb_malloc(SB_LINE_BYTES);
	return buffer;
}

/* Hands on the first `len` bytes and keeps the others. */
static void emit(const struct sb_lines *lines, struct sb_line_buffer *buffer, size_t len)
{
	lines->on_line(lines->data, buffer->step, buffer->stream, buffer->bytes, len);
	buffer->len -= len;
	memmove(buffer->bytes, buffer->bytes + len, buffer->len);
}

static void emit_full(const struct sb_lines *lines, struct sb_line_buffer *buffer)
{
	size_t cut = buffer->len;

	/* Steps back over a sequence that has begun: at most three bytes behind its first. */
	for (size_t back = 1; back <= 3; back++) {
		const unsigned char c = (unsigned char)buffer->bytes[buffer->len - back];

		if (c >= 0xc0)
			cut = buffer->len - back;
		if (c < 0x80 || c >= 0xc0)
			break;
	}
	emit(lines, buffer, cut);
}

static void add_byte(const struct sb_lines *lines, struct sb_line_buffer *buffer, char c)
{
	if (c == '\n') {
		buffer->has_return = false;
		emit(lines, buffer, buffer->len);
		return;
	}
	if (c == '\r' && !lines->is_raw) {
		buffer->has_return = true;
		return;
	}
	if (buffer->has_return) {
		buffer->has_return = false;
		buffer->len = 0;
	}
	if (buffer->len == SB_LINE_BYTES)
		emit_full(lines, buffer);
	buffer->bytes[buffer->len++] = c;
}

void sb_lines_add(struct sb_lines *lines, const struct sb_event *event)
{
	struct sb_line_buffer *buffer = buffer_of(lines, event->step, event->stream);

	for (size_t i = 0; i < event->len; i++)
		add_byte(lines, buffer, event->text[i]);
}

static void end_buffer(struct sb_lines *lines, struct sb_line_buffer *buffer)
{
	if (buffer->len > 0)
		emit(lines, buffer, buffer->len);
	free(buffer->bytes);
	*buffer = lines->items[--lines->len];
}

void sb_lines_end(struct sb_lines *lines, uint32_t step)
{
	for (int stream = 1; stream <= 2; stream++) {
		SB_ARRAY_FOREACH (lines, buffer) {
			if (buffer->step == step && buffer->stream == stream) {
				end_buffer(lines, buffer);
				break;
			}
		}
	}
}

void sb_lines_end_all(struct sb_lines *lines)
{
	while (lines->len > 0)
		end_buffer(lines, &lines->items[0]);
}

void sb_lines_release(struct sb_lines *lines)
{
	SB_ARRAY_FOREACH (lines, buffer)
		free(buffer->bytes);
	SB_ARRAY_RELEASE(lines);
}

char *sb_line_clean(const char *line, size_t len)
{
	struct sb_ansi_filter filter = SB_ANSI_FILTER_INIT;
	sb_autofree char *text = sb_malloc(len + 1);
	sb_autofree char *plain = sb_reallocarray(NULL, len + 1, TAB_COLUMNS);
	size_t n = 0;

	len = sb_ansi_filter(&filter, line, len, text);
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\t') {
			plain[n++] = text[i];
			continue;
		}
		do
			plain[n++] = ' ';
		while (n % TAB_COLUMNS != 0);
	}
	return sb_escape_text(plain, n);
}

/* Code point and length of the sequence at p, which is well formed. */
static size_t read_rune(const char *p, uint32_t *out)
{
	const unsigned char first = (unsigned char)p[0];
	const size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	*out = len == 1 ? first : first & (0x7fU >> len);
	for (size_t i = 1; i < len && p[i] != '\0'; i++)
		*out = *out << 6 | ((unsigned char)p[i] & 0x3fU);
	return strnlen(p, len);
}

/* Too wide is harmless, too narrow would break the layout: what may be two columns counts as two,
 * and no character as none. */
static size_t rune_columns(uint32_t rune)
{
	return rune >= 0x1100 && (rune < 0x2000 || rune >= 0x2e80 || rune == 0x231a ||
					 (rune >= 0x23e9 && rune < 0x2400) ||
					 (rune >= 0x25fb && rune < 0x2800))
		       ? 2
		       : 1;
}

size_t sb_text_columns(const char *text)
{
	size_t columns = 0;

	while (*text != '\0') {
		uint32_t rune = 0;

		text += read_rune(text, &rune);
		columns += rune_columns(rune);
	}
	return columns;
}

char *sb_text_fit(const char *text, size_t columns, bool is_utf8)
{
	const char *dots = is_utf8 ? "…" : "...";
	const size_t dots_columns = is_utf8 ? 1 : 3;
	size_t used = 0;
	const char *p = text;

	if (sb_text_columns(text) <= columns)
		return sb_strdup(text);
	if (columns < dots_columns)
		return sb_strdup("");
	while (*p != '\0') {
		uint32_t rune = 0;
		const size_t len = read_rune(p, &rune);

		if (used + rune_columns(rune) + dots_columns > columns)
			break;
		used += rune_columns(rune);
		p += len;
	}
	return sb_asprintf("%.*s%s", (int)(p - text), text, dots);
}
