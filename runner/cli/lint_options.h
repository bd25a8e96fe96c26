/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_LINT_OPTIONS_H
#define SB_CLI_LINT_OPTIONS_H

#include "base/strv.h"
#include "cli/options.h"
#include "safebuild/lint.h"

/* What `lint` and `build --check` share. */

enum sb_fail_on {
	SB_FAIL_ON_DEFAULT,
	SB_FAIL_ON_NEVER,
	SB_FAIL_ON_INFO,
	SB_FAIL_ON_WARNING,
	SB_FAIL_ON_ERROR
};
/* Of an enum sb_fail_on. */
int sb_fail_on_parse(void *field, const char *value, struct sb_error *err);
/* SB_EXIT_DONE, or SB_EXIT_FAILED for a finding that is at least so severe; `usual` is what DEFAULT
 * means. A Buildfile may say itself that warnings fail. */
int sb_fail_on_status(
	enum sb_fail_on fail_on, enum sb_fail_on usual, const struct sb_lint_report *report);

/* "A,B" added to a struct sb_strv. */
int sb_rule_names_parse(void *field, const char *value, struct sb_error *err);

/* "error", "warning", "info". Static. */
const char *sb_severity_name(enum sb_severity severity);

#endif
