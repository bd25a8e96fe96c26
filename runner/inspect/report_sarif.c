/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/report.h"
#include "inspect/report_emit.h"
#include "inspect/report_facts.h"
#include "inspect/report_words.h"
#include "safebuild.h"

/*
 * SARIF 2.1.0 (OASIS; sections 3.13 log, 3.14 run, 3.19 tool, 3.27 result, 3.33 logical location,
 * 3.35 suppression, 3.49 rule).
 *
 * A file of a layer has the address layers/N-DIFFID/PATH: N counts from 1, DIFFID is the first 12
 * digits of the layer's diff_id. What is no file has the word of its place, "config". The
 * instruction that made the layer is the logical location.
 */

enum { MAX_SARIF_BYTES = 1 << 30, DIFF_ID_DIGITS = 12 };

/* A message's text: a brace begins a placeholder (3.11.5), so one that is meant is doubled. */
static void emit_message(struct sb_emit *emit, const char *key, const char *text)
{
	const size_t len = strlen(text);
	sb_autofree char *doubled = sb_reallocarray(NULL, len + 1, 2);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		doubled[n++] = text[i];
		if (text[i] == '{' || text[i] == '}')
			doubled[n++] = text[i];
	}
	doubled[n] = '\0';
	sb_emit_line_object(emit, key);
	sb_emit_text(emit, "text", doubled);
	sb_emit_end(emit);
}

