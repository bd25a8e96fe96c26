/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/usage_table.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct cache_fields {
	const char *root;
	bool as_json;
};

static const struct sb_option options[] = {
	{"json", 0, SB_OPTION_FLAG, NULL, offsetof(struct cache_fields, as_json),
		"JSON instead of the table", NULL},
	SB_OPTION_ROW_ROOT(struct cache_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_cache = {
	.name = "cache",
	.usage = "cache [options]",
	.summary = "list the cache mounts (RUN --mount=type=cache) of the store",
	.details = "The last column is a cache mount's id and what else tells it from others.\n"
		   "'safebuild prune --filter type=mount --filter id=ID' removes one.\n",
	.options = options,
	.fields_size = sizeof(struct cache_fields),
	.run = run,
};

/* Puts the mounts first; how many there are. */
static size_t gather(struct sb_usage *usage, size_t len, uint64_t *out_bytes)
{
	size_t n = 0;

	*out_bytes = 0;
	for (size_t i = 0; i < len; i++) {
		const struct sb_usage it = usage[i];

		if (strcmp(it.kind, "mount") != 0)
			continue;
		*out_bytes += it.size_bytes;
		usage[i] = usage[n];
		usage[n++] = it;
	}
	return n;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct cache_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	struct sb_usage *usage = NULL;
	uint64_t bytes = 0;
	size_t len = 0;

	(void)words;
	store.root = f->root;
	if (sb_usage(&store, &usage, &len, &bytes, err) < 0)
		return -1;

	const size_t n = gather(usage, len, &bytes);

	if (f->as_json)
		sb_usage_print_json(cli->out, usage, n, "total", bytes);
	else
		sb_usage_print_table(cli->out, usage, n);
	sb_usage_free(usage, len);
	return SB_EXIT_DONE;
}
