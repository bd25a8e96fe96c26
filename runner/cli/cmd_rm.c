/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct rm_fields {
	const char *root;
	bool force;
};

static const struct sb_option options[] = {
	{"force", 'f', SB_OPTION_FLAG, NULL, offsetof(struct rm_fields, force),
		"by digest, also an image with several names; one that is not there is no error",
		NULL},
	SB_OPTION_ROW_ROOT(struct rm_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_rm = {
	.name = "rm",
	.usage = "rm [options] IMAGE...",
	.summary = "remove images from the store, by name or by the beginning of their digest",
	.options = options,
	.fields_size = sizeof(struct rm_fields),
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct rm_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;

	(void)cli;
	store.root = f->root;
	return sb_remove(&store, (const char *const *)words->items, f->force, err) < 0
		       ? sb_report_advise(err)
		       : SB_EXIT_DONE;
}
