/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/terminal.h"

/* How many words the option at i takes up, whichever verb it belongs to; 0: it is none. */
static size_t skip_option(const struct sb_strv *words, size_t i)
{
	size_t most = 0;

	for (const struct sb_command *const *c = sb_commands(); *c != NULL; c++) {
		const size_t n = sb_options_skip((*c)->options, words, i);

		most = n > most ? n : most;
	}
	return most;
}

/* The first word that is no option, as an index; words->len where there is none. */
static size_t find_first_word(const struct sb_strv *words)
{
	for (size_t i = 0; i < words->len && strcmp(words->items[i], "--") != 0;) {
		const size_t n = skip_option(words, i);

		if (n == 0)
			return i;
		i += n;
	}
	return words->len;
}

/* A word that is no verb is build's CONTEXT, unless it looks like a slip of the keys. */
static int refuse_slip(const char *word, struct sb_error *err)
{
	struct sb_suggestion near = {.typed = word};

	if (strlen(word) < 3 || strchr(word, '/') != NULL || access(word, F_OK) == 0)
		return 0;
	for (const struct sb_command *const *c = sb_commands(); *c != NULL; c++)
		sb_suggestion_consider(&near, (*c)->name);
	if (near.best == NULL)
		return 0;
	sb_fail(err, SB_E_USAGE, "'%s' is neither a command nor a folder", word);
	return sb_error_hint(err, "did you mean 'safebuild %s'?", near.best);
}

/* "inspect diff": where the verb alone takes words, the second one is the verb's only where more
 * words follow it, as it may be an image's name too. */
static void take_second_word(struct sb_strv *words, const struct sb_command **verb)
{
	SB_AUTO_STRV rest = SB_STRV_INIT;
	const size_t i = find_first_word(words);

	if (i == words->len)
		return;
	sb_strv_copy(&rest, words);
	sb_strv_remove_at(&rest, i);

	sb_autofree char *name = sb_asprintf("%s %s", (*verb)->name, words->items[i]);
	const struct sb_command *both = sb_command_find(name);
	const bool more = find_first_word(&rest) < rest.len || sb_strv_contains(&rest, "--") ||
			  sb_strv_contains(&rest, "--help") || sb_strv_contains(&rest, "-h");

	if (both == NULL || (!more && (*verb)->max_words > 0))
		return;
	*verb = both;
	sb_strv_remove_at(words, i);
}

/* Finds the verb and takes it out of the words; *out is NULL where none is given. */
static int take_verb(struct sb_strv *words, const struct sb_command **out, struct sb_error *err)
{
	const size_t i = find_first_word(words);

	*out = NULL;
	if (i == words->len)
		return 0;
	*out = sb_command_find(words->items[i]);
	if (*out != NULL) {
		sb_strv_remove_at(words, i);
		take_second_word(words, out);
		return 0;
	}
	if (sb_command_refuse_absent(words->items[i], err) < 0)
		return -1;
	return refuse_slip(words->items[i], err);
}

static int check_words(
	const struct sb_command *command, const struct sb_strv *words, struct sb_error *err)
{
	if (words->len < command->min_words)
		return sb_fail(err, SB_E_USAGE, "too few words: safebuild %s", command->usage);
	if (words->len > command->max_words)
		return sb_fail(err, SB_E_USAGE, "unexpected word '%s': safebuild %s",
			words->items[command->max_words], command->usage);
	return 0;
}

/* Ends the options before the first word. */
static void end_options(const struct sb_command *command, struct sb_strv *words)
{
	SB_AUTO_STRV rest = SB_STRV_INIT;
	size_t i = 0;

	while (i < words->len && strcmp(words->items[i], "--") != 0) {
		const size_t n = sb_options_skip(command->options, words, i);

		if (n == 0)
			break;
		i += n;
	}
	if (i >= words->len || strcmp(words->items[i], "--") == 0)
		return;
	for (size_t j = 0; j < words->len; j++) {
		if (j == i)
			sb_strv_add(&rest, "--");
		sb_strv_add(&rest, words->items[j]);
	}
	sb_strv_copy(words, &rest);
}

static int parse_and_run(const struct sb_cli *cli, const struct sb_command *verb,
	struct sb_strv *words, void *fields, struct sb_error *err)
{
	const struct sb_command *command = verb != NULL ? verb : &sb_command_build;
	SB_AUTO_STRV rest = SB_STRV_INIT;
	bool is_help = false;

	if (command->options_end_at_word)
		end_options(command, words);
	if (sb_options_parse(command->options, words, fields, &rest, &is_help, err) < 0)
		return -1;
	if (is_help) {
		if (verb != NULL)
			sb_command_print_help(verb, cli->out);
		else
			sb_commands_print_help(cli->out);
		return SB_EXIT_DONE;
	}
	if (check_words(command, &rest, err) < 0)
		return -1;
	return command->run(cli, fields, &rest, err);
}

static int run_command(const struct sb_cli *cli, const struct sb_command *verb,
	struct sb_strv *words, struct sb_error *err)
{
	const struct sb_command *command = verb != NULL ? verb : &sb_command_build;
	sb_autofree void *fields = sb_calloc(1, command->fields_size + 1);

	if (command->defaults != NULL)
		memcpy(fields, command->defaults, command->fields_size);

	const int status = parse_and_run(cli, verb, words, fields, err);

	if (command->release != NULL)
		command->release(fields);
	if (status < 0 && err->code == SB_E_USAGE)
		sb_error_hint(err, "see 'safebuild %s --help'", command->name);
	return status;
}

/* *out_verb: what it is that fails, as far as that is known. */
static int run_words(const struct sb_cli *cli, struct sb_strv *words,
	const struct sb_command **out_verb, struct sb_error *err)
{
	if (words->len == 1 && strcmp(words->items[0], "--version") == 0)
		*out_verb = &sb_command_version, sb_strv_clear(words);
	else if (take_verb(words, out_verb, err) < 0)
		return -1;

	const int status = run_command(cli, *out_verb, words, err);

	/* What does not reach a full disk or a closed pipe was not done. */
	if (status >= 0 && (fflush(cli->out) != 0 || ferror(cli->out)))
		return sb_fail_errno(err, "write to standard output");
	return status;
}

int sb_cli_main(int argc, char *const *argv, FILE *out, FILE *err)
{
	const struct sb_cli cli = {.out = out, .err = err};
	SB_AUTO_STRV words = SB_STRV_INIT;
	SB_AUTO_ERROR failure = SB_ERROR_INIT;

	for (int i = 1; i < argc; i++)
		sb_strv_add(&words, argv[i]);

	const struct sb_command *verb = NULL;
	const int status = run_words(&cli, &words, &verb, &failure);

	if (status >= 0)
		return status;
	(void)fflush(out);
	sb_report_error(err, &failure, sb_terminal_has_color(err));
	return verb != NULL && verb->failure_status != NULL ? verb->failure_status(&failure)
							    : sb_exit_status(&failure);
}
