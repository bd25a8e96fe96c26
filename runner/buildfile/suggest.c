/* SPDX-License-Identifier: MIT */
#include "buildfile/suggest.h"

#include <string.h>

#include "buildfile/chars.h"

/* Longer words are never near to a keyword; it also bounds the rows of the table. */
enum { MAX_WORD = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edit distance in which swapping two neighbours is one edit. Both words at most MAX_WORD long. */
static size_t distance(const char *a, const char *b)
{
	const size_t a_len = strlen(a);
	const size_t b_len = strlen(b);
	size_t rows[3][MAX_WORD + 1] = {0};
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const bool same = sb_lower(a[i - 1]) == sb_lower(b[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && sb_lower(a[i - 1]) == sb_lower(b[j - 2]) &&
				sb_lower(a[i - 2]) == sb_lower(b[j - 1]) &&
				before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}

		size_t *oldest = before;

		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

const char *sb_suggest(const char *word, sb_candidate_fn at, const void *data, size_t n)
{
	const size_t len = strlen(word);
	const char *nearest = NULL;
	size_t allowed = len / 3 > 2 ? len / 3 : 2;

	if (len < 2 || len > MAX_WORD)
		return NULL;
	if (len <= 3)
		allowed = 1;
	for (size_t i = 0; i < n; i++) {
		const char *candidate = at(data, i);

		if (candidate == NULL || strlen(candidate) > MAX_WORD)
			continue;

		const size_t d = distance(word, candidate);

		if (d < allowed || (d == allowed && nearest == NULL)) {
			nearest = candidate;
			allowed = d;
		}
	}
	return nearest;
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
