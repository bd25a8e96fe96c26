/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_SUGGEST_H
#define SB_BASE_SUGGEST_H

#include <stddef.h>

#include "base/error.h"

/*
 * "Did you mean …?": the nearest of some known words to a mistyped one, letter case ignored.
 *
 * Feed every known word; `best` is the nearest so far (borrowed; the first of several), or NULL
 * where none is near: what the word begins is, and what at most one edit makes of it, from 6
 * letters on two, from 9 on one for each three.
 */
struct sb_suggestion {
	const char *typed;
	const char *best;
	size_t distance;
};
void sb_suggestion_consider(struct sb_suggestion *suggestion, const char *known);

/* The same over n candidates: `at` gives candidate i, NULL for one to pass over. */
typedef const char *(*sb_candidate_fn)(const void *data, size_t i);
const char *sb_suggest(const char *word, sb_candidate_fn at, const void *data, size_t n);
/* Candidates that are an array of strings. */
const char *sb_candidate_string(const void *strings, size_t i);
/* Adds the hint "did you mean 'X'?" to an error that is set, where there is an X. Returns -1. */
int sb_hint_suggestion(
	struct sb_error *err, const char *word, sb_candidate_fn at, const void *data, size_t n);

/* The number of insertions, deletions, replacements and swaps of neighbours between two words,
 * letter case ignored; words over 64 bytes count as SIZE_MAX away. */
size_t sb_edit_distance(const char *a, const char *b);

#endif
