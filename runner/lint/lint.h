/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_LINT_H
#define SB_LINT_LINT_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "buildfile/instruction.h"
#include "oci/platform.h"
#include "safebuild/lint.h"

/*
 * The linter: what a Buildfile that parses says that will hurt. Pure: it looks at the parsed
 * Buildfile and its text, and asks for what it has to know beyond them.
 *
 * Its rules are one table (lint/rules.c); a rule is an entry there and a function in one of the
 * rules_*.c. Waivers are read by lint/waiver.h.
 */

enum sb_answer { SB_ANSWER_UNKNOWN, SB_ANSWER_NO, SB_ANSWER_YES };

/* What is known of an image; borrowed from who answers, until the linter is done. */
struct sb_lint_image {
	struct sb_platform platform;
	const struct sb_strv *env; /* NAME=value */
	const char *user;          /* "" for none */
};

/* Questions; each may be NULL, which is UNKNOWN. */
struct sb_lint_answers {
	/* Is there an ignore file? */
	enum sb_answer (*has_ignore_file)(void *data);
	/* Does it leave out `path` (cleaned, relative to the context) and all that is below it? */
	enum sb_answer (*is_ignored)(const char *path, void *data);
	/* An image that is at hand, without asking a registry; *out only with YES. */
	enum sb_answer (*image)(const char *name, struct sb_lint_image *out, void *data);
	void *data;
};

struct sb_lint_input {
	const char *target;                  /* NULL: the last stage */
	const struct sb_strv *build_args;    /* NAME=value, or NULL */
	const struct sb_strv *context_names; /* of --build-context, or NULL */
	const char *check;                   /* goes before the file's check directive; or NULL */
	const struct sb_strv *skip;          /* names of rules, or "all"; or NULL */
	const struct sb_strv *experimental;  /* as skip */
	struct sb_platform platform;         /* of the target */
	struct sb_platform build_platform;
	struct sb_lint_answers answers;
};

/* What lint reads at most: twice that, and quadratic work in hostile text would be felt. */
enum {
	SB_LINT_MAX_BYTES = 1 << 20,
	SB_LINT_MAX_INSTRUCTIONS = 10000,
	SB_LINT_MAX_FINDINGS = 2000,
};

/* SB_E_LIMIT past the above; SB_E_USAGE where options name a rule that is not there. */
int sb_lint_buildfile(const struct sb_buildfile *buildfile, const struct sb_lint_input *options,
	struct sb_lint_report **out, struct sb_error *err) SB_MUST_USE;
void sb_lint_report_free(struct sb_lint_report *report);
SB_DEFINE_FREEP(sb_lint_report)

/* The rules, in the table's order. Static. */
const struct sb_lint_rule *sb_lint_rule_at(size_t i);
size_t sb_lint_rule_count(void);
/* By name, letter case ignored; NULL where there is none. */
const struct sb_lint_rule *sb_lint_rule_find(const char *name);

#endif
