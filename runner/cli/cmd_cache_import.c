/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "safebuild.h"

#include "base/mem.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct import_fields {
	const char *root;
};

static const struct sb_option options[] = {
	SB_OPTION_ROW_ROOT(struct import_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_cache_import = {
	.name = "cache import",
	.usage = "cache import [options] [FILE]",
	.summary = "bring the cache mounts of an archive into the store",
	.details =
		"FILE is what 'safebuild cache export' wrote, an archive or a layout folder that\n"
		"it became; '-' (the default) is standard input. A cache mount takes the place of\n"
		"the one that the store has; where a build uses that, it is an error. Prints the\n"
		"ids.\n",
	.options = options,
	.fields_size = sizeof(struct import_fields),
	.max_words = 1,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct import_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	const char *input = words->len > 0 ? words->items[0] : "-";
	char **ids = NULL;
	size_t len = 0;

	if (strcmp(input, "-") == 0 && isatty(STDIN_FILENO)) {
		(void)sb_fail(err, SB_E_USAGE, "standard input is a terminal, not an archive");
		return sb_error_hint(err, "give the archive: safebuild cache import FILE");
	}

	struct sb_renderer *renderer = sb_progress_open(SB_PROGRESS_PLAIN, cli->err);

	store.root = f->root;
	store.on_event = sb_renderer_event;
	store.event_data = renderer;

	const int result = sb_import_cache_mounts(&store, input, &ids, &len, err);

	sb_progress_close(renderer, result < 0 ? err : NULL, sb_exit_status(err));
	if (result < 0)
		return sb_progress_failed(SB_PROGRESS_PLAIN, true, err);
	for (size_t i = 0; i < len; i++) {
		sb_autofree char *clean = sb_line_clean(ids[i], strlen(ids[i]));

		(void)fprintf(cli->out, "%s\n", clean);
		sb_free(ids[i]);
	}
	sb_free(ids);
	return SB_EXIT_DONE;
}