/* A path as part of a URI (RFC 3986, section 2.1); caller frees. */
static char *percent_encoded(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	static const char digits[] = "0123456789ABCDEF";
	char *out = sb_reallocarray(NULL, strlen(path) + 1, 3);
	size_t n = 0;

	for (const char *p = path; *p != '\0'; p++) {
		if (strchr(plain, *p) != NULL) {
			out[n++] = *p;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[(unsigned char)*p >> 4];
		out[n++] = digits[(unsigned char)*p & 15];
	}
	out[n] = '\0';
	return out;
}

/* "config: Env TOKEN" as "config/Env%20TOKEN". */
static char *place_uri(const char *place)
{
	const char *colon = strstr(place, ": ");
	sb_autofree char *before =
		sb_memdup0(place, colon != NULL ? (size_t)(colon - place) : strlen(place));
	sb_autofree char *first = percent_encoded(before);
	sb_autofree char *second = percent_encoded(colon != NULL ? colon + 2 : "");

	return sb_asprintf("%s%s%s", first, second[0] != '\0' ? "/" : "", second);
}

static char *uri_of(const struct sb_inspection *in, const struct sb_finding *finding)
{
	sb_autofree char *path = percent_encoded(finding->path != NULL ? finding->path : "");

	if (finding->layer == SIZE_MAX && path[0] == '\0')
		return sb_strdup("image");
	if (finding->layer == SIZE_MAX)
		return place_uri(finding->path);

	const struct sb_digest *diff_id =
		finding->layer < in->layers.len ? &in->layers.items[finding->layer].diff_id : NULL;
	const char *hex =
		diff_id != NULL && sb_digest_is_set(diff_id) ? sb_digest_hex(diff_id) : "unknown";

	return sb_asprintf("layers/%zu-%.*s%s%s", finding->layer + 1, (int)DIFF_ID_DIGITS, hex,
		path[0] != '\0' ? "/" : "", path);
}

static void emit_location(
	struct sb_emit *emit, const struct sb_inspection *in, const struct sb_finding *finding)
{
	sb_autofree char *uri = uri_of(in, finding);

	sb_emit_object(emit, NULL);
	sb_emit_line_object(emit, "physicalLocation");
	sb_emit_line_object(emit, "artifactLocation");
	sb_emit_text(emit, "uri", uri);
	sb_emit_end(emit);
	sb_emit_end(emit);
	if (finding->layer < in->layers.len) {
		sb_autofree char *instruction = sb_layer_instruction_text(in, finding->layer);
		sb_autofree char *name = sb_asprintf("layer %zu", finding->layer + 1);

		sb_emit_array(emit, "logicalLocations");
		sb_emit_line_object(emit, NULL);
		sb_emit_text(emit, "name", name);
		sb_emit_text(emit, "fullyQualifiedName", instruction);
		sb_emit_text(emit, "kind", "instruction");
		sb_emit_end(emit);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct sb_finding *x = *(const struct sb_finding *const *)a;
	const struct sb_finding *y = *(const struct sb_finding *const *)b;
	const int order = strcmp(x->fingerprint, y->fingerprint);

	return order != 0 ? order : x < y ? -1 : x > y;
}

/* For each finding, how many before it have its fingerprint: a file that is deleted twice is found
 * twice. Caller frees. */
static size_t *count_repeats(const struct sb_findings *findings)
{
	sb_autofree const struct sb_finding **sorted =
		sb_calloc(findings->len + 1, sizeof(sorted[0]));
	size_t *repeats = sb_calloc(findings->len + 1, sizeof(repeats[0]));

	for (size_t i = 0; i < findings->len; i++)
		sorted[i] = &findings->items[i];
	qsort(sorted, findings->len, sizeof(sorted[0]), by_fingerprint);
	for (size_t i = 1; i < findings->len; i++)
		if (strcmp(sorted[i]->fingerprint, sorted[i - 1]->fingerprint) == 0)
			repeats[sorted[i] - findings->items] =
				repeats[sorted[i - 1] - findings->items] + 1;
	return repeats;
}

static void emit_fingerprint(
	struct sb_emit *emit, const struct sb_finding *finding, size_t n_repeats)
{
	sb_autofree char *text = sb_asprintf("%s:%zu", finding->fingerprint, n_repeats + 1);

	sb_emit_line_object(emit, "partialFingerprints");
	sb_emit_text(emit, "safebuildInspect/v1", text);
	sb_emit_end(emit);
}

/* Which layer took it away again, counted from 1 as in the addresses, and how. */
static void emit_properties(
	struct sb_emit *emit, const struct sb_inspection *in, const struct sb_finding *finding)
{
	if (finding->removed_layer == SIZE_MAX)
		return;

	sb_autofree char *instruction = sb_layer_instruction_text(in, finding->removed_layer);

	sb_emit_line_object(emit, "properties");
	sb_emit_number(emit, "deletedInLayer", finding->removed_layer + 1);
	sb_emit_text(emit, "deletedByInstruction", instruction);
	sb_emit_end(emit);
}

static void emit_suppression(struct sb_emit *emit, const struct sb_finding *finding)
{
	sb_emit_array(emit, "suppressions");
	if (finding->waived_by != NULL) {
		sb_autofree char *why = sb_asprintf("waived by %s", finding->waived_by);

		sb_emit_line_object(emit, NULL);
		sb_emit_text(emit, "kind", "external");
		sb_emit_text(emit, "status", "accepted");
		sb_emit_text(emit, "justification", why);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

/* The rules that a log speaks of. */
SB_ARRAY_STRUCT(rule_list, const struct sb_finding_rule *);

static size_t rule_index(struct rule_list *rules, const struct sb_finding_rule *rule)
{
	for (size_t i = 0; i < rules->len; i++)
		if (rules->items[i] == rule || strcmp(rules->items[i]->id, rule->id) == 0)
			return i;
	*SB_ARRAY_ADD(rules) = rule;
	return rules->len - 1;
}

/* All that can be found, and what else was. */
static void collect_rules(const struct sb_findings *findings, struct rule_list *out)
{
	const struct sb_finding_rule *rule;

	for (size_t i = 0; (rule = sb_finding_rule_at(i)) != NULL; i++)
		(void)rule_index(out, rule);
	SB_ARRAY_FOREACH (findings, finding)
		(void)rule_index(out, finding->rule);
}

static void emit_rule(struct sb_emit *emit, const struct sb_finding_rule *rule)
{
	sb_emit_object(emit, NULL);
	sb_emit_text(emit, "id", rule->id);
	sb_emit_text(emit, "name", rule->id);
	emit_message(emit, "shortDescription", rule->title);
	emit_message(emit, "fullDescription", rule->why);
	emit_message(emit, "help", rule->fix);
	sb_emit_line_object(emit, "defaultConfiguration");
	sb_emit_text(emit, "level", sb_level_word(rule->level));
	sb_emit_end(emit);
	sb_emit_end(emit);
}

static void emit_tool(struct sb_emit *emit, const struct rule_list *rules)
{
	sb_emit_object(emit, "tool");
	sb_emit_object(emit, "driver");
	sb_emit_text(emit, "name", "safebuild");
	sb_emit_text(emit, "semanticVersion", SB_VERSION);
	sb_emit_array(emit, "rules");
	SB_ARRAY_FOREACH (rules, rule)
		emit_rule(emit, *rule);
	sb_emit_end(emit);
	sb_emit_end(emit);
	sb_emit_end(emit);
}

static void emit_result(struct sb_emit *emit, const struct sb_inspection *in,
	struct rule_list *rules, const struct sb_finding *finding, size_t n_repeats)
{
	sb_emit_object(emit, NULL);
	sb_emit_text(emit, "ruleId", finding->rule->id);
	sb_emit_number(emit, "ruleIndex", rule_index(rules, finding->rule));
	sb_emit_text(emit, "level", sb_level_word(finding->level));
	emit_message(emit, "message", finding->message);
	sb_emit_array(emit, "locations");
	emit_location(emit, in, finding);
	sb_emit_end(emit);
	emit_fingerprint(emit, finding, n_repeats);
	emit_suppression(emit, finding);
	emit_properties(emit, in, finding);
	sb_emit_end(emit);
}

/* Of which image the log speaks, and whether all of it was seen. */
static void emit_run_properties(
	struct sb_emit *emit, const struct sb_inspection *in, const struct sb_findings *findings)
{
	sb_autofree char *platform = sb_platform_format(&in->platform);

	sb_emit_object(emit, "properties");
	sb_emit_text(emit, "image", in->name != NULL ? in->name : "");
	sb_emit_text(emit, "digest",
		sb_digest_is_set(&in->manifest_digest) ? in->manifest_digest.text : "");
	sb_emit_text(emit, "platform", platform);
	sb_emit_text(emit, "verdict", sb_verdict_word(sb_report_verdict(in, findings)));
	sb_emit_number(emit, "notScanned", in->gaps.len);
	sb_emit_end(emit);
}

int sb_inspection_sarif(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err)
{
	struct sb_emit emit = {.text = SB_BUF_INIT(MAX_SARIF_BYTES), .err = err};
	struct rule_list rules = {0};

	sb_autofree size_t *repeats = count_repeats(findings);

	collect_rules(findings, &rules);
	sb_emit_object(&emit, NULL);
	sb_emit_text(&emit, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	sb_emit_text(&emit, "version", "2.1.0");
	sb_emit_array(&emit, "runs");
	sb_emit_object(&emit, NULL);
	emit_tool(&emit, &rules);
	sb_emit_text(&emit, "columnKind", "unicodeCodePoints");
	sb_emit_array(&emit, "results");
	SB_ARRAY_FOREACH (findings, finding)
		emit_result(&emit, inspection, &rules, finding, repeats[finding - findings->items]);
	sb_emit_end(&emit);
	emit_run_properties(&emit, inspection, findings);
	sb_emit_end(&emit);
	sb_emit_end(&emit);
	sb_emit_end(&emit);
	SB_ARRAY_RELEASE(&rules);
	return sb_emit_finish(&emit, out);
}
