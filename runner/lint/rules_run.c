/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "lint/command.h"
#include "lint/rules.h"

static bool is_download(const struct sb_call *call)
{
	static const char names[] = "curl wget fetch aria2c http https lwp-download axel";

	return sb_call_is_one_of(call, names);
}

/* The download that the command's input comes from, through any number of pipes; NULL for none. */
static const char *find_download(
	const struct sb_shell *shell, const struct sb_shell_command *command)
{
	struct sb_call call;

	while (command->pipe_from != SB_SHELL_NONE) {
		command = &shell->commands.items[command->pipe_from];
		if (sb_command_call(command, &call) && is_download(&call))
			return call.name;
	}
	return NULL;
}

static const char *name_of(const struct sb_shell_command *command)
{
	struct sb_call call;

	return sb_command_call(command, &call) ? call.name : "a shell";
}

static void check_pipe(struct sb_linter *linter, const struct sb_lint_item *item,
	const struct sb_shell_command *command)
{
	const char *download;

	if (!sb_command_runs_input(command))
		return;
	download = find_download(&item->shell, command);
	if (download != NULL)
		sb_lint_add(linter, item, sb_lint_at_command(linter, item, command),
			"what %s downloads is run by %s", download, name_of(command));
}

/* Is word `index` of the owner one that it runs? */
static bool runs_word(const struct sb_shell_command *owner, enum sb_shell_owner kind, int index)
{
	struct sb_call call;

	if (kind == SB_SHELL_OWNER_FILE)
		return sb_command_script_file_word(owner) == index;
	if (!sb_command_call(owner, &call))
		return owner->n_assignments == 0 && index == 0;
	return sb_call_is(&call, "eval") || sb_command_script_word(owner) == index ||
	       (owner->n_assignments == 0 && index == 0);
}

/* `sh -c "$(curl …)"`, `eval "$(curl …)"`, `bash <(curl …)` */
static void check_substitution(struct sb_linter *linter, const struct sb_lint_item *item,
	const struct sb_shell_command *command)
{
	struct sb_call call;

	if ((command->owner_kind != SB_SHELL_OWNER_OUTPUT &&
		    command->owner_kind != SB_SHELL_OWNER_FILE) ||
		command->owner == SB_SHELL_NONE || !sb_command_call(command, &call) ||
		!is_download(&call))
		return;

	const struct sb_shell_command *owner = &item->shell.commands.items[command->owner];

	/* What the shell outside puts into the word was seen there. */
	if (owner->owner_kind == SB_SHELL_OWNER_ARGUMENT && item->shell.commands.items[owner->owner]
								    .words.items[owner->owner_word]
								    .has_expansion)
		return;
	if (runs_word(owner, command->owner_kind, command->owner_word))
		sb_lint_add(linter, item, sb_lint_at_command(linter, item, owner),
			"what %s downloads is run by %s", call.name, name_of(owner));
}

void sb_rule_pipe_to_shell(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		SB_ARRAY_FOREACH (&item->shell.commands, command) {
			check_pipe(linter, item, command);
			check_substitution(linter, item, command);
		}
	}
}

void sb_rule_sudo_in_run(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item)
		SB_ARRAY_FOREACH (&item->shell.commands, command)
			if (sb_command_has_sudo(command))
				sb_lint_add(linter, item, sb_lint_at_command(linter, item, command),
					"sudo in a RUN");
}

void sb_rule_cd_has_no_effect(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		const struct sb_shell_command *last = NULL;
		struct sb_call call;

		SB_ARRAY_FOREACH (&item->shell.commands, command)
			if (command->owner_kind == SB_SHELL_OWNER_NONE && command->words.len > 0)
				last = command;
		if (last != NULL && last->nesting == 0 && sb_command_call(last, &call) &&
			sb_call_is(&call, "cd") && call.len > 1)
			sb_lint_add(linter, item, sb_lint_at_command(linter, item, last),
				"the cd at the end of this RUN has no effect");
	}
}

/* Programs and the options with which they take any certificate or signature. */
static const struct {
	const char *names;
	const char *option; /* "-k": a letter among others too; "--x=": with a value */
} switches[] = {
	{"curl", "-k"},
	{"curl", "--insecure"},
	{"wget", "--no-check-certificate"},
	{"apt-get apt", "--allow-unauthenticated"},
	{"apt-get apt", "--force-yes"},
	{"apk", "--allow-untrusted"},
	{"dnf yum microdnf zypper", "--nogpgcheck"},
	{"zypper", "--no-gpg-checks"},
	{"pip pip3", "--trusted-host"},
	{"pip pip3", "--trusted-host="},
	{"npm", "--strict-ssl=false"},
	{"git", "http.sslVerify=false"},
	{"git", "http.sslverify=false"},
};

static bool has_switch(const struct sb_call *call, const char *option)
{
	if (option[1] != '-' && option[0] == '-')
		return sb_call_has_letter(call, option[1]);
	return sb_call_has(call, option);
}

void sb_rule_tls_verification_off(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		SB_ARRAY_FOREACH (&item->shell.commands, command) {
			struct sb_call call;

			if (!sb_command_call(command, &call))
				continue;
			for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
				if (sb_call_is_one_of(&call, switches[i].names) &&
					has_switch(&call, switches[i].option))
					sb_lint_add(linter, item,
						sb_lint_at_command(linter, item, command),
						"%s with %.*s does not check who answers",
						call.name, (int)strcspn(switches[i].option, "="),
						switches[i].option);
		}
	}
}
