/* SPDX-License-Identifier: MIT */
#include "safebuild.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct import_fields {
	const char *root;
	const char *progress;
	bool is_quiet;
};

static const struct sb_option options[] = {
	SB_OPTION_ROW_ROOT(struct import_fields, root),
	{"progress", 0, SB_OPTION_TEXT, "FORM", offsetof(struct import_fields, progress),
		"auto (default), tty, plain, json, quiet", NULL},
	{"quiet", 'q', SB_OPTION_FLAG, NULL, offsetof(struct import_fields, is_quiet),
		"no progress, as --progress quiet", NULL},
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_import = {
	.name = "import",
	.usage = "import [options] ROOTFS.tar NAME[:TAG]",
	.summary = "make an image of one layer from a root file system's tar, and print its digest",
	.details = "ROOTFS.tar may be compressed; '-' is standard input.\n",
	.options = options,
	.fields_size = sizeof(struct import_fields),
	.min_words = 2,
	.max_words = 2,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct import_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	char digest[SB_CLI_DIGEST_BYTES] = "";
	enum sb_progress progress = SB_PROGRESS_QUIET;

	if (sb_progress_parse(f->is_quiet ? "quiet" : f->progress, cli->err, &progress, err) < 0)
		return -1;

	struct sb_renderer *renderer = sb_progress_open(progress, cli->err);

	store.root = f->root;
	store.on_event = sb_renderer_event;
	store.event_data = renderer;

	const int result = sb_import(&store, words->items[0], words->items[1], digest, err);

	sb_progress_close(renderer, result < 0 ? err : NULL, sb_exit_status(err));
	if (result < 0)
		return sb_progress_failed(progress, true, err);
	(void)fprintf(cli->out, "%s\n", digest);
	return SB_EXIT_DONE;
}
