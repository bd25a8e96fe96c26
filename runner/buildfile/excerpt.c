/* SPDX-License-Identifier: MIT */
#include "buildfile/excerpt.h"

#include <string.h>

#include "base/mem.h"

/* Where line `number` begins, or NULL. */
static const char *find_line(const char *text, size_t len, unsigned number)
{
	const char *line = text;
	const char *end = text + len;

	for (unsigned n = 1; n < number; n++) {
		line = memchr(line, '\n', (size_t)(end - line));
		if (line == NULL)
			return NULL;
		line++;
	}
	return line < end ? line : NULL;
}

static size_t line_length(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));
	size_t len = (size_t)((newline != NULL ? newline : end) - line);

	while (len > 0 && line[len - 1] == '\r')
		len--;
	return len;
}

void sb_excerpt_add(struct sb_error *err, const char *text, size_t len)
{
	const char *line = err->at.line != 0 ? find_line(text, len, err->at.line) : NULL;

	if (line == NULL || err->excerpt != NULL)
		return;

	const size_t line_len = line_length(line, text + len);

	err->excerpt = sb_memdup0(line, line_len);
	err->excerpt_column = err->at.column <= line_len + 1 ? err->at.column : 0;
}

static const struct sb_instruction *find_instruction(
	const struct sb_buildfile *buildfile, const struct sb_source_pos *at)
{
	SB_ARRAY_FOREACH (&buildfile->instructions, instr)
		if (instr->at.line == at->line && instr->at.column == at->column)
			return instr;
	return NULL;
}

/* The words may stand on any line of the instruction. Where they were put together from several,
 * they are found on none, and the error stays where it is. */
static void move_to_words(const struct sb_buildfile *buildfile, const struct sb_instruction *instr,
	struct sb_error *err)
{
	const char *end = buildfile->text + buildfile->len;
	const char *line = find_line(buildfile->text, buildfile->len, instr->at.line);
	/* One that did not parse has no end yet. */
	const unsigned last = instr->end_line > instr->at.line ? instr->end_line : instr->at.line;
	size_t from = instr->at.column - 1;

	for (unsigned n = instr->at.line; line != NULL && line < end && n <= last; n++) {
		const size_t len = line_length(line, end);
		const char *found =
			from < len ? memmem(line + from, len - from, err->about, strlen(err->about))
				   : NULL;

		if (found != NULL) {
			err->at.line = n;
			err->at.column = (unsigned)(found - line) + 1;
			return;
		}
		line = memchr(line, '\n', (size_t)(end - line));
		line = line != NULL ? line + 1 : NULL;
		from = 0;
	}
}

void sb_buildfile_show(const struct sb_buildfile *buildfile, struct sb_error *err)
{
	if (err->at.file == NULL || strcmp(err->at.file, buildfile->file) != 0)
		return;

	const struct sb_instruction *instr = find_instruction(buildfile, &err->at);

	if (instr != NULL && err->about != NULL && err->about[0] != '\0')
		move_to_words(buildfile, instr, err);
	sb_excerpt_add(err, buildfile->text, buildfile->len);
}
