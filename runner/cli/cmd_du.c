/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "base/mem.h"
#include "base/size.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/usage_table.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct du_fields {
	const char *root;
	bool as_json;
};

static const struct sb_option options[] = {
	{"json", 0, SB_OPTION_FLAG, NULL, offsetof(struct du_fields, as_json),
		"JSON instead of the table", NULL},
	SB_OPTION_ROW_ROOT(struct du_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_du = {
	.name = "du",
	.usage = "du [options]",
	.summary = "show what takes space in the store, and when it was last used",
	.details = "Layers are listed as they lie unpacked, blobs as images are made of them. What "
		   "is\n"
		   "shared belongs to an image of the store; 'safebuild prune' removes the rest.\n",
	.options = options,
	.fields_size = sizeof(struct du_fields),
	.run = run,
};

static void print_totals(FILE *out, const struct sb_usage *usage, size_t len, uint64_t total)
{
	uint64_t shared = 0;

	for (size_t i = 0; i < len; i++)
		shared += usage[i].is_shared ? usage[i].size_bytes : 0;

	sb_autofree char *all = sb_size_format(total);
	sb_autofree char *of_images = sb_size_format(shared);

	(void)fprintf(out, "total %s, of which %s belong to images\n", all, of_images);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct du_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	struct sb_usage *usage = NULL;
	uint64_t total = 0;
	size_t len = 0;

	(void)words;
	store.root = f->root;
	if (sb_usage(&store, &usage, &len, &total, err) < 0)
		return -1;
	if (f->as_json) {
		sb_usage_print_json(cli->out, usage, len, "total", total);
	} else {
		sb_usage_print_table(cli->out, usage, len);
		print_totals(cli->out, usage, len, total);
	}
	sb_usage_free(usage, len);
	return SB_EXIT_DONE;
}
