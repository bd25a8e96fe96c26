/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_MODE_CHANGE_H
#define SB_BUILDFILE_MODE_CHANGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* What --chmod says: an octal mode, or chmod(1)'s symbols (`u=rwX,go=rX`, `+x`, `a-w`). Zeroed: not
 * given. */
struct sb_mode_change {
	bool is_octal;
	mode_t octal;
	const char *symbols; /* checked; borrowed from the text; NULL where octal or not given */
};

/* NULL and "" are "not given"; anything else that is neither is SB_E_USAGE. */
int sb_mode_change_parse(
	const char *text, struct sb_mode_change *out, struct sb_error *err) SB_MUST_USE;

/*
 * The permission bits (07777) after the change. Symbols without a u, g, o or a mean all three: no
 * umask is applied, so that the result is the same on every host.
 */
mode_t sb_mode_change_apply(const struct sb_mode_change *change, mode_t mode, bool is_dir);

#endif
