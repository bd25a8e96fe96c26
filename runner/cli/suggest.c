/* SPDX-License-Identifier: MIT */
#include "cli/suggest.h"

#include <stdint.h>
#include <string.h>

enum { MAX_WORD = 32 };

static size_t least(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

size_t sb_edit_distance(const char *a, const char *b)
{
	const size_t a_len = strlen(a);
	const size_t b_len = strlen(b);
	size_t cost[MAX_WORD + 1][MAX_WORD + 1] = {0};

	if (a_len > MAX_WORD || b_len > MAX_WORD)
		return SIZE_MAX;
	for (size_t i = 0; i <= a_len; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			const size_t replace = a[i - 1] == b[j - 1] ? 0 : 1;

			cost[i][j] = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
				cost[i - 1][j - 1] + replace);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				cost[i - 2][j - 2] + 1 < cost[i][j])
				cost[i][j] = cost[i - 2][j - 2] + 1;
		}
	}
	return cost[a_len][b_len];
}

void sb_suggestion_consider(struct sb_suggestion *suggestion, const char *known)
{
	const size_t len = strlen(suggestion->typed);
	const size_t allowed = len < 3 ? 0 : len < 6 ? 1 : 2;
	size_t distance = sb_edit_distance(suggestion->typed, known);

	/* A beginning of the word is as good as one slip. */
	if (len >= 3 && distance > 1 && strncmp(suggestion->typed, known, len) == 0)
		distance = 1;
	if (distance > allowed || (suggestion->best != NULL && distance >= suggestion->distance))
		return;
	suggestion->best = known;
	suggestion->distance = distance;
}
