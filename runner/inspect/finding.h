/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_FINDING_H
#define SB_INSPECT_FINDING_H

#include "base/array.h"
#include "inspect/inspect.h"

/*
 * All that a report has to say against an image, as one list: what SARIF, the exit status, budgets
 * and waivers work on. The report's own lists stay the place for details.
 */
enum sb_finding_level { SB_LEVEL_NOTE, SB_LEVEL_WARNING, SB_LEVEL_ERROR };

/* Static texts. Rules of leak/pattern.h stand in the same table, under "secret-" and their id. */
struct sb_finding_rule {
	const char *id;    /* "known-secret", "deleted-file", "package-cache", … */
	const char *title; /* a short clause */
	enum sb_finding_level level;
	const char *why;
	const char *fix;
};
/* NULL past the last. */
const struct sb_finding_rule *sb_finding_rule_at(size_t i);

struct sb_finding {
	const struct sb_finding_rule *rule;
	enum sb_finding_level level;
	char *message; /* a sentence that stands alone, without a value */
	size_t layer;  /* index, or SIZE_MAX */
	char *path;    /* in the layer, or "config", "manifest", …; NULL where the image itself is
			  meant */
	size_t removed_layer; /* where what was found is dead by now; SIZE_MAX: it is visible */
	/* Of the rule, the path and what is public of the find, not of layer digests, offsets or
	 * values: stable across rebuilds. 32 hex digits. */
	char fingerprint[33];
	const char *waived_by; /* who waived it, borrowed from the policy; NULL: it stands */
};
SB_ARRAY_STRUCT(sb_findings, struct sb_finding);

/* By level (worst first), layer, path. */
void sb_inspection_findings(const struct sb_inspection *inspection, struct sb_findings *out);
void sb_findings_release(struct sb_findings *findings);

#endif
