/* SPDX-License-Identifier: MIT */
#include "inspect/policy.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "base/suggest.h"
#include "inspect/policy_private.h"
#include "inspect/report_facts.h"
#include "inspect/report_words.h"

static const char word_any[] = "any";
static const char word_none[] = "none";

struct sb_policy *sb_policy_new(void)
{
	struct sb_policy *policy = SB_NEW(struct sb_policy);

	policy->is_default = true;
	sb_strv_add(&policy->fail_on, SB_RULE_KNOWN_SECRET);
	sb_strv_add(&policy->fail_on, SB_RULE_BUDGET);
	return policy;
}

void sb_policy_free(struct sb_policy *policy)
{
	if (policy == NULL)
		return;
	free(policy->file);
	sb_strv_release(&policy->fail_on);
	SB_ARRAY_FOREACH (&policy->waivers, waiver) {
		free(waiver->rule);
		free(waiver->path);
		free(waiver->fingerprint);
		free(waiver->owner);
		free(waiver->expires);
		free(waiver->waived_by);
	}
	SB_ARRAY_RELEASE(&policy->waivers);
	free(policy);
}

static bool is_level(const char *word, enum sb_finding_level *out)
{
	for (int level = SB_LEVEL_NOTE; level <= SB_LEVEL_ERROR; level++) {
		if (strcmp(word, sb_level_word((enum sb_finding_level)level)) == 0) {
			*out = (enum sb_finding_level)level;
			return true;
		}
	}
	return false;
}

int sb_policy_add_fail_on(struct sb_policy *policy, const char *word, struct sb_error *err)
{
	struct sb_suggestion near = {.typed = word};
	const struct sb_finding_rule *rule;
	enum sb_finding_level level;

	if (!is_level(word, &level) && strcmp(word, word_any) != 0 &&
		strcmp(word, word_none) != 0 && sb_finding_rule_find(word) == NULL) {
		for (size_t i = 0; (rule = sb_finding_rule_at(i)) != NULL; i++)
			sb_suggestion_consider(&near, rule->id);
		sb_fail(err, SB_E_USAGE, "there is no level or rule '%s' to fail on", word);
		if (near.best != NULL)
			return sb_error_hint(err, "did you mean '%s'?", near.best);
		return sb_error_hint(err, "it is error, warning, note, any, none, or a rule's id "
					  "(the report names them)");
	}
	if (policy->is_default)
		sb_strv_clear(&policy->fail_on);
	policy->is_default = false;
	sb_strv_add(&policy->fail_on, word);
	return 0;
}

bool sb_policy_fails(const struct sb_policy *policy, const struct sb_finding *finding)
{
	if (finding->waived_by != NULL || sb_strv_contains(&policy->fail_on, word_none))
		return false;
	if (strcmp(finding->rule->id, SB_RULE_KNOWN_SECRET) == 0)
		return true;
	for (size_t i = 0; i < policy->fail_on.len; i++) {
		const char *word = policy->fail_on.items[i];
		enum sb_finding_level level;

		if (strcmp(word, word_any) == 0 || strcmp(word, finding->rule->id) == 0)
			return true;
		if (is_level(word, &level) && finding->level >= level)
			return true;
	}
	return false;
}

const char *sb_budget_name(enum sb_budget_kind kind)
{
	static const char *const names[] = {
		[SB_BUDGET_DEAD_BYTES] = "dead-bytes",
		[SB_BUDGET_IMAGE_BYTES] = "image-bytes",
		[SB_BUDGET_LAYER_BYTES] = "layer-bytes",
		[SB_BUDGET_LAYERS] = "layers",
		[SB_BUDGET_CACHE_BYTES] = "package-cache-bytes",
		[SB_BUDGET_SETUID_FILES] = "setuid-files",
		[SB_BUDGET_SUSPECTED_SECRETS] = "suspected-secrets",
		[SB_BUDGET_RUNS_AS_ROOT] = "runs-as-root",
	};

	return names[kind];
}

bool sb_budget_is_size(enum sb_budget_kind kind)
{
	return kind == SB_BUDGET_DEAD_BYTES || kind == SB_BUDGET_IMAGE_BYTES ||
	       kind == SB_BUDGET_LAYER_BYTES || kind == SB_BUDGET_CACHE_BYTES;
}

static char *amount_text(enum sb_budget_kind kind, uint64_t n)
{
	return sb_budget_is_size(kind) ? sb_size_format(n) : sb_asprintf("%" PRIu64, n);
}

