/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct cat_fields {
	const char *root;
	const char *platform;
	const char *name;
	bool is_forced;
};

static const struct sb_option options[] = {
	{"force", 0, SB_OPTION_FLAG, NULL, offsetof(struct cat_fields, is_forced),
		"print to a terminal what has control characters", NULL},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", offsetof(struct cat_fields, platform),
		"of an image with several (default: the host's)", sb_platform_option_parse},
	{"name", 0, SB_OPTION_TEXT, "NAME", offsetof(struct cat_fields, name),
		"which of several images in a folder or archive", NULL},
	SB_OPTION_ROW_ROOT(struct cat_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_inspect_cat = {
	.name = "inspect cat",
	.usage = "inspect cat [options] IMAGE LAYER PATH",
	.summary = "print one file of one layer of an image, also one that a later layer deletes",
	.details = "LAYER is a number, from 1, or the beginning of a layer's digest or diff_id. "
		   "What is\n"
		   "printed is the file as it is, secrets included.\n\n"
		   "Exit status: 0 done, 2 wrong usage, or control characters and a terminal, 3 "
		   "the\nlayer has no such file, or the image can't be read.\n",
	.options = options,
	.fields_size = sizeof(struct cat_fields),
	.min_words = 3,
	.max_words = 3,
	.run = run,
};

static bool print_bytes(void *data, const void *bytes, size_t len)
{
	FILE *out = data;

	return fwrite(bytes, 1, len, out) == len;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct cat_fields *f = fields;
	struct sb_inspect_cat_options cat = SB_INSPECT_CAT_OPTIONS_INIT;

	cat.root = f->root;
	cat.platform = f->platform;
	cat.name = f->name;
	cat.image = words->items[0];
	cat.layer = words->items[1];
	cat.path = words->items[2];
	cat.is_for_terminal =
		!f->is_forced && fileno(cli->out) >= 0 && isatty(fileno(cli->out)) == 1;
	cat.on_bytes = print_bytes;
	cat.data = cli->out;
	return sb_inspect_cat(&cat, err) < 0 ? -1 : SB_EXIT_DONE;
}
