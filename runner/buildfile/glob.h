/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_GLOB_H
#define SB_BUILDFILE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * A compiled path pattern. It is run as an automaton on all its states at once: the time is at
 * most the product of the lengths of pattern and path.
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

struct sb_glob_result {
	bool matches;      /* all of the path */
	bool may_continue; /* some longer path that starts with this one matches */
};
struct sb_glob_result sb_glob_run(const struct sb_glob *glob, const char *path, size_t len);

#endif
