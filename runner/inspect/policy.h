/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_POLICY_H
#define SB_INSPECT_POLICY_H

#include <time.h>

#include "inspect/finding.h"

/*
 * What an image is held to: .safebuild.json.
 *
 *	{ "inspect": {
 *	    "fail-on": ["known-secret", "error", …],      levels, rules, "any" or "none"
 *	    "budgets": { "dead-bytes": "1MB", "image-bytes": …, "layer-bytes": …, "layers": 20,
 *	                 "runs-as-root": false, "setuid-files": 0, "package-cache-bytes": 0 },
 *	    "waivers": [ { "rule": "deleted-file", "path": "usr/share/doc/ *", "fingerprint": …,
 *	                   "reason": "…", "owner": "me@example.org", "expires": "2027-01-31" } ] } }
 *
 * A waiver needs a rule, a reason, an owner and an expiry day (UTC, inclusive); an expired one
 *waives nothing and is told. Known secrets and broken integrity can't be waived.
 */
struct sb_policy;
struct sb_policy *sb_policy_new(
	void); /* the default: nothing but fail-on known secrets and integrity */
/* SB_E_SYNTAX with file and line for what is wrong in it; unknown keys are wrong. */
int sb_policy_read(struct sb_policy *policy, const char *file, const char *text, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* "error", "warning", "any", "none", or a rule's id; the first call replaces what was there. */
int sb_policy_add_fail_on(
	struct sb_policy *policy, const char *word, struct sb_error *err) SB_MUST_USE;
void sb_policy_free(struct sb_policy *policy);
SB_DEFINE_FREEP(sb_policy)

/* Adds findings for budgets that are exceeded, marks waived ones, adds a warning for each expired
 * or unused waiver; sorts again. */
void sb_policy_apply(const struct sb_policy *policy, const struct sb_inspection *inspection,
	time_t today, struct sb_findings *findings);
bool sb_policy_fails(const struct sb_policy *policy, const struct sb_finding *finding);

#endif
