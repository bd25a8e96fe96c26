/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_MATCH_H
#define SB_BUILD_COPY_MATCH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/array.h"
#include "build/copy.h"

/* What one source word of COPY or ADD names. */
struct sb_copy_match {
	char *path;       /* as written or matched: relative to the source's root, cleaned; owned */
	char *real;       /* the same with all links resolved; "." is the root; owned */
	struct stat st;   /* of `real` */
	bool is_excluded; /* a folder that is ignored itself, while something below it may not be */
	char *inner;      /* --parents: the pattern of what is copied of the folder `real`, with the
			     folders on the way to it; NULL: all that is in it; owned */
};
SB_ARRAY_STRUCT(sb_copy_matches, struct sb_copy_match);

void sb_copy_matches_release(struct sb_copy_matches *matches);

/*
 * Appends what `source` names: the one thing of that name (its last part and the folders on the way
 * may be links), or with wildcards everything that matches, in byte order. What is ignored is as if
 * it were not there, and so is what a link leads to. Nothing at all is SB_E_NOT_FOUND; the source
 * file of a secret is SB_E_LEAK, and is passed over by a wildcard. --exclude holds for files that a
 * wildcard matches, by their last name, and not for what is named.
 *
 * With --parents it is the folder before the first `/./`, or else the root, and the rest of the
 * word is the pattern. A link on that part of the way is not followed.
 */
int sb_copy_match(const struct sb_copy *copy, const char *source, struct sb_copy_matches *out,
	struct sb_error *err) SB_MUST_USE;

#endif
