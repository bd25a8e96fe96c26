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
/* NULL where there is none of that id. */
const struct sb_finding_rule *sb_finding_rule_find(const char *id);

#define SB_RULE_KNOWN_SECRET "known-secret"
#define SB_RULE_BROKEN_IMAGE "broken-image"
#define SB_RULE_NOT_SCANNED "not-scanned"
#define SB_RULE_DELETED_FILE "deleted-file"
#define SB_RULE_DELETED_SECRET_FILE "deleted-secret-file"
#define SB_RULE_RUNS_AS_ROOT "runs-as-root"
#define SB_RULE_PACKAGE_CACHE "package-cache"
#define SB_RULE_PRIVILEGED_FILE "privileged-file"
#define SB_RULE_ODD_IMAGE "odd-image"
#define SB_RULE_BUDGET "budget-exceeded"
#define SB_RULE_WAIVER_EXPIRED "waiver-expired"
#define SB_RULE_WAIVER_UNUSED "waiver-unused"
#define SB_RULE_PATTERN_PREFIX "secret-"

struct sb_finding {
	const struct sb_finding_rule *rule;
	enum sb_finding_level level;
	char *message; /* a sentence that stands alone, without a value */
	size_t layer;  /* index, or SIZE_MAX */
	char *path; /* in the layer, or "config: Env", "manifest annotations", …; NULL where the
		       layer or the image itself is meant */
	size_t removed_layer; /* where what was found is dead by now; SIZE_MAX: it is visible */
	/* Of the rule, the path and what is public of the find, not of layers, offsets or values:
	 * stable across rebuilds. 32 hex digits. */
	char fingerprint[33];
	const char *waived_by; /* who waived it, borrowed from the policy; NULL: it stands */
};
SB_ARRAY_STRUCT(sb_findings, struct sb_finding);

/* As sb_findings_sort puts them. */
void sb_inspection_findings(const struct sb_inspection *inspection, struct sb_findings *out);
/* By level (worst first), rule (in the table's order), layer, path. */
void sb_findings_sort(struct sb_findings *findings);
void sb_findings_release(struct sb_findings *findings);

/* A finding about the image itself, to be filled in further. `path` and `extra` (may be NULL) are
 * what its fingerprint is made of; takes the message. Borrowed until the next one. */
struct sb_finding *sb_findings_add(struct sb_findings *findings, const char *rule_id, char *message,
	const char *path, const char *extra);

#endif
