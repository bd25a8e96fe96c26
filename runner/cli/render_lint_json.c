/* SPDX-License-Identifier: MIT */
#include "cli/render_lint.h"

#include <jansson.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/lint_options.h"

/* Raised by changes that could break a reader; new fields are none. */
enum { SCHEMA = 1 };

static json_t *text_of(const char *text)
{
	sb_autofree char *repaired = sb_utf8_repaired(text);

	return json_string(repaired);
}

static json_t *finding_of(const struct sb_lint_report *report, const struct sb_lint_finding *f)
{
	json_t *o = json_object();

	json_object_set_new(o, "rule", json_string(f->rule->name));
	json_object_set_new(o, "severity", json_string(sb_severity_name(f->rule->severity)));
	json_object_set_new(o, "file", text_of(report->file));
	json_object_set_new(o, "line", json_integer(f->at.line));
	json_object_set_new(o, "column", json_integer(f->at.column));
	json_object_set_new(o, "message", text_of(f->message));
	json_object_set_new(o, "why", json_string(f->rule->why));
	json_object_set_new(o, "fix", json_string(f->rule->fix));
	json_object_set_new(o, "excerpt", text_of(f->excerpt));
	json_object_set_new(o, "fingerprint", json_string(f->fingerprint));
	return o;
}

static json_t *counts_of(const struct sb_lint_report *report)
{
	json_t *o = json_object();

	for (int i = SB_SEVERITY_ERROR; i >= SB_SEVERITY_INFO; i--)
		json_object_set_new(o, sb_severity_name((enum sb_severity)i),
			json_integer((json_int_t)report->n_of[i]));
	json_object_set_new(o, "waived", json_integer((json_int_t)report->n_waived));
	return o;
}

void sb_render_lint_json(const struct sb_lint_report *report, enum sb_lint_json form, FILE *out)
{
	const bool is_event = form == SB_LINT_JSON_EVENT;
	const size_t flags = JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII;
	json_t *o = json_object();
	json_t *findings = json_array();

	json_object_set_new(o, "schema", json_integer(SCHEMA));
	if (is_event)
		json_object_set_new(o, "event", json_string("lint"));
	json_object_set_new(o, "file", text_of(report->file));
	for (size_t i = 0; i < report->len; i++)
		json_array_append_new(findings, finding_of(report, &report->findings[i]));
	json_object_set_new(o, "findings", findings);
	json_object_set_new(o, "counts", counts_of(report));
	json_object_set_new(o, "cut", json_boolean(report->is_cut));
	(void)json_dumpf(o, out, is_event ? flags | JSON_COMPACT : flags | JSON_INDENT(2));
	(void)fputc('\n', out);
	json_decref(o);
}
