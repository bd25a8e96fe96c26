/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_SUGGEST_H
#define SB_CLI_SUGGEST_H

#include <stddef.h>

/*
 * "Did you mean …?": the nearest of some known words to a mistyped one.
 *
 * Feed every known word; `best` is the nearest so far (borrowed), or NULL where none is near
 * enough: a prefix of it, or at most one edit away for each three letters, and never more than two.
 */
struct sb_suggestion {
	const char *typed;
	const char *best;
	size_t distance;
};

void sb_suggestion_consider(struct sb_suggestion *suggestion, const char *known);

/* The number of insertions, deletions, replacements and swaps of neighbours between two words;
 * words over 32 bytes count as SIZE_MAX away. */
size_t sb_edit_distance(const char *a, const char *b);

#endif
