/* SPDX-License-Identifier: MIT */
#include "inspect/report_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "inspect/report_words.h"

struct sb_report_sums sb_report_sums(
	const struct sb_inspection *inspection, const struct sb_findings *findings)
{
	struct sb_report_sums sums = {0};

	SB_ARRAY_FOREACH (&inspection->layers, layer) {
		sums.blob_bytes += layer->size_bytes;
		sums.tar_bytes += layer->tar_bytes;
		sums.dead_bytes += layer->dead_bytes;
		if (layer->size_bytes > sums.largest_blob_bytes)
			sums.largest_blob_bytes = layer->size_bytes;
	}
	SB_ARRAY_FOREACH (findings, finding) {
		if (finding->waived_by != NULL) {
			sums.n_waived++;
			continue;
		}
		sums.n_standing++;
		sums.n_of_level[finding->level]++;
	}
	return sums;
}

static int by_bytes(const void *a, const void *b)
{
	const struct sb_dead_cause *x = a;
	const struct sb_dead_cause *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->cause, y->cause);
}

static struct sb_dead_cause *cause_named(struct sb_dead_causes *causes, const char *name)
{
	SB_ARRAY_FOREACH (causes, cause)
		if (strcmp(cause->cause, name) == 0)
			return cause;

	struct sb_dead_cause *added = SB_ARRAY_ADD(causes);

	added->cause = name;
	return added;
}

void sb_report_causes(const struct sb_inspection *inspection, struct sb_dead_causes *out)
{
	SB_ARRAY_FOREACH (&inspection->dead, file) {
		struct sb_dead_cause *cause = cause_named(out, file->cause);

		cause->n_files++;
		cause->bytes += file->size_bytes;
	}
	if (out->len > 0)
		qsort(out->items, out->len, sizeof(out->items[0]), by_bytes);
}

static int by_size_then_place(const void *a, const void *b)
{
	const struct sb_dead_file *x = *(const struct sb_dead_file *const *)a;
	const struct sb_dead_file *y = *(const struct sb_dead_file *const *)b;

	if (x->size_bytes != y->size_bytes)
		return x->size_bytes > y->size_bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

const struct sb_dead_file **sb_report_dead_by_size(const struct sb_inspection *inspection)
{
	const struct sb_dead_file **sorted = sb_calloc(inspection->dead.len + 1, sizeof(sorted[0]));
	size_t n = 0;

	SB_ARRAY_FOREACH (&inspection->dead, file)
		sorted[n++] = file;
	qsort(sorted, n, sizeof(sorted[0]), by_size_then_place);
	return sorted;
}

static struct sb_finding_group *group_of(
	struct sb_finding_groups *groups, const struct sb_finding *finding)
{
	const bool is_waived = finding->waived_by != NULL;

	/* Neighbours tend to be of one rule. */
	for (size_t i = groups->len; i > 0; i--) {
		struct sb_finding_group *group = &groups->items[i - 1];

		if (group->is_waived == is_waived && group->level == finding->level &&
			strcmp(group->rule->id, finding->rule->id) == 0)
			return group;
	}

	struct sb_finding_group *added = SB_ARRAY_ADD(groups);

	added->rule = finding->rule;
	added->level = finding->level;
	added->is_waived = is_waived;
	return added;
}

void sb_report_group(const struct sb_findings *findings, struct sb_finding_groups *out)
{
	for (int level = SB_LEVEL_ERROR; level >= SB_LEVEL_NOTE; level--)
		SB_ARRAY_FOREACH (findings, finding)
			if (finding->waived_by == NULL && (int)finding->level == level)
				*SB_ARRAY_ADD(&group_of(out, finding)->findings) = finding;
	SB_ARRAY_FOREACH (findings, finding)
		if (finding->waived_by != NULL)
			*SB_ARRAY_ADD(&group_of(out, finding)->findings) = finding;
}

void sb_finding_groups_release(struct sb_finding_groups *groups)
{
	SB_ARRAY_FOREACH (groups, group)
		SB_ARRAY_RELEASE(&group->findings);
	SB_ARRAY_RELEASE(groups);
}

const char *sb_report_section_of(const struct sb_finding_rule *rule)
{
	static const struct {
		const char *rule;
		const char *section;
	} sections[] = {
		{SB_RULE_DELETED_FILE, "dead"},
		{SB_RULE_PACKAGE_CACHE, "hardening"},
		{SB_RULE_PRIVILEGED_FILE, "hardening"},
		{SB_RULE_BROKEN_IMAGE, "proof"},
		{SB_RULE_NOT_SCANNED, "proof"},
		{SB_RULE_ODD_IMAGE, "proof"},
	};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(sections[i].rule, rule->id) == 0)
			return sections[i].section;
	return NULL;
}

