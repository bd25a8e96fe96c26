/* SPDX-License-Identifier: MIT */
#include "cli/render_lint.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "base/utf8.h"
#include "safebuild.h"

/*
 * SARIF 2.1.0 (OASIS, sections 3.13 log, 3.14 run, 3.19 tool, 3.27 result, 3.49 rule).
 */

static json_t *message_of(const char *text)
{
	sb_autofree char *repaired = sb_utf8_repaired(text);

	return json_pack("{s:s}", "text", repaired);
}

static const char *level_of(enum sb_severity severity)
{
	static const char *const levels[] = {"note", "warning", "error"};

	return levels[severity];
}

static json_t *rules(void)
{
	json_t *list = json_array();
	const struct sb_lint_rule *rule;

	for (size_t i = 0; (rule = sb_lint_rule_at(i)) != NULL; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:s, s:b}}", "id", rule->name,
				      "name", rule->name, "shortDescription", message_of(rule->why),
				      "fullDescription", message_of(rule->why), "help",
				      message_of(rule->fix), "defaultConfiguration", "level",
				      level_of(rule->severity), "enabled", !rule->is_experimental));
	return list;
}

static size_t index_of(const struct sb_lint_rule *rule)
{
	size_t i = 0;

	while (sb_lint_rule_at(i) != rule)
		i++;
	return i;
}

/* A relative reference, or a file: URI (RFC 3986, RFC 8089); caller frees. */
static char *uri_of(const char *file)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	SB_AUTO_STRV parts = SB_STRV_INIT;

	if (file[0] == '/')
		sb_strv_add(&parts, "file://");
	for (const char *p = file; *p != '\0';) {
		const size_t n = strspn(p, plain);

		sb_strv_addf(&parts, "%.*s", (int)n, p);
		p += n;
		if (*p != '\0')
			sb_strv_addf(&parts, "%%%02X", (unsigned)(unsigned char)*p++);
	}
	return sb_strv_join(&parts, "");
}

static json_t *location_of(const char *uri, const struct sb_lint_finding *f)
{
	json_t *place = json_pack("{s:{s:s}}", "artifactLocation", "uri", uri);

	if (f->at.line > 0) {
		json_t *region = json_pack("{s:i}", "startLine", (int)f->at.line);

		if (f->character > 0)
			json_object_set_new(
				region, "startColumn", json_integer((json_int_t)f->character));
		if (f->excerpt[0] != '\0')
			json_object_set_new(region, "snippet", message_of(f->excerpt));
		json_object_set_new(place, "region", region);
	}
	return json_pack("{s:o}", "physicalLocation", place);
}

static json_t *result_of(const char *uri, const struct sb_lint_finding *f)
{
	return json_pack("{s:s, s:i, s:s, s:o, s:[o], s:{s:s}}", "ruleId", f->rule->name,
		"ruleIndex", (int)index_of(f->rule), "level", level_of(f->rule->severity),
		"message", message_of(f->message), "locations", location_of(uri, f),
		"partialFingerprints", "safebuildLint/v1", f->fingerprint);
}

void sb_render_lint_sarif(const struct sb_lint_report *report, FILE *out)
{
	sb_autofree char *uri = uri_of(report->file);
	json_t *results = json_array();

	for (size_t i = 0; i < report->len; i++)
		json_array_append_new(results, result_of(uri, &report->findings[i]));

	json_t *driver = json_pack("{s:s, s:s, s:o}", "name", "safebuild", "semanticVersion",
		sb_version(), "rules", rules());
	json_t *run = json_pack("{s:{s:o}, s:s, s:o}", "tool", "driver", driver, "columnKind",
		"unicodeCodePoints", "results", results);
	json_t *log = json_pack("{s:s, s:s, s:[o]}", "$schema",
		"https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", run);

	(void)json_dumpf(log, out, JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII | JSON_INDENT(2));
	(void)fputc('\n', out);
	json_decref(log);
}
