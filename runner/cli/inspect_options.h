/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_INSPECT_OPTIONS_H
#define SB_CLI_INSPECT_OPTIONS_H

#include "safebuild.h"

#include "base/array.h"
#include "cli/command.h"
#include "cli/secret_option.h"

/* Where a report goes. */
struct sb_report_output {
	bool has_form;
	enum sb_report_form form;
	const char *dest; /* borrowed from the words; "-" is standard output */
};
SB_ARRAY_STRUCT(sb_report_outputs, struct sb_report_output);

struct sb_report_choice {
	bool is_set;
	enum sb_report_form form;
};

enum sb_color_choice { SB_COLOR_AUTO, SB_COLOR_ALWAYS, SB_COLOR_NEVER };

/* What the options of `inspect` fill in. */
struct sb_inspect_fields {
	const char *root;
	const char *platform;
	const char *name;
	const char *policy;
	struct sb_secret_list secrets;
	struct sb_report_choice format;
	struct sb_report_outputs outputs;
	struct sb_strv fail_on;
	enum sb_color_choice color;
	bool as_json;
	bool is_strict;
};

extern const struct sb_option sb_inspect_options[];
void sb_inspect_fields_release(void *fields);

/* The form of an output: its own, else --format, else what its name ends in, else the page. */
enum sb_report_form sb_report_output_form(
	const struct sb_inspect_fields *fields, const struct sb_report_output *output);

#endif
