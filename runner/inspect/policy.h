/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_POLICY_H
#define SB_INSPECT_POLICY_H

#include <time.h>

#include "base/cleanup.h"
#include "inspect/finding.h"

/*
 * What an image is held to: .safebuild.json. All keys may be left out.
 *
 *	{ "inspect": {
 *	    "fail-on": ["known-secret", "error", …],      levels, rules, "any" or "none"
 *	    "budgets": { "dead-bytes": "1MB", "image-bytes": …, "layer-bytes": …, "layers": 20,
 *	                 "package-cache-bytes": 0, "setuid-files": 0, "suspected-secrets": 0,
 *	                 "runs-as-root": false },
 *	    "waivers": [ { "rule": "deleted-file", "path": "usr/share/doc/ *", "fingerprint": …,
 *	                   "reason": "…", "owner": "me@example.org", "expires": "2027-01-31" } ] } }
 *
 * A budget is what there may be at most; sizes are numbers of bytes, or text with a unit (kB, MB,
 * GB in steps of 1000, KiB, MiB, GiB of 1024), image-bytes and layer-bytes those that are
 * downloaded. suspected-secrets counts findings of patterns that nobody waived. fail-on alone
 * decides on the exit status, and holds "known-secret" and "budget-exceeded" where nothing is said;
 * known secrets fail unless it is "none".
 *
 * A waiver needs a rule, a reason, an owner and an expiry day (UTC, inclusive); without path (a
 * shell's pattern, in which * matches slashes too) and fingerprint it is for all findings of the
 * rule. An expired one waives nothing and is told. Known secrets and broken images can't be waived.
 */
struct sb_policy;
/* The default: nothing but fail-on known secrets and budgets. */
struct sb_policy *sb_policy_new(void);
/* SB_E_SYNTAX with file and line for what is wrong in it; unknown keys are wrong. On failure the
 * policy may be half read. */
int sb_policy_read(struct sb_policy *policy, const char *file, const char *text, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* "error", "warning", "note" (these and worse), "any", "none", or a rule's id; the first call
 * replaces what was there. */
int sb_policy_add_fail_on(
	struct sb_policy *policy, const char *word, struct sb_error *err) SB_MUST_USE;
void sb_policy_free(struct sb_policy *policy);
SB_DEFINE_FREEP(sb_policy)

/* Marks waived findings, adds one for each budget that is exceeded and for each expired or unused
 * waiver; sorts again. */
void sb_policy_apply(const struct sb_policy *policy, const struct sb_inspection *inspection,
	time_t today, struct sb_findings *findings);
/* A broken image does not pass whatever the policy says: that is the caller's to see. */
bool sb_policy_fails(const struct sb_policy *policy, const struct sb_finding *finding);

#endif
