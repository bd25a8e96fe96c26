/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/secret_option.h"
#include "cli/store_options.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static void release(void *fields);

struct diff_fields {
	const char *root;
	const char *platform;
	struct sb_secret_list secrets;
	bool as_json;
};

static const struct sb_option options[] = {
	{"json", 0, SB_OPTION_FLAG, NULL, offsetof(struct diff_fields, as_json),
		"all of it, for programs", NULL},
	{"secret", 0, SB_OPTION_PARSED, "SPEC", offsetof(struct diff_fields, secrets),
		"a secret whose value is not to be shown: id=ID[,src=FILE|,env=VAR] (repeatable)",
		sb_secret_option_parse},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", offsetof(struct diff_fields, platform),
		"of images with several (default: the host's)", sb_platform_option_parse},
	SB_OPTION_ROW_ROOT(struct diff_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_inspect_diff = {
	.name = "inspect diff",
	.usage = "inspect diff [options] A B",
	.summary = "what changed from image A to image B: files, settings, layers and sizes",
	.details = "A and B are images as 'safebuild inspect' takes them; one may be '-'. Files "
		   "are those\n"
		   "of the final file system. Their times, and how layers are compressed, are not\n"
		   "compared. Values that look like secrets are masked.\n\n"
		   "Exit status: 0 the same, 1 different, 2 wrong usage, 3 an image can't be read, "
		   "or not\n"
		   "all of it.\n",
	.options = options,
	.fields_size = sizeof(struct diff_fields),
	.min_words = 2,
	.max_words = 2,
	.run = run,
	.release = release,
};

static void release(void *fields)
{
	struct diff_fields *f = fields;

	sb_secret_list_release(&f->secrets);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	static const int statuses[] = {
		[SB_COMPARED_SAME] = SB_EXIT_DONE,
		[SB_COMPARED_DIFFERENT] = SB_EXIT_FAILED,
		[SB_COMPARED_UNREADABLE] = SB_EXIT_UNFIT,
	};
	const struct diff_fields *f = fields;
	struct sb_compare_options compare = SB_COMPARE_OPTIONS_INIT;
	enum sb_compare_verdict verdict = SB_COMPARED_UNREADABLE;
	unsigned rows = 0;
	char *report = NULL;

	compare.root = f->root;
	compare.before = words->items[0];
	compare.after = words->items[1];
	compare.platform = f->platform;
	compare.secrets = f->secrets.items;
	compare.n_secrets = f->secrets.len;
	compare.as_json = f->as_json;
	compare.color = sb_terminal_has_color(cli->out);
	if (!sb_terminal_size(cli->out, &compare.width, &rows))
		compare.width = 0;
	if (sb_compare(&compare, &report, &verdict, err) < 0)
		return -1;
	(void)fputs(report, cli->out);
	sb_free(report);
	return statuses[verdict];
}
