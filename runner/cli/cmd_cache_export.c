/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/secret_option.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static void release(void *fields);

struct export_fields {
	const char *root;
	const char *dest;
	struct sb_secret_list secrets;
};

static const struct sb_option options[] = {
	{"output", 'o', SB_OPTION_TEXT, "FILE", offsetof(struct export_fields, dest),
		"where to, '-' for standard output (the default)", NULL},
	{"secret", 0, SB_OPTION_PARSED, "SPEC", offsetof(struct export_fields, secrets),
		"id=ID[,src=FILE|,env=VAR]: no cache mount may hold it (repeatable)",
		sb_secret_option_parse},
	SB_OPTION_ROW_ROOT(struct export_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_cache_export = {
	.name = "cache export",
	.usage = "cache export [options] [ID...]",
	.summary = "write cache mounts to one archive, for 'safebuild cache import' elsewhere",
	.details = "ID is a cache mount's id as in the Buildfile (by default its target), or the\n"
		   "beginning of what 'safebuild cache' shows; without one, all are written.\n"
		   "The archive is an OCI image, a layer for each cache mount. One that a\n"
		   "build uses at the time is an error.\n",
	.options = options,
	.fields_size = sizeof(struct export_fields),
	.max_words = SIZE_MAX,
	.run = run,
	.release = release,
};

static void release(void *fields)
{
	struct export_fields *f = fields;

	sb_secret_list_release(&f->secrets);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct export_fields *f = fields;
	struct sb_cache_mounts_export export = SB_CACHE_MOUNTS_EXPORT_INIT;
	const bool is_stdout = f->dest == NULL || strcmp(f->dest, "-") == 0;

	if (is_stdout && isatty(fileno(cli->out))) {
		(void)sb_fail(err, SB_E_USAGE, "an archive would be written to the terminal");
		return sb_error_hint(err, "redirect standard output, or give -o FILE");
	}

	struct sb_renderer *renderer = sb_progress_open(SB_PROGRESS_PLAIN, cli->err);

	export.root = f->root;
	export.dest = f->dest;
	export.ids = words->len > 0 ? (const char *const *)words->items : NULL;
	export.secrets = f->secrets.items;
	export.n_secrets = f->secrets.len;
	export.on_event = sb_renderer_event;
	export.event_data = renderer;

	const int result = sb_export_cache_mounts(&export, err);

	sb_progress_close(renderer, result < 0 ? err : NULL, sb_exit_status(err));
	return result < 0 ? sb_progress_failed(SB_PROGRESS_PLAIN, true, err) : SB_EXIT_DONE;
}
