/* SPDX-License-Identifier: MIT */
#ifndef SB_API_LINT_H
#define SB_API_LINT_H

#include "build/context.h"
#include "lint/lint.h"

/*
 * The linter's questions, answered from a build context and the store. `input` has the rest of what
 * the linter wants; its answers are filled in here. context may be NULL where there is none.
 */
struct sb_lint_sources {
	const struct sb_context *context; /* a folder whose ignore file was looked for, or NULL */
	const char *root;                 /* the store, as options say it */
};
int sb_lint_with(const struct sb_buildfile *buildfile, const struct sb_lint_sources *sources,
	struct sb_lint_input *input, struct sb_lint_report **out, struct sb_error *err) SB_MUST_USE;

#endif
