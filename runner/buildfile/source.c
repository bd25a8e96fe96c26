/* SPDX-License-Identifier: MIT */
#include "buildfile/source.h"

#include <string.h>

#include "base/limits.h"

struct sb_source sb_source_of(const char *file, const char *text, size_t len)
{
	struct sb_source source = {.file = file, .text = text, .len = len};

	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		source.next = 3;
	return source;
}

int sb_source_next(struct sb_source *source, struct sb_line *out, struct sb_error *err)
{
	*out = (struct sb_line){0};
	if (source->next >= source->len)
		return 0;

	const char *start = source->text + source->next;
	const size_t left = source->len - source->next;
	const char *newline = memchr(start, '\n', left);
	const size_t whole = newline != NULL ? (size_t)(newline - start) + 1 : left;
	size_t len = newline != NULL ? whole - 1 : whole;
	struct sb_source_pos at = {.file = source->file, .line = source->line + 1};

	if (len > SB_MAX_BUILDFILE_LINE)
		return sb_fail_at(err, SB_E_LIMIT, at, "the line is longer than %d bytes",
			SB_MAX_BUILDFILE_LINE);

	const char *nul = memchr(start, '\0', len);

	if (nul != NULL) {
		at.column = (unsigned)(nul - start) + 1;
		return sb_fail_at(err, SB_E_SYNTAX, at, "a NUL byte can't be part of a Buildfile");
	}
	while (len > 0 && start[len - 1] == '\r')
		len--;
	source->next += whole;
	source->line++;
	*out = (struct sb_line){
		.text = start, .len = len, .whole_len = whole, .number = source->line};
	return 0;
}
