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

struct load_fields {
	const char *root;
	const char *input;
	bool is_quiet;
};

static const struct sb_option options[] = {
	{"input", 'i', SB_OPTION_TEXT, "FILE", offsetof(struct load_fields, input),
		"the archive or layout folder, '-' for standard input (the default)", NULL},
	{"quiet", 'q', SB_OPTION_FLAG, NULL, offsetof(struct load_fields, is_quiet),
		"no notices or warnings", NULL},
	SB_OPTION_ROW_ROOT(struct load_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_load = {
	.name = "load",
	.usage = "load [options] [FILE]",
	.summary = "bring all images of an archive into the store, under the names they have there",
	.details = "Archives of docker save and podman save, OCI archives, compressed or not, and\n"
		   "OCI layout folders are read. Prints a line for each name.\n",
	.options = options,
	.fields_size = sizeof(struct load_fields),
	.max_words = 1,
	.run = run,
};

static int choose_input(const struct load_fields *f, const struct sb_strv *words, const char **out,
	struct sb_error *err)
{
	if (f->input != NULL && words->len > 0)
		return sb_fail(err, SB_E_USAGE, "an archive is given twice, as '%s' and as '%s'",
			f->input, words->items[0]);
	*out = f->input != NULL ? f->input : words->len > 0 ? words->items[0] : "-";
	if (strcmp(*out, "-") == 0 && isatty(STDIN_FILENO)) {
		sb_fail(err, SB_E_USAGE, "standard input is a terminal, not an archive");
		return sb_error_hint(err, "give the archive: safebuild load -i FILE");
	}
	return 0;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct load_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	const enum sb_progress progress = f->is_quiet ? SB_PROGRESS_QUIET : SB_PROGRESS_PLAIN;
	struct sb_loaded_image *images = NULL;
	const char *input = NULL;
	size_t len = 0;

	if (choose_input(f, words, &input, err) < 0)
		return -1;

	struct sb_renderer *renderer = sb_progress_open(progress, cli->err);

	store.root = f->root;
	store.on_event = sb_renderer_event;
	store.event_data = renderer;

	const int result = sb_load(&store, input, &images, &len, err);

	sb_progress_close(renderer, result < 0 ? err : NULL, sb_exit_status(err));
	if (result < 0)
		return sb_progress_failed(progress, true, err);
	for (size_t i = 0; i < len; i++) {
		const char *shown = images[i].name != NULL ? images[i].name : images[i].digest;
		sb_autofree char *clean = sb_line_clean(shown, strlen(shown));

		(void)fprintf(cli->out, "Loaded image%s: %s\n", images[i].name != NULL ? "" : " ID",
			clean);
	}
	sb_loaded_images_free(images, len);
	return SB_EXIT_DONE;
}
