/* SPDX-License-Identifier: MIT */
#include "lint/hidden.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "buildfile/chars.h"
#include "lint/secret_name.h"
#include "lint/secret_value.h"

/* Hides bytes [from, to) of an instruction's line, on all of the lines that it was written on. */
static void hide_in_line(
	struct sb_linter *linter, const struct sb_lint_item *item, size_t from, size_t to)
{
	const struct sb_pieces *pieces = &item->line->pieces;

	for (size_t i = 0; i < pieces->len; i++) {
		const struct sb_piece *piece = &pieces->items[i];
		const size_t end = i + 1 < pieces->len ? piece[1].offset : item->line->text.len;
		const size_t first = from > piece->offset ? from : piece->offset;
		const size_t last = to < end ? to : end;

		if (first < last)
			*SB_ARRAY_ADD(&linter->hidden) = (struct sb_span){piece->line,
				piece->column - 1 + first - piece->offset,
				piece->column - 1 + last - piece->offset};
	}
}

/* The value behind `key` and `=` or blanks, at its first place. */
static void hide_pair(struct sb_linter *linter, const struct sb_lint_item *item,
	const struct sb_pair *pair, const char **from)
{
	const char *line = item->line->text.data;
	const size_t key_len = strlen(pair->key);
	const size_t value_len = strlen(pair->value);

	for (const char *found = strstr(*from, pair->key); found != NULL;
		found = strstr(found + 1, pair->key)) {
		const char *value = found + key_len;

		value += strspn(value, "= \t");
		if (value > found + key_len && strncmp(value, pair->value, value_len) == 0) {
			hide_in_line(linter, item, (size_t)(value - line),
				(size_t)(value - line) + value_len);
			*from = value + value_len;
			return;
		}
	}
}

static void hide_pairs(struct sb_linter *linter, const struct sb_lint_item *item)
{
	const char *from = item->line->text.data;

	SB_ARRAY_FOREACH (&item->instr->pairs, pair) {
		if (pair->value == NULL || pair->value[0] == '\0')
			continue;

		const size_t len = strlen(pair->value);
		const bool is_named = sb_secret_name_of_variable(pair->key);

		if (is_named || (!sb_public_name_of_variable(pair->key) &&
					sb_secret_value_is_random(pair->value, len, false)))
			hide_pair(linter, item, pair, &from);
	}
}

/* NAME=value with a secret's name, in a script. */
static void hide_word(
	struct sb_linter *linter, const struct sb_lint_item *item, const struct sb_shell_word *word)
{
	const char *equals = strchr(word->text, '=');

	if (equals == NULL || equals == word->text || equals[1] == '\0')
		return;

	const size_t name_len = (size_t)(equals - word->text);
	sb_autofree char *name = sb_memdup0(word->text, name_len);

	for (size_t i = 0; i < name_len; i++)
		name[i] = name[i] == '-' ? '_' : name[i];
	if (!sb_secret_name_of_variable(name) || word->len <= name_len + 1)
		return;

	const struct sb_lint_place place =
		sb_lint_at_script(linter, item, word->at + name_len + 1, word->len - name_len - 1);

	*SB_ARRAY_ADD(&linter->hidden) =
		(struct sb_span){place.line, place.column - 1, place.column - 1 + place.len};
}

void sb_hidden_collect(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		hide_pairs(linter, item);
		if (item->script == NULL)
			continue;
		SB_ARRAY_FOREACH (&item->shell.commands, command)
			if (command->owner_kind != SB_SHELL_OWNER_ARGUMENT)
				SB_ARRAY_FOREACH (&command->words, word)
					hide_word(linter, item, word);
	}
}

SB_ARRAY_STRUCT(spans, struct sb_span);

static void spans_of(const struct sb_linter *linter, unsigned number, struct spans *out)
{
	const struct sb_text_line *line = &linter->lines.items[number - 1];
	struct sb_secret_value found;

	SB_ARRAY_FOREACH (&linter->hidden, span)
		if (span->line == number)
			*SB_ARRAY_ADD(out) = *span;
	for (size_t at = 0; sb_secret_value_find(line->text, line->len, at, &found);
		at = found.at + found.len)
		*SB_ARRAY_ADD(out) = (struct sb_span){number, found.at, found.at + found.len};
}

