/* SPDX-License-Identifier: MIT */
#include "cli/lint_options.h"

#include <string.h>

#include "base/mem.h"
#include "cli/report.h"

static const struct {
	const char *name;
	enum sb_fail_on fail_on;
} fail_ons[] = {
	{"error", SB_FAIL_ON_ERROR},
	{"warning", SB_FAIL_ON_WARNING},
	{"info", SB_FAIL_ON_INFO},
	{"never", SB_FAIL_ON_NEVER},
};

int sb_fail_on_parse(void *field, const char *value, struct sb_error *err)
{
	for (size_t i = 0; i < sizeof(fail_ons) / sizeof(fail_ons[0]); i++) {
		if (strcmp(fail_ons[i].name, value) == 0) {
			*(enum sb_fail_on *)field = fail_ons[i].fail_on;
			return 0;
		}
	}
	return sb_fail(err, SB_E_USAGE,
		"unknown severity '%s': it is error, warning, info or never", value);
}

int sb_fail_on_status(
	enum sb_fail_on fail_on, enum sb_fail_on usual, const struct sb_lint_report *report)
{
	const size_t *n = report->n_of;
	size_t n_bad = 0;

	if (fail_on == SB_FAIL_ON_DEFAULT)
		fail_on = report->fails_on_warning ? SB_FAIL_ON_WARNING : usual;
	if (fail_on != SB_FAIL_ON_NEVER)
		n_bad += n[SB_SEVERITY_ERROR];
	if (fail_on == SB_FAIL_ON_WARNING || fail_on == SB_FAIL_ON_INFO)
		n_bad += n[SB_SEVERITY_WARNING];
	if (fail_on == SB_FAIL_ON_INFO)
		n_bad += n[SB_SEVERITY_INFO];
	return n_bad > 0 ? SB_EXIT_FAILED : SB_EXIT_DONE;
}

int sb_rule_names_parse(void *field, const char *value, struct sb_error *err)
{
	for (const char *p = value; *p != '\0';) {
		const size_t len = strcspn(p, ",");

		if (len == 0)
			return sb_fail(err, SB_E_USAGE, "a rule's name is missing in '%s'", value);
		sb_strv_add_nodup(field, sb_memdup0(p, len));
		p += len + (p[len] == ',' ? 1 : 0);
	}
	return 0;
}

const char *sb_severity_name(enum sb_severity severity)
{
	static const char *const names[] = {"info", "warning", "error"};

	return names[severity];
}
