/* SPDX-License-Identifier: MIT */
#include "safebuild.h"

#include "cli/command.h"
#include "cli/store_call.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct import_fields {
	const char *root;
	const char *progress;
	bool is_quiet;
	struct sb_strv changes;
};

static void release(void *fields)
{
	struct import_fields *f = fields;

	sb_strv_release(&f->changes);
}

static const struct sb_option options[] = {
	{"change", 'c', SB_OPTION_LIST, "INSTRUCTION", offsetof(struct import_fields, changes),
		"how the image runs, as a Buildfile says it: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, "
		"USER, VOLUME, WORKDIR, ... (repeatable)",
		NULL},
	SB_OPTION_ROW_ROOT(struct import_fields, root),
	SB_OPTION_ROWS_PROGRESS(struct import_fields, progress, is_quiet),
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
	.release = release,
};

struct import_request {
	const struct sb_strv *words;
	const struct sb_strv *changes;
};

static int import(const struct sb_store_options *store, const void *data, char *out_digest,
	struct sb_error *err)
{
	const struct import_request *r = data;

	return sb_import(store, r->words->items[0], r->words->items[1],
		r->changes->len > 0 ? (const char *const *)r->changes->items : NULL, out_digest,
		err);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct import_fields *f = fields;
	const struct import_request request = {.words = words, .changes = &f->changes};
	const struct sb_store_call call = {.root = f->root,
		.progress = f->progress,
		.is_quiet = f->is_quiet,
		.run = import,
		.data = &request};

	return sb_store_call(cli, &call, err);
}
