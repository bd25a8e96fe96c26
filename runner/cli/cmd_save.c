/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct save_fields {
	const char *root;
	const char *dest;
	struct sb_output_option output;
};

static const struct save_fields defaults = {.output = {.type = SB_OUTPUT_DOCKER}};

static int parse_format(void *field, const char *value, struct sb_error *err)
{
	static const struct {
		const char *name;
		enum sb_output_type type;
		bool is_folder;
	} known[] = {
		{"docker", SB_OUTPUT_DOCKER, false},
		{"docker-archive", SB_OUTPUT_DOCKER, false},
		{"oci", SB_OUTPUT_OCI, false},
		{"oci-archive", SB_OUTPUT_OCI, false},
		{"oci-dir", SB_OUTPUT_OCI, true},
	};
	struct sb_output_option *output = field;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, value) == 0) {
			output->type = known[i].type;
			output->is_folder = known[i].is_folder;
			return 0;
		}
	}
	sb_fail(err, SB_E_USAGE, "unknown form '%s'", value);
	return sb_error_hint(err, "the forms are docker, oci and oci-dir");
}

static int parse_compression(void *field, const char *value, struct sb_error *err)
{
	static const char *const known[] = {"gzip", "zstd", "uncompressed"};
	struct sb_output_option *output = field;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], value) == 0)
			output->compression = known[i];
	if (output->compression != NULL)
		return 0;
	sb_fail(err, SB_E_USAGE, "unknown compression '%s'", value);
	return sb_error_hint(err, "the compressions are gzip, zstd and uncompressed");
}

static const struct sb_option options[] = {
	{"output", 'o', SB_OPTION_TEXT, "FILE", offsetof(struct save_fields, dest),
		"where to, '-' for standard output (the default); for oci-dir a folder", NULL},
	{"format", 0, SB_OPTION_PARSED, "FORM", offsetof(struct save_fields, output),
		"docker (for docker load, the default), oci, or oci-dir", parse_format},
	{"compression", 0, SB_OPTION_PARSED, "FORM", offsetof(struct save_fields, output),
		"gzip, zstd or uncompressed for all layers (default: as they are)",
		parse_compression},
	SB_OPTION_ROW_ROOT(struct save_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_save = {
	.name = "save",
	.usage = "save [options] IMAGE...",
	.summary = "write images of the store to one archive",
	.details = "An image is saved under the name that is given; by its digest, without one.\n"
		   "Several names of one image are written once.\n",
	.options = options,
	.fields_size = sizeof(struct save_fields),
	.defaults = &defaults,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct save_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	struct sb_output_option output = f->output;

	output.dest = f->dest != NULL ? f->dest : "-";
	if (strcmp(output.dest, "-") == 0 && output.is_folder)
		return sb_fail(err, SB_E_USAGE, "--format oci-dir writes a folder: give -o FOLDER");
	if (strcmp(output.dest, "-") == 0 && isatty(fileno(cli->out))) {
		sb_fail(err, SB_E_USAGE, "an archive would be written to the terminal");
		return sb_error_hint(err, "redirect standard output, or give -o FILE");
	}
	store.root = f->root;
	return sb_save(&store, (const char *const *)words->items, &output, err) < 0 ? -1
										    : SB_EXIT_DONE;
}
