/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_MOUNT_H
#define SB_BUILDFILE_MOUNT_H

#include "buildfile/instruction.h"

/*
 * RUN --mount, beside sb_mount_parse (buildfile/instruction.h).
 *
 * sb_mount_parse_env takes the flag as written and expands the value of each key by itself, as the
 * language has it: a variable's value then can't bring in keys of its own, and the quotes around
 * fields keep their meaning. `from` is never expanded, and a `$` in it is an error.
 */
struct sb_mount_scope {
	const char *workdir; /* absolute; makes relative targets absolute */
	const struct sb_strv *env;
	char escape;
};
int sb_mount_parse_env(const char *text, const struct sb_mount_scope *scope,
	struct sb_mount_flag *out, struct sb_error *err) SB_MUST_USE;

/* Only the value of `from` ("" and NULL: not given → NULL); caller frees. */
int sb_mount_from(const char *text, char **out, struct sb_error *err) SB_MUST_USE;

/* "bind", … Static. */
const char *sb_mount_type_name(enum sb_mount_type type);

#endif
