/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_COPIED_H
#define SB_LINT_COPIED_H

#include "lint/linter.h"

/*
 * Files that a COPY or ADD brings in and that a later RUN of the same stage, or of one based on it,
 * removes.
 */
struct sb_removal {
	const struct sb_lint_item *copy;
	const char *source; /* as the COPY names it */
	const char *what;   /* what is removed: the file, as the source or rm names it */
	bool is_secret;     /* by one of its names */
	const struct sb_lint_item *run;
	struct sb_lint_place removed_at;
};

typedef void (*sb_removal_fn)(
	struct sb_linter *linter, const struct sb_removal *removal, void *data);
void sb_removals_visit(struct sb_linter *linter, sb_removal_fn visit, void *data);

#endif
