/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/pattern_rule.h"
#include "leak/pattern_text.h"

/* The value of the entry that has a mark at `at`. */
static bool find_entry(const struct sb_pattern_entry *entry, const struct sb_pattern_view *view,
	size_t at, struct sb_pattern_span *out)
{
	for (size_t k = 0; k < SB_PATTERN_MAX_MARKS && entry->marks[k].text != NULL; k++) {
		const struct sb_pattern_mark *mark = &entry->marks[k];

		if (view->text[at] == mark->text[0] && sb_text_has(view, at, mark->text) &&
			sb_pattern_verify(entry, view, mark, at, out))
			return true;
	}
	return false;
}

static bool find_in(const struct sb_pattern_entry *table, const struct sb_pattern_view *view,
	size_t at, size_t from, struct sb_pattern_found *out)
{
	struct sb_pattern_span span;

	for (const struct sb_pattern_entry *entry = table; entry->rule.id != NULL; entry++) {
		/* A value that began in what was found before is that one. */
		if ((entry->flags & SB_PATTERN_IN_LINES) == 0 ||
			!find_entry(entry, view, at, &span) || span.at < from)
			continue;
		*out = (struct sb_pattern_found){&entry->rule, span.at, span.len};
		return true;
	}
	return false;
}

bool sb_pattern_find_in_text(
	const char *text, size_t len, size_t from, struct sb_pattern_found *out)
{
	const struct sb_pattern_view view = {
		.text = text, .len = len, .is_start = true, .is_line = true};

	for (size_t at = from; at < len; at++)
		if (find_in(sb_pattern_issuers, &view, at, from, out) ||
			find_in(sb_pattern_shapes, &view, at, from, out))
			return true;
	return false;
}
