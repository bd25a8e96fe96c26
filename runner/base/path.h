/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_PATH_H
#define SB_BASE_PATH_H

#include <stdbool.h>

/*
 * Paths as text, nothing is looked up. All results are the caller's to free.
 */

/* Lexical cleaning as Go's path.Clean: no empty, `.` or resolvable `..` parts, no trailing slash;
 * "" becomes ".". */
char *sb_path_clean(const char *path);
/* Cleaned base + "/" + path; an absolute `path` is taken below base all the same. */
char *sb_path_join(const char *base, const char *path);
/* `path` if it is absolute, else joined to base; cleaned. */
char *sb_path_resolve(const char *base, const char *path);
/* The last part ("/" for the root), and what comes before it ("." where nothing does). */
char *sb_path_base(const char *path);
char *sb_path_dir(const char *path);
/* The path below a root: cleaned, `..` clamped at the root, without the leading slash; "." for the
 * root. */
char *sb_path_below_root(const char *path);
/* True if cleaned `path` is `dir` or lies below it; both cleaned. */
bool sb_path_is_below(const char *dir, const char *path);

/* The order of a walk through a tree, as strcmp says it: a folder before what is in it, that before
 * the folder's siblings, names by bytes. Both cleaned. */
int sb_path_compare(const char *a, const char *b);

#endif
