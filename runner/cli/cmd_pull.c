/* SPDX-License-Identifier: MIT */
#include "safebuild.h"

#include "cli/command.h"
#include "cli/store_call.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct pull_fields {
	const char *root;
	const char *auth_file;
	const char *platform;
	const char *progress;
	bool is_quiet;
};

static const struct sb_option options[] = {
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", offsetof(struct pull_fields, platform),
		"of an image with several (default: the host's); or all of them: all",
		sb_platform_option_parse},
	SB_OPTION_ROW_ROOT(struct pull_fields, root),
	SB_OPTION_ROW_AUTH(struct pull_fields, auth_file),
	SB_OPTION_ROWS_PROGRESS(struct pull_fields, progress, is_quiet),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_pull = {
	.name = "pull",
	.usage = "pull [options] REF",
	.summary = "fetch an image from a registry into the store, and print its digest",
	.options = options,
	.fields_size = sizeof(struct pull_fields),
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

struct pull {
	const char *ref;
	const char *platform;
};

static int pull(const struct sb_store_options *store, const void *data, char *out_digest,
	struct sb_error *err)
{
	const struct pull *asked = data;

	return sb_pull(store, asked->ref, asked->platform, out_digest, err);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct pull_fields *f = fields;
	const struct pull asked = {.ref = words->items[0], .platform = f->platform};
	const struct sb_store_call call = {.root = f->root,
		.auth_file = f->auth_file,
		.progress = f->progress,
		.is_quiet = f->is_quiet,
		.run = pull,
		.data = &asked};

	return sb_store_call(cli, &call, err);
}
