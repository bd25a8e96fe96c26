/* SPDX-License-Identifier: MIT */
#include "inspect/report_emit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void add(struct sb_emit *emit, const char *bytes, size_t len)
{
	if (!sb_error_is_set(emit->err) && sb_buf_add(&emit->text, bytes, len, emit->err) < 0)
		(void)sb_error_context(emit->err, "report");
}

static void add_str(struct sb_emit *emit, const char *text)
{
	add(emit, text, strlen(text));
}

static void new_line(struct sb_emit *emit)
{
	static const char blanks[] = "                                ";

	add_str(emit, "\n");
	add(emit, blanks, (size_t)emit->depth * 2);
}

/* The comma before an item, its place and its key. */
static void begin_item(struct sb_emit *emit, const char *key)
{
	if (emit->depth > 0) {
		struct sb_emit_level *level = &emit->levels[emit->depth - 1];

		if (level->has_items)
			add_str(emit, level->is_line ? ", " : ",");
		if (!level->is_line)
			new_line(emit);
		level->has_items = true;
	}
	if (key == NULL)
		return;
	add_str(emit, "\"");
	add_str(emit, key);
	add_str(emit, "\": ");
}

static void open_level(
	struct sb_emit *emit, const char *key, const char *opening, char closing, bool is_line)
{
	SB_BUG_ON(emit->depth == SB_EMIT_MAX_DEPTH);
	begin_item(emit, key);
	add_str(emit, opening);

	const bool is_in_line = emit->depth > 0 && emit->levels[emit->depth - 1].is_line;

	emit->levels[emit->depth++] =
		(struct sb_emit_level){.closing = closing, .is_line = is_line || is_in_line};
}

void sb_emit_object(struct sb_emit *emit, const char *key)
{
	open_level(emit, key, "{", '}', false);
}

void sb_emit_array(struct sb_emit *emit, const char *key)
{
	open_level(emit, key, "[", ']', false);
}

void sb_emit_line_object(struct sb_emit *emit, const char *key)
{
	open_level(emit, key, "{", '}', true);
}

void sb_emit_line_array(struct sb_emit *emit, const char *key)
{
	open_level(emit, key, "[", ']', true);
}

void sb_emit_end(struct sb_emit *emit)
{
	SB_BUG_ON(emit->depth == 0);

	const struct sb_emit_level level = emit->levels[--emit->depth];

	if (level.has_items && !level.is_line)
		new_line(emit);
	add(emit, &level.closing, 1);
}

static uint32_t code_point(const char *p, size_t len)
{
	uint32_t rune = (unsigned char)p[0];

	if (len > 1)
		rune &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++)
		rune = rune << 6 | ((unsigned char)p[i] & 0x3fU);
	return rune;
}

/* What a character becomes that can't stand for itself; returns its bytes in the input. */
static size_t add_escaped(struct sb_emit *emit, const char *p, size_t left)
{
	const size_t len = sb_utf8_length(p, left);
	const uint32_t rune = len > 0 ? code_point(p, len) : 0;
	char text[16];

	if (len == 0)
		(void)snprintf(text, sizeof(text), "\\\\x%02x", (unsigned)(unsigned char)*p);
	else if (rune == '"' || rune == '\\')
		(void)snprintf(text, sizeof(text), "\\%c", (char)rune);
	else if (rune == '\n' || rune == '\t')
		(void)snprintf(text, sizeof(text), "\\%c", rune == '\n' ? 'n' : 't');
	else if (rune < 0x10000)
		(void)snprintf(text, sizeof(text), "\\u%04" PRIx32, rune);
	else
		(void)snprintf(text, sizeof(text), "\\u%04" PRIx32 "\\u%04" PRIx32,
			0xd800 + ((rune - 0x10000) >> 10), 0xdc00 + ((rune - 0x10000) & 0x3ff));
	add_str(emit, text);
	return len > 0 ? len : 1;
}

static bool stands_for_itself(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void sb_emit_text(struct sb_emit *emit, const char *key, const char *text)
{
	begin_item(emit, key);
	if (text == NULL) {
		add_str(emit, "null");
		return;
	}

	const size_t len = strlen(text);

	add_str(emit, "\"");
	for (size_t i = 0; i < len;) {
		size_t n = 0;

		while (i + n < len && stands_for_itself(text[i + n]))
			n++;
		add(emit, text + i, n);
		i += n;
		if (i < len)
			i += add_escaped(emit, text + i, len - i);
	}
	add_str(emit, "\"");
}

void sb_emit_number(struct sb_emit *emit, const char *key, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n > INT64_MAX ? (uint64_t)INT64_MAX : n);
	begin_item(emit, key);
	add_str(emit, text);
}

void sb_emit_bool(struct sb_emit *emit, const char *key, bool value)
{
	begin_item(emit, key);
	add_str(emit, value ? "true" : "false");
}

void sb_emit_digest(struct sb_emit *emit, const char *key, const struct sb_digest *digest)
{
	sb_emit_text(emit, key, sb_digest_is_set(digest) ? digest->text : NULL);
}

void sb_emit_index(struct sb_emit *emit, const char *key, size_t index)
{
	if (index == SIZE_MAX)
		sb_emit_text(emit, key, NULL);
	else
		sb_emit_number(emit, key, index);
}

void sb_emit_lines(struct sb_emit *emit, const char *key, const struct sb_strv *lines)
{
	sb_emit_array(emit, key);
	for (size_t i = 0; i < lines->len; i++)
		sb_emit_text(emit, NULL, lines->items[i]);
	sb_emit_end(emit);
}

int sb_emit_finish(struct sb_emit *emit, char **out)
{
	SB_BUG_ON(emit->depth != 0);
	add_str(emit, "\n");
	if (sb_error_is_set(emit->err)) {
		sb_buf_release(&emit->text);
		return -1;
	}
	*out = sb_buf_steal(&emit->text);
	return 0;
}
