/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

static const struct sb_option options[] = {SB_OPTION_ROW_END};

const struct sb_command sb_command_help = {
	.name = "help",
	.usage = "help [COMMAND]",
	.summary = "show this help, or a command's",
	.options = options,
	.max_words = 2,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	(void)fields;
	if (words->len == 0) {
		sb_commands_print_help(cli->out);
		return SB_EXIT_DONE;
	}

	/* "inspect diff" is one command. */
	sb_autofree char *name = sb_strv_join(words, " ");
	const struct sb_command *command = sb_command_find(name);

	if (command == NULL) {
		if (sb_command_refuse_absent(words->items[0], err) < 0)
			return -1;
		return sb_fail(err, SB_E_USAGE, "there is no command '%s'", name);
	}
	sb_command_print_help(command, cli->out);
	return SB_EXIT_DONE;
}