static void hold_to(const struct sb_policy *policy, enum sb_budget_kind kind, uint64_t n,
	size_t layer, struct sb_findings *findings)
{
	const struct sb_budget *budget = &policy->budgets[kind];
	const char *name = sb_budget_name(kind);

	if (!budget->is_set || n <= budget->most)
		return;

	sb_autofree char *have = amount_text(kind, n);
	sb_autofree char *most = amount_text(kind, budget->most);
	sb_autofree char *place =
		layer != SIZE_MAX ? sb_asprintf("layer %zu: ", layer + 1) : sb_strdup("");
	char *message =
		kind == SB_BUDGET_RUNS_AS_ROOT
			? sb_asprintf("the image runs as root, and the policy forbids it")
			: sb_asprintf("%s%s is %s, and the budget %s", place, name, have, most);

	sb_findings_add(findings, SB_RULE_BUDGET, message, NULL, name)->layer = layer;
}

static size_t count_setuid(const struct sb_inspection *in)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (&in->privileged, file)
		n += (file->mode & (S_ISUID | S_ISGID)) != 0 ? 1 : 0;
	return n;
}

static uint64_t cache_bytes(const struct sb_inspection *in)
{
	uint64_t n = 0;

	SB_ARRAY_FOREACH (&in->caches, cache)
		n += cache->live_bytes + cache->dead_bytes;
	return n;
}

static size_t count_suspects(const struct sb_findings *findings)
{
	const size_t len = sizeof(SB_RULE_PATTERN_PREFIX) - 1;
	size_t n = 0;

	SB_ARRAY_FOREACH (findings, finding)
		n += finding->waived_by == NULL &&
				     strncmp(finding->rule->id, SB_RULE_PATTERN_PREFIX, len) == 0
			     ? 1
			     : 0;
	return n;
}

static void apply_budgets(const struct sb_policy *policy, const struct sb_inspection *in,
	struct sb_findings *findings)
{
	const struct sb_report_sums sums = sb_report_sums(in, findings);
	const uint64_t amounts[SB_N_BUDGETS] = {
		[SB_BUDGET_DEAD_BYTES] = sums.dead_bytes,
		[SB_BUDGET_IMAGE_BYTES] = sums.blob_bytes,
		[SB_BUDGET_LAYERS] = in->layers.len,
		[SB_BUDGET_CACHE_BYTES] = cache_bytes(in),
		[SB_BUDGET_SETUID_FILES] = count_setuid(in),
		[SB_BUDGET_SUSPECTED_SECRETS] = count_suspects(findings),
		[SB_BUDGET_RUNS_AS_ROOT] = in->runs_as_root ? 1 : 0,
	};

	for (int kind = 0; kind < SB_N_BUDGETS; kind++)
		hold_to(policy, (enum sb_budget_kind)kind, amounts[kind], SIZE_MAX, findings);
	for (size_t i = 0; i < in->layers.len; i++)
		hold_to(policy, SB_BUDGET_LAYER_BYTES, in->layers.items[i].size_bytes, i, findings);
}

static bool matches(const struct sb_waiver *waiver, const struct sb_finding *finding)
{
	if (strcmp(waiver->rule, finding->rule->id) != 0)
		return false;
	if (waiver->fingerprint != NULL && strcmp(waiver->fingerprint, finding->fingerprint) != 0)
		return false;
	return waiver->path == NULL ||
	       (finding->path != NULL && fnmatch(waiver->path, finding->path, 0) == 0);
}

static bool waive(const struct sb_waiver *waiver, struct sb_findings *findings)
{
	bool is_used = false;

	SB_ARRAY_FOREACH (findings, finding) {
		if (!matches(waiver, finding))
			continue;
		is_used = true;
		if (finding->waived_by == NULL)
			finding->waived_by = waiver->waived_by;
	}
	return is_used;
}

static void note_waiver(const struct sb_policy *policy, const struct sb_waiver *waiver,
	const char *rule, const char *what, struct sb_findings *findings)
{
	const char *path = waiver->path != NULL ? waiver->path : waiver->fingerprint;
	char *message = sb_asprintf("the waiver of %s for %s by %s %s", waiver->rule,
		path != NULL ? path : "the whole image", waiver->owner, what);

	(void)sb_findings_add(findings, rule, message, policy->file, message);
}

static void apply_waiver(const struct sb_policy *policy, const struct sb_waiver *waiver,
	time_t today, struct sb_findings *findings)
{
	if (today >= waiver->end) {
		sb_autofree char *what = sb_asprintf("has expired on %s", waiver->expires);

		note_waiver(policy, waiver, SB_RULE_WAIVER_EXPIRED, what, findings);
	} else if (!waive(waiver, findings)) {
		note_waiver(policy, waiver, SB_RULE_WAIVER_UNUSED,
			"is not needed: nothing is found there", findings);
	}
}

void sb_policy_apply(const struct sb_policy *policy, const struct sb_inspection *inspection,
	time_t today, struct sb_findings *findings)
{
	SB_ARRAY_FOREACH (&policy->waivers, waiver)
		apply_waiver(policy, waiver, today, findings);
	apply_budgets(policy, inspection, findings);
	sb_findings_sort(findings);
}
