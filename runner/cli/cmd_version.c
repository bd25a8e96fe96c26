/* SPDX-License-Identifier: MIT */
#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

static const struct sb_option options[] = {SB_OPTION_ROW_END};

const struct sb_command sb_command_version = {
	.name = "version",
	.usage = "version",
	.summary = "print the version",
	.options = options,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	(void)fields;
	(void)words;
	(void)err;
	(void)fprintf(cli->out, "safebuild %s\n", sb_version());
	return SB_EXIT_DONE;
}
