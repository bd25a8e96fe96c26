/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_SUGGEST_H
#define SB_BUILDFILE_SUGGEST_H

#include <stddef.h>

#include "base/error.h"

/*
 * "did you mean": the candidate nearest to a mistyped word, letter case ignored, or NULL where none
 * is near (more than a third of the letters differ, and at least three do). `at` gives candidate i,
 * NULL for one to pass over. Borrowed from the candidates.
 */
typedef const char *(*sb_candidate_fn)(const void *data, size_t i);
const char *sb_suggest(const char *word, sb_candidate_fn at, const void *data, size_t n);

/* Candidates that are an array of strings. */
const char *sb_candidate_string(const void *strings, size_t i);

/* Adds the hint "did you mean 'X'?" to an error that is set, where there is an X. Returns -1. */
int sb_hint_suggestion(
	struct sb_error *err, const char *word, sb_candidate_fn at, const void *data, size_t n);

#endif
