/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_IGNORE_H
#define SB_BUILDFILE_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* .dockerignore: patterns in order, the last one that matches decides. */
struct sb_ignore;
int sb_ignore_parse(const char *file, const char *text, size_t len, struct sb_ignore **out,
	struct sb_error *err) SB_MUST_USE;
void sb_ignore_free(struct sb_ignore *ignore);
SB_DEFINE_FREEP(sb_ignore)
/* `path` is relative to the context, cleaned. NULL ignores nothing. */
bool sb_ignore_excludes(const struct sb_ignore *ignore, const char *path);
/* True if something below an excluded folder may be included again, so that the folder must be
 * walked. */
bool sb_ignore_may_include_below(const struct sb_ignore *ignore, const char *dir);

/* Go's filepath.Match over a whole path: * ? [class] \x, none of which crosses a slash. 1 match, 0
 * none, -1 bad pattern. */
int sb_glob_match(const char *pattern, const char *path);
bool sb_glob_has_wildcard(const char *pattern);

#endif
