/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_WAIVER_H
#define SB_LINT_WAIVER_H

#include "lint/linter.h"

/*
 * Waivers: `# check=skip=A,B;error=true;experimental=C` among the parser directives holds for the
 * file; `# check=skip=A` or `# safebuild: ignore=A,B reason` on the lines right before an
 * instruction, among its lines, or in its script, for that instruction. `all` is every rule. Names
 * are compared without letter case.
 */

/* The names that a comment (its text behind the `#`) waives, appended to *out; false where it is
 * about something else. */
bool sb_waiver_parse(const char *comment, size_t len, struct sb_strv *out);

/* What the directive says. */
struct sb_check_directive {
	struct sb_strv skip;
	struct sb_strv experimental;
	bool is_error;
};
void sb_check_directive_parse(const char *value, struct sb_check_directive *out);
void sb_check_directive_release(struct sb_check_directive *directive);

/* Fills in the `waived` of all items. */
void sb_waivers_collect(struct sb_linter *linter);

/* Is the name in the list, or `all`? */
bool sb_waivers_have(const struct sb_strv *names, const char *name);

/* The rule nearest to a name that is none, or NULL. */
const char *sb_waiver_suggest(const char *name);

#endif
