/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "lint/command.h"
#include "lint/rules.h"

static bool is_apt(const struct sb_shell_command *command, struct sb_call *out)
{
	return sb_command_call(command, out) && sb_call_is_one_of(out, "apt-get apt");
}

static bool has_verb(const struct sb_call *call, const char *verb)
{
	/* -o and -t have their value in the next word. */
	for (size_t i = 1; i < call->len; i++) {
		const char *word = call->words[i].text;

		if (strcmp(word, "-o") == 0 || strcmp(word, "-t") == 0 || strcmp(word, "-c") == 0)
			i++;
		else if (word[0] != '-')
			return strcmp(word, verb) == 0;
	}
	return false;
}

/* An option given as -o NAME=value or in a file of apt's: is the name there, with a value of these?
 */
static bool has_setting(const struct sb_call *call, const char *name, const char *values)
{
	for (size_t i = 1; i < call->len; i++) {
		const char *found = strcasestr(call->words[i].text, name);

		if (found == NULL)
			continue;
		found += strlen(name);
		found += strspn(found, "=\"' ");
		if (found[0] != '\0' && strchr(values, found[0]) != NULL)
			return true;
	}
	return false;
}

/* Which stages have a step, there or in what they are based on, that writes the setting's name into
 * apt's configuration. */
static bool *stages_that_say(const struct sb_linter *linter, const char *setting)
{
	bool *says = sb_calloc(linter->stages.len + 1, sizeof(bool));

	for (size_t i = 0; i < linter->stages.len; i++)
		says[i] = linter->stages.items[i].base >= 0 && says[linter->stages.items[i].base];
	SB_ARRAY_FOREACH (&linter->items, item) {
		if (item->stage < 0)
			continue;
		if (item->script != NULL && strcasestr(item->script, setting) != NULL &&
			strstr(item->script, "apt.conf") != NULL)
			says[item->stage] = true;
		SB_ARRAY_FOREACH (&item->instr->heredocs, heredoc)
			if (strcasestr(heredoc->body, setting) != NULL)
				says[item->stage] = true;
	}
	for (size_t i = 0; i < linter->stages.len; i++)
		if (linter->stages.items[i].base >= 0 && says[linter->stages.items[i].base])
			says[i] = true;
	return says;
}

static bool installs(const struct sb_call *call)
{
	return has_verb(call, "install") && !sb_call_has(call, "--help");
}

void sb_rule_apt_installs_recommended(struct sb_linter *linter)
{
	sb_autofree bool *is_set = stages_that_say(linter, "Install-Recommends");

	SB_ARRAY_FOREACH (&linter->items, item) {
		if (item->stage < 0 || is_set[item->stage])
			continue;
		SB_ARRAY_FOREACH (&item->shell.commands, command) {
			struct sb_call call;

			if (is_apt(command, &call) && installs(&call) &&
				!sb_call_has(&call, "--no-install-recommends") &&
				!has_setting(&call, "Install-Recommends", "0fFnN"))
				sb_lint_add(linter, item, sb_lint_at_command(linter, item, command),
					"%s install without --no-install-recommends", call.name);
		}
	}
}

/* -qq, and two of -q, imply -y. */
static bool says_yes(const struct sb_call *call)
{
	size_t n_quiet = 0;

	for (size_t i = 1; i < call->len; i++) {
		const char *word = call->words[i].text;

		if (word[0] == '-' && word[1] != '-')
			for (const char *p = word + 1; *p != '\0'; p++)
				n_quiet += *p == 'q' ? 1 : 0;
		if (strcmp(word, "--quiet") == 0)
			n_quiet++;
		if (strncmp(word, "-q=", 3) == 0 && word[3] >= '2')
			n_quiet += 2;
	}
	return n_quiet >= 2 || sb_call_has_letter(call, 'y') || sb_call_has(call, "--yes") ||
	       sb_call_has(call, "--assume-yes") || sb_call_has(call, "--force-yes") ||
	       sb_call_has(call, "--download-only") || sb_call_has_letter(call, 's') ||
	       has_setting(call, "Assume-Yes", "1tTyY");
}

/* `yes | apt-get install …` */
static bool is_answered(const struct sb_shell *shell, const struct sb_shell_command *command)
{
	struct sb_call from;

	return command->reads_file ||
	       (command->pipe_from != SB_SHELL_NONE &&
		       sb_command_call(&shell->commands.items[command->pipe_from], &from) &&
		       sb_call_is_one_of(&from, "yes echo printf"));
}

void sb_rule_apt_without_yes(struct sb_linter *linter)
{
	static const char *const verbs[] = {"install", "upgrade", "dist-upgrade", "full-upgrade",
		"remove", "purge", "autoremove"};
	sb_autofree bool *is_set = stages_that_say(linter, "Assume-Yes");

	SB_ARRAY_FOREACH (&linter->items, item) {
		if (item->stage < 0 || is_set[item->stage])
			continue;
		SB_ARRAY_FOREACH (&item->shell.commands, command) {
			struct sb_call call;

			if (!is_apt(command, &call) || says_yes(&call) ||
				is_answered(&item->shell, command))
				continue;
			for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
				if (has_verb(&call, verbs[i]))
					sb_lint_add(linter, item,
						sb_lint_at_command(linter, item, command),
						"%s %s without -y", call.name, verbs[i]);
		}
	}
}

static bool uses_lists(const struct sb_call *call)
{
	static const char *const verbs[] = {"install", "upgrade", "dist-upgrade", "full-upgrade",
		"build-dep", "download", "source", "satisfy"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (has_verb(call, verbs[i]))
			return true;
	return false;
}

void sb_rule_apt_update_alone(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		const struct sb_shell_command *update = NULL;
		bool is_used = false;

		SB_ARRAY_FOREACH (&item->shell.commands, command) {
			struct sb_call call;

			if (!sb_command_call(command, &call))
				continue;
			if (is_apt(command, &call) && has_verb(&call, "update"))
				update = update != NULL ? update : command;
			/* A script or a function may well install something. */
			is_used = is_used || (is_apt(command, &call) && uses_lists(&call)) ||
				  sb_call_is_one_of(
					  &call, "aptitude dpkg apt-file add-apt-repository") ||
				  strchr(call.words[0].text, '/') != NULL ||
				  call.words[0].has_expansion ||
				  sb_command_script_file_word(command) >= 0;
		}
		if (update != NULL && !is_used)
			sb_lint_add(linter, item, sb_lint_at_command(linter, item, update),
				"apt update in a layer of its own");
	}
}
