/* SPDX-License-Identifier: MIT */
#include "cli/inspect_options.h"

#include <string.h>

#include "base/mem.h"
#include "cli/store_options.h"

#define FIELD(name) offsetof(struct sb_inspect_fields, name)

static int parse_format(void *field, const char *value, struct sb_error *err);
static int parse_output(void *field, const char *value, struct sb_error *err);
static int parse_fail_on(void *field, const char *value, struct sb_error *err);
static int parse_color(void *field, const char *value, struct sb_error *err);

const struct sb_option sb_inspect_options[] = {
	{"secret", 0, SB_OPTION_PARSED, "SPEC", FIELD(secrets),
		"a secret to search for: id=ID[,src=FILE|,env=VAR] (repeatable)",
		sb_secret_option_parse},
	{"format", 0, SB_OPTION_PARSED, "FORM", FIELD(format),
		"page (default), json, sarif or html", parse_format},
	{"json", 0, SB_OPTION_FLAG, NULL, FIELD(as_json), "as --format json", NULL},
	{"output", 'o', SB_OPTION_PARSED, "[FORM=]FILE", FIELD(outputs),
		"write a report to FILE ('-': standard output) instead; its form is FORM, else "
		"--format, else what FILE ends in (repeatable)",
		parse_output},
	{"fail-on", 0, SB_OPTION_PARSED, "WHAT,...", FIELD(fail_on),
		"exit with status 1 for: error, warning, note (and worse), any, none, or rules by "
		"id (default: known-secret,budget-exceeded)",
		parse_fail_on},
	{"policy", 0, SB_OPTION_TEXT, "FILE", FIELD(policy),
		"budgets and waivers (default: .safebuild.json, if there is one)", NULL},
	{"strict", 0, SB_OPTION_FLAG, NULL, FIELD(is_strict),
		"exit with status 3 where not everything could be looked at", NULL},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", FIELD(platform),
		"of an image with several (default: the host's)", sb_platform_option_parse},
	{"name", 0, SB_OPTION_TEXT, "NAME", FIELD(name),
		"which of several images in a folder or archive", NULL},
	{"color", 0, SB_OPTION_PARSED, "WHEN", FIELD(color),
		"auto (default: on a terminal), always or never", parse_color},
	SB_OPTION_ROW_ROOT(struct sb_inspect_fields, root),
	SB_OPTION_ROW_END,
};

static const struct {
	const char *name;
	const char *ending; /* of files */
	enum sb_report_form form;
} forms[] = {
	{"page", ".txt", SB_REPORT_PAGE},
	{"json", ".json", SB_REPORT_JSON},
	{"sarif", ".sarif", SB_REPORT_SARIF},
	{"html", ".html", SB_REPORT_HTML},
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static bool find_form(const char *name, size_t len, enum sb_report_form *out)
{
	for (size_t i = 0; i < N_FORMS; i++) {
		if (strlen(forms[i].name) == len && strncmp(forms[i].name, name, len) == 0) {
			*out = forms[i].form;
			return true;
		}
	}
	return false;
}

static int parse_format(void *field, const char *value, struct sb_error *err)
{
	struct sb_report_choice *choice = field;

	/* The word of earlier versions. */
	choice->is_set = true;
	if (strcmp(value, "table") == 0) {
		choice->form = SB_REPORT_PAGE;
		return 0;
	}
	if (find_form(value, strlen(value), &choice->form))
		return 0;
	sb_fail(err, SB_E_USAGE, "unknown form '%s'", value);
	return sb_error_hint(err, "the forms are page, json, sarif and html");
}

static int parse_output(void *field, const char *value, struct sb_error *err)
{
	struct sb_report_output *output = SB_ARRAY_ADD((struct sb_report_outputs *)field);
	const size_t n = strcspn(value, "=");

	output->dest = value;
	if (value[n] == '=' && find_form(value, n, &output->form)) {
		output->has_form = true;
		output->dest = value + n + 1;
	}
	return output->dest[0] != '\0' ? 0 : sb_fail(err, SB_E_USAGE, "the file is missing");
}

static int parse_fail_on(void *field, const char *value, struct sb_error *err)
{
	for (const char *p = value; *p != '\0';) {
		const size_t len = strcspn(p, ",");

		if (len == 0)
			return sb_fail(err, SB_E_USAGE, "a word is missing in '%s'", value);
		sb_strv_add_nodup(field, sb_memdup0(p, len));
		p += len + (p[len] == ',' ? 1 : 0);
	}
	if (value[0] == '\0')
		return sb_fail(err, SB_E_USAGE, "it is empty: 'none' is what never fails");
	return 0;
}

static int parse_color(void *field, const char *value, struct sb_error *err)
{
	static const char *const names[] = {"auto", "always", "never"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			*(enum sb_color_choice *)field = (enum sb_color_choice)i;
			return 0;
		}
	}
	return sb_fail(err, SB_E_USAGE, "it is auto, always or never, not '%s'", value);
}

static bool ends_in(const char *name, const char *ending)
{
	const size_t len = strlen(name);
	const size_t n = strlen(ending);

	return len > n && strcmp(name + len - n, ending) == 0;
}

enum sb_report_form sb_report_output_form(
	const struct sb_inspect_fields *fields, const struct sb_report_output *output)
{
	if (output->has_form)
		return output->form;
	if (fields->as_json)
		return SB_REPORT_JSON;
	if (fields->format.is_set)
		return fields->format.form;
	for (size_t i = 0; i < N_FORMS; i++)
		if (ends_in(output->dest, forms[i].ending))
			return forms[i].form;
	return SB_REPORT_PAGE;
}

void sb_inspect_fields_release(void *fields)
{
	struct sb_inspect_fields *f = fields;

	sb_secret_list_release(&f->secrets);
	SB_ARRAY_RELEASE(&f->outputs);
	sb_strv_release(&f->fail_on);
}
