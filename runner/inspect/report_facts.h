/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_FACTS_H
#define SB_INSPECT_REPORT_FACTS_H

#include "inspect/finding.h"
#include "inspect/inspect.h"

/* What several reports draw from an inspection: sums, orders, groups and the verdict. */

struct sb_report_sums {
	uint64_t blob_bytes; /* of all layers, as they are downloaded */
	uint64_t tar_bytes;
	uint64_t dead_bytes;
	uint64_t largest_blob_bytes; /* of one layer */
	size_t n_standing;           /* findings that nobody waived */
	size_t n_waived;
	size_t n_of_level[SB_LEVEL_ERROR + 1]; /* of those that stand */
};
struct sb_report_sums sb_report_sums(
	const struct sb_inspection *inspection, const struct sb_findings *findings);

struct sb_dead_cause {
	const char *cause; /* static */
	uint64_t n_files;
	uint64_t bytes;
};
SB_ARRAY_STRUCT(sb_dead_causes, struct sb_dead_cause);
/* Each cause there is, most bytes first; release with SB_ARRAY_RELEASE. */
void sb_report_causes(const struct sb_inspection *inspection, struct sb_dead_causes *out);

/* The dead files, largest first; as many as there are. Caller frees the list. */
const struct sb_dead_file **sb_report_dead_by_size(const struct sb_inspection *inspection);

/* The findings of one rule and level, in the order in which they stand. */
struct sb_finding_group {
	const struct sb_finding_rule *rule;
	enum sb_finding_level level;
	bool is_waived;
	SB_ARRAY(const struct sb_finding *) findings;
};
SB_ARRAY_STRUCT(sb_finding_groups, struct sb_finding_group);
/* Worst first, what is waived at the end. */
void sb_report_group(const struct sb_findings *findings, struct sb_finding_groups *out);
void sb_finding_groups_release(struct sb_finding_groups *groups);

/* The anchor of the report's section that lists what the rule finds, so that the findings need not:
 * "dead", "hardening", "proof"; NULL where none does. */
const char *sb_report_section_of(const struct sb_finding_rule *rule);

/* One line each: what does not fit, of these kinds or of the others (mere warnings), and what was
 * not looked at. */
void sb_report_problem_lines(
	const struct sb_inspection *inspection, bool is_warning, struct sb_strv *out);
void sb_report_gap_lines(const struct sb_inspection *inspection, struct sb_strv *out);

/* The worst that there is to say, and how bad that is. */
enum sb_verdict {
	SB_VERDICT_CLEAN,
	SB_VERDICT_WASTE,      /* something deleted is left behind */
	SB_VERDICT_INCOMPLETE, /* not everything could be looked at */
	SB_VERDICT_SUSPECT,    /* a value that looks like a secret, and nobody waived it */
	SB_VERDICT_BROKEN,     /* a digest or the like does not fit */
	SB_VERDICT_LEAK,       /* a known secret */
};
enum sb_verdict sb_report_verdict(
	const struct sb_inspection *inspection, const struct sb_findings *findings);
/* "LEAK"; static. */
const char *sb_verdict_word(enum sb_verdict verdict);
/* "the image holds a known secret"; caller frees. */
char *sb_report_verdict_text(
	const struct sb_inspection *inspection, const struct sb_findings *findings);

/* "2 errors, 1 warning, 0 notes, 1 waived"; caller frees. */
char *sb_report_counts_text(const struct sb_report_sums *sums);

#endif
