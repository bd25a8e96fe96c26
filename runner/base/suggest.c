/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Longer words are never near to a known one; it also bounds the rows of the table. */
enum { MAX_WORD = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool same(char a, char b)
{
	return strncasecmp(&a, &b, 1) == 0;
}

size_t sb_edit_distance(const char *a, const char *b)
{
	const size_t a_len = strlen(a);
	const size_t b_len = strlen(b);
	size_t rows[3][MAX_WORD + 1] = {0};
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *row = rows[2];

	if (a_len > MAX_WORD || b_len > MAX_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
				last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
				same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}

		size_t *oldest = before;

		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

void sb_suggestion_consider(struct sb_suggestion *suggestion, const char *known)
{
	const size_t len = strlen(suggestion->typed);
	const size_t allowed = len < 2 ? 0 : len < 6 ? 1 : len < 9 ? 2 : len / 3;
	size_t distance = sb_edit_distance(suggestion->typed, known);

	/* A beginning of the word is as good as one slip. */
	if (len >= 3 && distance > 1 && strncasecmp(suggestion->typed, known, len) == 0)
		distance = 1;
	if (distance > allowed || (suggestion->best != NULL && distance >= suggestion->distance))
		return;
	suggestion->best = known;
	suggestion->distance = distance;
}

const char *sb_suggest(const char *word, sb_candidate_fn at, const void *data, size_t n)
{
	struct sb_suggestion suggestion = {.typed = word};

	for (size_t i = 0; i < n; i++)
		if (at(data, i) != NULL)
			sb_suggestion_consider(&suggestion, at(data, i));
	return suggestion.best;
}

const char *sb_candidate_string(const void *strings, size_t i)
{
	return ((const char *const *)strings)[i];
}

int sb_hint_suggestion(
	struct sb_error *err, const char *word, sb_candidate_fn at, const void *data, size_t n)
{
	const char *nearest = sb_suggest(word, at, data, n);

	return nearest != NULL ? sb_error_hint(err, "did you mean '%s'?", nearest) : -1;
}
