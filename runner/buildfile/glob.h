/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_GLOB_H
#define SB_BUILDFILE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * A compiled path pattern. It is run as an automaton on all its states at once: the time is at
 * most the product of the lengths of pattern and path. It can be stopped anywhere and go on from
 * there, so that a folder's path is read once for all that is in it.
 */
struct sb_glob;

enum sb_glob_dialect {
	SB_GLOB_PATH,   /* Go's filepath.Match: * ? [class] \x; a `**` is two stars */
	SB_GLOB_IGNORE, /* the same, and `**` is any number of folders */
};

/* NULL for a pattern that is not well-formed (an open class or range, a backslash at the end). */
struct sb_glob *sb_glob_compile(const char *pattern, enum sb_glob_dialect dialect);
void sb_glob_free(struct sb_glob *glob);
SB_DEFINE_FREEP(sb_glob)

/*
 * What the pattern may be at after some text: a set of states in so many words. A set with no state
 * left stays so whatever is read.
 */
size_t sb_glob_words(const struct sb_glob *glob);
/* Nothing was read yet. */
void sb_glob_start(const struct sb_glob *glob, uint64_t *set);
/* Reads on; false where no state is left. `spare` is as large as the set. */
bool sb_glob_read(
	const struct sb_glob *glob, uint64_t *set, uint64_t *spare, const char *text, size_t len);

struct sb_glob_result {
	bool matches;      /* all that was read */
	bool may_continue; /* some longer text that starts with it matches */
};
struct sb_glob_result sb_glob_result(const struct sb_glob *glob, const uint64_t *set);

#endif
