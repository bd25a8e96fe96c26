/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "base/mem.h"
#include "cli/command.h"
#include "cli/inspect_options.h"
#include "cli/report.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

const struct sb_command sb_command_inspect = {
	.name = "inspect",
	.usage = "inspect [options] IMAGE",
	.summary = "read a finished image layer by layer: what is in it, what is left in it, and "
		   "whether a secret is",
	.details =
		"IMAGE is a name in the store, docker://REF, an OCI layout folder or archive, a\n"
		"docker archive, or '-' for an archive on standard input.\n\n"
		"Exit status: 0 clean, 1 a known secret or what --fail-on says was found, 2 wrong\n"
		"usage or policy, 3 the image can't be read, or is not what it claims to be.\n",
	.options = sb_inspect_options,
	.fields_size = sizeof(struct sb_inspect_fields),
	.min_words = 1,
	.max_words = 1,
	.run = run,
	.release = sb_inspect_fields_release,
};

static void print_report(FILE *out, const char *report)
{
	const size_t len = strlen(report);

	(void)fwrite(report, 1, len, out);
	if (len == 0 || report[len - 1] != '\n')
		(void)fputc('\n', out);
}

static void set_style(const struct sb_cli *cli, const struct sb_inspect_fields *f,
	struct sb_inspect_options *inspect)
{
	unsigned rows = 0;

	inspect->color = f->color == SB_COLOR_AUTO ? sb_terminal_has_color(cli->out)
						   : f->color == SB_COLOR_ALWAYS;
	if (!sb_terminal_size(cli->out, &inspect->width, &rows))
		inspect->width = 0;
}

static int inspect(
	const struct sb_cli *cli, const struct sb_inspect_options *options, struct sb_error *err)
{
	static const int statuses[] = {
		[SB_INSPECT_PASSED] = SB_EXIT_DONE,
		[SB_INSPECT_FAILED] = SB_EXIT_FAILED,
		[SB_INSPECT_NO_ANSWER] = SB_EXIT_UNFIT,
	};
	struct sb_inspect_result result = {0};

	if (sb_inspect(options, &result, err) < 0)
		return -1;
	for (size_t i = 0; i < result.n_reports; i++)
		if (result.reports[i] != NULL)
			print_report(cli->out, result.reports[i]);

	const int status = statuses[result.verdict];

	sb_inspect_result_release(&result);
	return status;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct sb_inspect_fields *f = fields;
	const struct sb_report_output usual = {.dest = "-"};
	struct sb_inspect_options options = SB_INSPECT_OPTIONS_INIT;

	const struct sb_report_output *outputs = f->outputs.len > 0 ? f->outputs.items : &usual;
	const size_t n = f->outputs.len > 0 ? f->outputs.len : 1;
	sb_autofree struct sb_report_option *reports = sb_calloc(n, sizeof(reports[0]));

	for (size_t i = 0; i < n; i++) {
		reports[i].form = sb_report_output_form(f, &outputs[i]);
		reports[i].dest = strcmp(outputs[i].dest, "-") != 0 ? outputs[i].dest : NULL;
	}
	options.root = f->root;
	options.image = words->items[0];
	options.name = f->name;
	options.platform = f->platform;
	options.secrets = f->secrets.items;
	options.n_secrets = f->secrets.len;
	options.policy = f->policy;
	options.fail_on = f->fail_on.len > 0 ? (const char *const *)f->fail_on.items : NULL;
	options.strict = f->is_strict;
	options.reports = reports;
	options.n_reports = n;
	set_style(cli, f, &options);
	return inspect(cli, &options, err);
}
