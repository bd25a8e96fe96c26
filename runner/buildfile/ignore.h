/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_IGNORE_H
#define SB_BUILDFILE_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"

/* .dockerignore: patterns in order, the last one that matches decides. */
struct sb_ignore;
int sb_ignore_parse(const char *file, const char *text, size_t len, struct sb_ignore **out,
	struct sb_error *err) SB_MUST_USE;
void sb_ignore_free(struct sb_ignore *ignore);
SB_DEFINE_FREEP(sb_ignore)
/* The same of patterns that were given one by one, without comments. */
int sb_ignore_of_patterns(
	const struct sb_strv *patterns, struct sb_ignore **out, struct sb_error *err) SB_MUST_USE;

/* `path` is relative to the context, cleaned. NULL ignores nothing. */
bool sb_ignore_excludes(const struct sb_ignore *ignore, const char *path);
/* True if something below an excluded folder may be included again, so that the folder must be
 * walked. */
bool sb_ignore_may_include_below(const struct sb_ignore *ignore, const char *dir);

/*
 * The same from folder to folder, for a walk: a name costs the same in any depth. A place is a
 * folder as the patterns see it; it is NULL where `ignore` is.
 */
struct sb_ignore_place;
void sb_ignore_place_free(struct sb_ignore_place *place);
SB_DEFINE_FREEP(sb_ignore_place)

struct sb_ignore_verdict {
	bool is_excluded;
	bool may_include_below; /* of something excluded: is a part of it included again? */
};
/* The context itself; caller frees. */
struct sb_ignore_place *sb_ignore_root(const struct sb_ignore *ignore);
/* On `name` in `dir`; *out_below (caller frees) is its place should it be a folder. */
struct sb_ignore_verdict sb_ignore_judge(const struct sb_ignore *ignore,
	const struct sb_ignore_place *dir, const char *name, struct sb_ignore_place **out_below);
/* On a whole path; out_below may be NULL. */
struct sb_ignore_verdict sb_ignore_judge_path(
	const struct sb_ignore *ignore, const char *path, struct sb_ignore_place **out_below);

/* Go's filepath.Match over a whole path: * ? [class] \x, none of which crosses a slash. 1 match, 0
 * none, -1 bad pattern. */
int sb_glob_match(const char *pattern, const char *path);
bool sb_glob_has_wildcard(const char *pattern);

#endif
