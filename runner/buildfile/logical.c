/* SPDX-License-Identifier: MIT */
#include "buildfile/logical.h"

#include "base/limits.h"
#include "buildfile/chars.h"

void sb_logical_release(struct sb_logical *line)
{
	sb_buf_release(&line->text);
	sb_buf_release(&line->shown);
	SB_ARRAY_RELEASE(&line->pieces);
}

/*
 * A lone escape character before the end of the line (blanks may follow it) continues the line. A
 * doubled one is an escaped escape. *len becomes the length without it.
 */
static bool is_continued(const char *text, size_t *len, char escape)
{
	size_t end = *len;

	while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	if (end == 0 || text[end - 1] != escape)
		return false;
	if (end > 1 && text[end - 2] == escape)
		return false;
	*len = end - 1;
	return true;
}

static bool is_comment(const char *text, size_t len)
{
	const size_t blanks = sb_skip_blanks(text, len);

	return blanks < len && text[blanks] == '#';
}

/* Adds text[from..len) of a physical line. */
static int add_piece(struct sb_logical *line, const struct sb_line *physical, size_t from,
	size_t len, struct sb_error *err)
{
	const char *start = physical->text + from;
	const size_t n = len - from;
	const size_t blanks = sb_skip_blanks(start, n);

	*SB_ARRAY_ADD(&line->pieces) =
		(struct sb_piece){line->text.len, physical->number, (unsigned)from + 1};
	if (sb_buf_add(&line->text, start, n, err) < 0)
		return -1;
	if (blanks == n)
		return 0;
	if (line->shown.len > 0 && sb_buf_add_char(&line->shown, ' ', err) < 0)
		return -1;
	return sb_buf_add(
		&line->shown, start + blanks, sb_trim_end(start + blanks, n - blanks), err);
}

/* Adds the lines that follow a continued one. */
static int read_continuation(
	struct sb_source *source, char escape, struct sb_logical *line, struct sb_error *err)
{
	bool more = true;

	while (more) {
		struct sb_line physical;

		if (sb_source_next(source, &physical, err) < 0)
			return -1;
		if (physical.text == NULL)
			return 0;
		if (is_comment(physical.text, physical.len) ||
			sb_trim_end(physical.text, physical.len) == 0)
			continue;

		size_t len = physical.len;

		more = is_continued(physical.text, &len, escape);
		if (add_piece(line, &physical, 0, len, err) < 0)
			return -1;
	}
	return 0;
}

static void trim(struct sb_logical *line)
{
	sb_buf_cut(&line->text, sb_trim_end(line->text.data, line->text.len));
}

static int read_line(
	struct sb_source *source, char escape, struct sb_logical *line, struct sb_error *err)
{
	while (line->text.len == 0) {
		struct sb_line physical;

		if (sb_source_next(source, &physical, err) < 0)
			return -1;
		if (physical.text == NULL)
			return 0;
		if (is_comment(physical.text, physical.len))
			continue;

		const size_t blanks = sb_skip_blanks(physical.text, physical.len);

		if (blanks == physical.len)
			continue;
		line->pieces.len = 0;

		/* A line that is only an escape character continues too, so the blanks count. */
		size_t len = physical.len;
		const bool more = is_continued(physical.text, &len, escape);

		if (add_piece(line, &physical, blanks < len ? blanks : len, len, err) < 0)
			return -1;
		if (more && read_continuation(source, escape, line, err) < 0)
			return -1;
		trim(line);
	}
	return 0;
}

int sb_logical_read(
	struct sb_source *source, char escape, struct sb_logical *line, struct sb_error *err)
{
	line->file = source->file;
	line->pieces.len = 0;
	sb_buf_clear(&line->text);
	sb_buf_clear(&line->shown);
	if (read_line(source, escape, line, err) < 0)
		return sb_error_locate(err, (struct sb_source_pos){source->file, source->line, 0});
	return 0;
}

struct sb_source_pos sb_logical_at(const struct sb_logical *line, size_t offset)
{
	struct sb_source_pos at = {.file = line->file};

	SB_ARRAY_FOREACH (&line->pieces, piece) {
		if (piece->offset > offset)
			break;
		at.line = piece->line;
		at.column = piece->column + (unsigned)(offset - piece->offset);
	}
	return at;
}
