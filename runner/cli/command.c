/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <string.h>

static const struct sb_command *const commands[] = {
	&sb_command_build,
	&sb_command_inspect,
	&sb_command_inspect_cat,
	&sb_command_inspect_diff,
	&sb_command_inspect_explore,
	&sb_command_lint,
	&sb_command_pull,
	&sb_command_push,
	&sb_command_login,
	&sb_command_logout,
	&sb_command_import,
	&sb_command_run_image,
	&sb_command_load,
	&sb_command_save,
	&sb_command_images,
	&sb_command_tag,
	&sb_command_rm,
	&sb_command_du,
	&sb_command_prune,
	&sb_command_cache,
	&sb_command_cache_export,
	&sb_command_cache_import,
	&sb_command_doctor,
	&sb_command_version,
	&sb_command_help,
	NULL,
};

static const struct {
	const char *name;
	const char *hint;
} absent[] = {
	{"completion", NULL},
};

const struct sb_command *const *sb_commands(void)
{
	return commands;
}

const struct sb_command *sb_command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

int sb_command_refuse_absent(const char *name, struct sb_error *err)
{
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (strcmp(absent[i].name, name) != 0)
			continue;
		sb_fail(err, SB_E_USAGE, "the command '%s' is not in this version of safebuild",
			name);
		if (absent[i].hint != NULL)
			return sb_error_hint(err, "%s", absent[i].hint);
		return sb_error_hint(err, "for a folder of that name, write ./%s", name);
	}
	return 0;
}

void sb_command_print_help(const struct sb_command *command, FILE *out)
{
	(void)fprintf(out, "Usage: safebuild %s\n\n", command->usage);
	sb_print_wrapped(out, command->summary, 0, 0);
	sb_options_print(command->options, out);
	if (command->details != NULL)
		(void)fprintf(out, "\n%s", command->details);
}

void sb_commands_print_help(FILE *out)
{
	enum { COLUMN = 19 };

	(void)fputs("Usage: safebuild [build] [options] [CONTEXT]\n"
		    "       safebuild COMMAND [options] ...\n\n"
		    "Builds container images from a Buildfile, without a daemon and without root, "
		    "and\nproves that no secret is left in them.\n\nCommands:\n",
		out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		(void)fprintf(out, "  %-*s", COLUMN - 2, commands[i]->name);
		sb_print_wrapped(out, commands[i]->summary, COLUMN, COLUMN);
	}
	(void)fputs(
		"\nExamples:\n"
		"  safebuild -t app .                   build ./Buildfile into the store\n"
		"  safebuild --secret id=token,src=token.txt -o type=oci,dest=app.tar .\n"
		"  safebuild inspect app.tar --secret id=token,src=token.txt\n"
		"  safebuild doctor                     is this host ready to build?\n"
		"\n'safebuild COMMAND --help' says more on each; build is the command where none "
		"is\ngiven. Exit status: 0 done, 1 a step failed or a secret was found, 2 wrong "
		"usage\nor Buildfile, 3 the host or an image can't serve, 125 a bug.\n",
		out);
}