void sb_report_problem_lines(
	const struct sb_inspection *inspection, bool is_warning, struct sb_strv *out)
{
	SB_ARRAY_FOREACH (&inspection->problems, problem)
		if ((problem->kind == SB_PROBLEM_OTHER) == is_warning)
			sb_strv_add(out, problem->text);
}

void sb_report_gap_lines(const struct sb_inspection *inspection, struct sb_strv *out)
{
	SB_ARRAY_FOREACH (&inspection->gaps, gap) {
		sb_autofree char *layer = gap->layer != SIZE_MAX
						  ? sb_asprintf("layer %zu", gap->layer + 1)
						  : sb_strdup("");

		if (layer[0] == '\0' || strcmp(gap->what, layer) == 0)
			sb_strv_addf(out, "%s: %s", gap->what, gap->why);
		else
			sb_strv_addf(out, "%s: %s: %s", layer, gap->what, gap->why);
	}
}

/* Findings of leak/pattern.h: their rules are under this name (inspect/finding.h). */
static size_t count_suspects(const struct sb_findings *findings)
{
	static const char prefix[] = "secret-";
	size_t n = 0;

	SB_ARRAY_FOREACH (findings, finding)
		if (finding->waived_by == NULL && finding->level != SB_LEVEL_NOTE &&
			strncmp(finding->rule->id, prefix, sizeof(prefix) - 1) == 0)
			n++;
	return n;
}

enum sb_verdict sb_report_verdict(
	const struct sb_inspection *inspection, const struct sb_findings *findings)
{
	if (inspection->secrets.len > 0)
		return SB_VERDICT_LEAK;
	if (sb_inspection_is_broken(inspection))
		return SB_VERDICT_BROKEN;
	if (count_suspects(findings) > 0)
		return SB_VERDICT_SUSPECT;
	if (inspection->gaps.len > 0)
		return SB_VERDICT_INCOMPLETE;
	return inspection->dead.len > 0 ? SB_VERDICT_WASTE : SB_VERDICT_CLEAN;
}

const char *sb_verdict_word(enum sb_verdict verdict)
{
	static const char *const words[] = {
		[SB_VERDICT_CLEAN] = "CLEAN",
		[SB_VERDICT_WASTE] = "WASTE",
		[SB_VERDICT_INCOMPLETE] = "INCOMPLETE",
		[SB_VERDICT_SUSPECT] = "SUSPECT",
		[SB_VERDICT_BROKEN] = "BROKEN",
		[SB_VERDICT_LEAK] = "LEAK",
	};

	return words[verdict];
}

static char *clean_text(const struct sb_inspection *inspection)
{
	const char *searched = inspection->n_secrets_searched > 0 ? "no known secret, " : "";

	return sb_asprintf("%snothing deleted left behind", searched);
}

static char *waste_text(const struct sb_inspection *inspection, const struct sb_findings *findings)
{
	const struct sb_report_sums sums = sb_report_sums(inspection, findings);
	sb_autofree char *dead = sb_size_format(sums.dead_bytes);

	return sb_asprintf("%s deleted but still in the image", dead);
}

static char *suspect_text(const struct sb_findings *findings)
{
	const size_t n = count_suspects(findings);

	return n == 1 ? sb_strdup("a value in the image looks like a secret")
		      : sb_asprintf("%zu values in the image look like secrets", n);
}

char *sb_report_verdict_text(
	const struct sb_inspection *inspection, const struct sb_findings *findings)
{
	switch (sb_report_verdict(inspection, findings)) {
	case SB_VERDICT_CLEAN:
		return clean_text(inspection);
	case SB_VERDICT_WASTE:
		return waste_text(inspection, findings);
	case SB_VERDICT_INCOMPLETE:
		return sb_strdup("not everything could be looked at");
	case SB_VERDICT_SUSPECT:
		return suspect_text(findings);
	case SB_VERDICT_BROKEN:
		return sb_strdup("the image is not what it claims to be");
	case SB_VERDICT_LEAK:
		break;
	}
	return sb_strdup("the image holds a known secret");
}

char *sb_report_counts_text(const struct sb_report_sums *sums)
{
	sb_autofree char *errors = sb_count_text(sums->n_of_level[SB_LEVEL_ERROR], "error");
	sb_autofree char *warnings = sb_count_text(sums->n_of_level[SB_LEVEL_WARNING], "warning");
	sb_autofree char *notes = sb_count_text(sums->n_of_level[SB_LEVEL_NOTE], "note");

	return sb_asprintf("%s, %s, %s, %zu waived", errors, warnings, notes, sums->n_waived);
}
