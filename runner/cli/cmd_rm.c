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
};

static const struct sb_option options[] = {
	SB_OPTION_ROW_ROOT(struct rm_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_rm = {
	.name = "rm",
	.usage = "rm [options] IMAGE...",
	.summary = "remove images from the store",
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
	for (size_t i = 0; i < words->len; i++) {
		if (sb_remove(&store, words->items[i], err) < 0)
			return -1;
	}
	return SB_EXIT_DONE;
}
