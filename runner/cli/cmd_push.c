/* SPDX-License-Identifier: MIT */
#include "safebuild.h"

#include "cli/command.h"
#include "cli/store_call.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct push_fields {
	const char *root;
	const char *auth_file;
	const char *chunk_size;
	const char *progress;
	bool is_quiet;
};

static const struct sb_option options[] = {
	{"chunk-size", 0, SB_OPTION_TEXT, "SIZE", offsetof(struct push_fields, chunk_size),
		"send layers in pieces of at most SIZE, e.g. 64m (default: as a whole)", NULL},
	SB_OPTION_ROW_ROOT(struct push_fields, root),
	SB_OPTION_ROW_AUTH(struct push_fields, auth_file),
	SB_OPTION_ROWS_PROGRESS(struct push_fields, progress, is_quiet),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_push = {
	.name = "push",
	.usage = "push [options] IMAGE [NAME...]",
	.summary = "bring an image of the store into its registry, and print its digest",
	.details = "IMAGE goes to its own name, or to each NAME that is given. Layers that a\n"
		   "registry has already are not sent. 'safebuild login' is for registries that\n"
		   "want it.\n",
	.options = options,
	.fields_size = sizeof(struct push_fields),
	.min_words = 1,
	.max_words = (size_t)-1,
	.run = run,
};

struct push {
	const char *image;
	const char *const *names;
	const char *chunk_size;
};

static int push(const struct sb_store_options *store, const void *data, char *out_digest,
	struct sb_error *err)
{
	const struct push *asked = data;
	struct sb_push_request request = SB_PUSH_REQUEST_INIT;

	request.image = asked->image;
	request.names = asked->names;
	request.chunk_size = asked->chunk_size;
	return sb_push(store, &request, out_digest, err);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct push_fields *f = fields;
	const struct push asked = {.image = words->items[0],
		.names = (const char *const *)words->items + 1,
		.chunk_size = f->chunk_size};
	const struct sb_store_call call = {.root = f->root,
		.auth_file = f->auth_file,
		.progress = f->progress,
		.is_quiet = f->is_quiet,
		.run = push,
		.data = &asked};

	return sb_store_call(cli, &call, err);
}