/* Where the hidden piece that byte `at` is in ends; `at` where it is in none. */
static size_t hidden_end(const struct spans *spans, size_t at)
{
	size_t end = at;

	SB_ARRAY_FOREACH (spans, span)
		if (span->from <= at && at < span->to && span->to > end)
			end = span->to;
	return end;
}

/* A line's text as it grows, in characters. */
struct excerpt {
	struct sb_buf text;
	unsigned n_characters;
};

static void put(struct excerpt *out, const char *text, size_t len, unsigned n_characters)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_buf_add(&out->text, text, len, &err) < 0)
		sb_error_ignore(&err, "lines are shorter than what it takes");
	out->n_characters += n_characters;
}

/* One character, or one hidden piece; where the next one is. */
static size_t put_next(
	struct excerpt *out, const struct sb_text_line *line, const struct spans *spans, size_t at)
{
	static const char hidden[] = "[hidden]";
	const size_t end = hidden_end(spans, at);

	if (end > at) {
		put(out, hidden, strlen(hidden), (unsigned)strlen(hidden));
		/* Pieces that touch are one. */
		return hidden_end(spans, end) > end ? hidden_end(spans, end) : end;
	}

	const size_t n = sb_utf8_length(line->text + at, line->len - at);
	const unsigned char c = (unsigned char)line->text[at];

	if (c == '\t')
		put(out, " ", 1, 1);
	else if (n == 0 || c < ' ' || c == 0x7F ||
		 (n == 2 && c == 0xC2 && (unsigned char)line->text[at + 1] < 0xA0))
		put(out, "?", 1, 1);
	else
		put(out, line->text + at, n, 1);
	return at + (n == 0 ? 1 : n);
}

/* The line from `from` to `to`, at bytes that begin a character. */
static char *put_range(const struct sb_linter *linter, unsigned number, size_t from, size_t to,
	const struct sb_lint_place *place, unsigned *out_column, unsigned *out_len)
{
	const struct sb_text_line *line = &linter->lines.items[number - 1];
	struct excerpt out = {.text = SB_BUF_INIT(SB_MAX_BUILDFILE)};
	struct spans spans = {0};
	const size_t mark = place != NULL ? place->column - 1 : 0;
	const size_t mark_end = place != NULL ? mark + (place->len > 0 ? place->len : 1) : 0;

	spans_of(linter, number, &spans);
	if (from > 0)
		put(&out, "…", strlen("…"), 1);
	for (size_t at = from; at < to;) {
		const unsigned before = out.n_characters;
		const size_t next = put_next(&out, line, &spans, at);

		if (place != NULL && next > mark && at < mark_end) {
			if (*out_column == 0)
				*out_column = before + 1;
			*out_len = out.n_characters + 1 - *out_column;
		}
		at = next;
	}
	if (to < line->len)
		put(&out, "…", strlen("…"), 1);
	SB_ARRAY_RELEASE(&spans);
	return sb_buf_steal(&out.text);
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

char *sb_hidden_excerpt(const struct sb_linter *linter, struct sb_lint_place place,
	unsigned *out_column, unsigned *out_len)
{
	*out_column = *out_len = 0;
	if (place.line == 0 || place.line > linter->lines.len || place.column == 0)
		return sb_strdup("");

	const struct sb_text_line *line = &linter->lines.items[place.line - 1];
	const size_t mark = place.column - 1;
	size_t from = 0;

	if (line->len > SB_EXCERPT_BYTES && mark > SB_EXCERPT_BYTES / 2)
		from = mark - SB_EXCERPT_BYTES / 2;
	if (from > line->len)
		from = line->len;
	while (from > 0 && from < line->len && is_continuation(line->text[from]))
		from--;

	size_t to = line->len - from > SB_EXCERPT_BYTES ? from + SB_EXCERPT_BYTES : line->len;

	while (to < line->len && is_continuation(line->text[to]))
		to++;
	return put_range(linter, place.line, from, to, &place, out_column, out_len);
}

char *sb_hidden_line(const struct sb_linter *linter, unsigned line)
{
	if (line == 0 || line > linter->lines.len)
		return sb_strdup("");
	return put_range(linter, line, 0, linter->lines.items[line - 1].len, NULL, NULL, NULL);
}
