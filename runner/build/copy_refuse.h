/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_REFUSE_H
#define SB_BUILD_COPY_REFUSE_H

#include "build/copy_match.h"

/* What COPY and ADD don't copy, and how that is said. The functions with `fail` always give -1. */

/* A source that is not there; one that is ignored; a folder of which nothing is left, or of which
 * --parents named a part where nothing is; and where no source of the instruction names anything.
 */
int sb_copy_fail_missing(
	const struct sb_copy *copy, const char *source, const char *path, struct sb_error *err);
int sb_copy_fail_excluded(
	const struct sb_copy *copy, const char *source, const char *path, struct sb_error *err);
int sb_copy_fail_empty(const struct sb_copy *copy, const char *source,
	const struct sb_copy_match *match, struct sb_error *err);
int sb_copy_fail_no_match(const struct sb_copy *copy, const char *source, struct sb_error *err);

/* Is it the folder of the store? Where that, or something in it, is named, refuse_store fails:
 * copying it would add to it without an end. */
bool sb_copy_is_store(const struct sb_copy *copy, const struct stat *st);
int sb_copy_refuse_store(const struct sb_copy *copy, const char *real, struct sb_error *err);

/* The secret that was read from this very file of the context, or NULL: SB_E_LEAK where the file is
 * named, a warning where it is passed over. */
const struct sb_secret *sb_copy_secret(const struct sb_copy *copy, const struct stat *st);
int sb_copy_fail_secret(const struct sb_secret *secret, const char *source, struct sb_error *err);
void sb_copy_warn_secret(
	const struct sb_copy *copy, const struct sb_secret *secret, const char *path);

#endif
