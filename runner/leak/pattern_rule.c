/* SPDX-License-Identifier: MIT */
#include "leak/pattern_rule.h"

#include <string.h>
#include <strings.h>

#include "leak/entropy.h"
#include "leak/pattern_text.h"
#include "leak/pattern_verify.h"

const struct sb_pattern_entry *sb_pattern_entry_at(size_t i)
{
	const struct sb_pattern_entry *const tables[] = {sb_pattern_issuers, sb_pattern_shapes};

	for (size_t t = 0; t < 2; t++)
		for (const struct sb_pattern_entry *entry = tables[t]; entry->rule.id != NULL;
			entry++)
			if (i-- == 0)
				return entry;
	return NULL;
}

const struct sb_pattern_rule *sb_pattern_rule_at(size_t i)
{
	const struct sb_pattern_entry *entry = sb_pattern_entry_at(i);

	if (entry != NULL)
		return &entry->rule;
	return i > 0 && sb_pattern_entry_at(i - 1) != NULL ? sb_pattern_variable_rule() : NULL;
}

bool sb_verify_token(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t mark_len = strlen(mark->text);
	const size_t max = mark->max != 0 ? mark->max : mark->min;
	const size_t most = view->is_line ? view->len : max;
	const size_t body = at + mark_len;
	size_t n = sb_chars_count(mark->set, view, body, most);
	const size_t next = body + n;

	if (!sb_text_begins(view, at))
		return false;
	/* The end of a sentence is none of it. */
	while (n > 0 && view->text[body + n - 1] == '.')
		n--;
	if (n < mark->min || sb_text_is_sample(view->text + body, n))
		return false;
	*out = (struct sb_pattern_span){at, mark_len + n};
	if (view->is_line)
		return true;

	const unsigned alphabet =
		mark->alphabet != 0 ? mark->alphabet : sb_chars_alphabet(mark->set);

	if (next < view->len && (sb_chars_have(mark->set, view->text[next]) ||
					sb_chars_have(SB_CHARS_WORD, view->text[next])))
		return false;
	return !sb_text_is_stop_word(view->text + body, n) &&
	       sb_entropy_is_random(view->text + body, n, alphabet);
}

bool sb_pattern_verify(const struct sb_pattern_entry *entry, const struct sb_pattern_view *view,
	const struct sb_pattern_mark *mark, size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span span;

	if (!(entry->verify != NULL ? entry->verify : sb_verify_token)(view, mark, at, &span))
		return false;
	if ((entry->flags & SB_PATTERN_TEXT_ONLY) != 0 && !view->is_line &&
		!sb_text_is_printable(view, span))
		return false;
	*out = span;
	return true;
}

static bool is_name(const char *pattern, const char *name)
{
	const size_t len = strlen(name);

	if (pattern[0] != '*')
		return strcasecmp(pattern, name) == 0;
	pattern++;
	return len >= strlen(pattern) && strcasecmp(name + len - strlen(pattern), pattern) == 0;
}

bool sb_pattern_has_file(const struct sb_pattern_entry *entry, const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *base = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; base != NULL && i < SB_PATTERN_MAX_FILES && entry->files[i] != NULL; i++)
		if (is_name(entry->files[i], base))
			return true;
	return false;
}
