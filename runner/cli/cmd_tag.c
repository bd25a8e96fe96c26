/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct tag_fields {
	const char *root;
};

static const struct sb_option options[] = {
	SB_OPTION_ROW_ROOT(struct tag_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_tag = {
	.name = "tag",
	.usage = "tag [options] IMAGE NAME[:TAG]...",
	.summary = "give an image of the store another name",
	.options = options,
	.fields_size = sizeof(struct tag_fields),
	.min_words = 2,
	.max_words = SIZE_MAX,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct tag_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;

	(void)cli;
	store.root = f->root;
	for (size_t i = 1; i < words->len; i++) {
		if (sb_tag(&store, words->items[0], words->items[i], err) < 0)
			return sb_report_advise(err);
	}
	return SB_EXIT_DONE;
}
