/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_FILTER_H
#define SB_BUILD_COPY_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "build/copy_match.h"
#include "buildfile/glob.h"
#include "buildfile/ignore.h"

/*
 * Which part of a folder is copied: not what .dockerignore or --exclude leaves out, and of a
 * --parents source only what its pattern names. It is asked from folder to folder, so that a name
 * costs the same in any depth.
 */
struct sb_copy_filter {
	const struct sb_ignore *ignore;  /* of paths below the source's root */
	const struct sb_ignore *exclude; /* of paths below the folder that is copied */
	struct sb_glob *include;         /* the same; or NULL: everything; owned */
};

/* A folder as the filter sees it. Zeroed: none. */
struct sb_copy_place {
	struct sb_ignore_place *ignore;
	struct sb_ignore_place *exclude;
	uint64_t *include; /* NULL: everything in it is named */
};

/* In the order of how much of it is copied. */
enum sb_copy_part {
	SB_COPY_NOTHING,
	SB_COPY_BELOW, /* a folder that is made for what is copied of it, should there be anything
			*/
	SB_COPY_REST,  /* the same of a folder that belongs to what is copied, but for .dockerignore
			*/
	SB_COPY_ALL,
};

/* SB_E_SYNTAX for a pattern that is not well-formed. *out_place is that of the folder itself. */
int sb_copy_filter_init(struct sb_copy_filter *filter, const struct sb_copy *copy,
	const struct sb_copy_match *match, struct sb_copy_place *out_place,
	struct sb_error *err) SB_MUST_USE;
void sb_copy_filter_release(struct sb_copy_filter *filter);

/* On `name` in `dir`; *out_below is its place should it be a folder. */
enum sb_copy_part sb_copy_filter_judge(const struct sb_copy_filter *filter,
	const struct sb_copy_place *dir, const char *name, struct sb_copy_place *out_below);
void sb_copy_place_release(struct sb_copy_place *place);

#endif
