/* SPDX-License-Identifier: MIT */
#include "lint/command.h"

#include <string.h>

#include "buildfile/chars.h"

/* Programs that run the rest of their words. `valued` are the letters of options with a value in
 * the next word; n_operands go before the program. */
static const struct wrapper {
	const char *name;
	const char *valued;
	size_t n_operands;
} wrappers[] = {{"sudo", "ugpChrtTRD", 0}, {"env", "uCS", 0}, {"exec", "a", 0}, {"command", "", 0},
	{"builtin", "", 0}, {"nohup", "", 0}, {"time", "of", 0}, {"nice", "n", 0},
	{"ionice", "cn", 0}, {"timeout", "ks", 1}, {"eatmydata", "", 0}, {"gosu", "", 1},
	{"su-exec", "", 1}, {"busybox", "", 0}, {"xargs", "adEILnPs", 0}, {"stdbuf", "ioe", 0}};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const struct wrapper *find_wrapper(const char *name)
{
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
		if (strcmp(wrappers[i].name, name) == 0)
			return &wrappers[i];
	return NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static bool is_assignment(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals != NULL && equals != word && !is_option(word) &&
	       memchr(word, '/', (size_t)(equals - word)) == NULL;
}

/* The index of the program that the wrapper at `i` starts; words->len where there is none. */
static size_t skip_wrapper(
	const struct sb_shell_words *words, size_t i, const struct wrapper *wrapper)
{
	size_t operands = wrapper->n_operands;

	for (i++; i < words->len; i++) {
		const char *word = words->items[i].text;

		if (strcmp(word, "--") == 0)
			continue;
		if (is_option(word)) {
			/* -u NAME, but not -uNAME or --user=NAME. */
			if (word[1] != '-' && word[2] == '\0' &&
				strchr(wrapper->valued, word[1]) != NULL)
				i++;
			continue;
		}
		if (is_assignment(word) &&
			(strcmp(wrapper->name, "env") == 0 || strcmp(wrapper->name, "sudo") == 0))
			continue;
		if (operands == 0)
			return i;
		operands--;
	}
	return words->len;
}

bool sb_command_call(const struct sb_shell_command *command, struct sb_call *out)
{
	const struct sb_shell_words *words = &command->words;
	size_t i = command->n_assignments;

	while (i < words->len) {
		const struct wrapper *wrapper = find_wrapper(base_name(words->items[i].text));
		const size_t next = wrapper != NULL ? skip_wrapper(words, i, wrapper) : words->len;

		if (next >= words->len)
			break;
		i = next;
	}
	if (i >= words->len)
		return false;
	*out = (struct sb_call){base_name(words->items[i].text), words->items + i, words->len - i};
	return true;
}

bool sb_command_has_sudo(const struct sb_shell_command *command)
{
	return command->n_assignments < command->words.len &&
	       strcmp(base_name(command->words.items[command->n_assignments].text), "sudo") == 0;
}

bool sb_call_is(const struct sb_call *call, const char *name)
{
	return strcmp(call->name, name) == 0;
}

static bool is_one_of(const char *name, const char *names)
{
	const size_t len = strlen(name);

	while (*names != '\0') {
		const size_t n = strcspn(names, " ");

		if (n == len && memcmp(names, name, len) == 0)
			return true;
		names += n;
		names += strspn(names, " ");
	}
	return false;
}

bool sb_call_is_one_of(const struct sb_call *call, const char *names)
{
	return is_one_of(call->name, names);
}

bool sb_call_has(const struct sb_call *call, const char *word)
{
	const size_t len = strlen(word);
	const bool is_start = len > 0 && word[len - 1] == '=';

	for (size_t i = 1; i < call->len; i++) {
		const char *text = call->words[i].text;

		if (is_start ? strncmp(text, word, len) == 0 : strcmp(text, word) == 0)
			return true;
	}
	return false;
}

bool sb_call_has_letter(const struct sb_call *call, char letter)
{
	for (size_t i = 1; i < call->len; i++) {
		const char *text = call->words[i].text;

		if (is_option(text) && text[1] != '-' && strchr(text, letter) != NULL)
			return true;
	}
	return false;
}

const char *sb_call_operand(const struct sb_call *call, size_t n)
{
	for (size_t i = 1; i < call->len; i++) {
		if (is_option(call->words[i].text))
			continue;
		if (n == 0)
			return call->words[i].text;
		n--;
	}
	return NULL;
}

bool sb_is_shell_name(const char *name)
{
	return is_one_of(name, "sh bash dash ash zsh ksh mksh busybox");
}

/* Does this variable hold a shell's name? */
static bool is_shell_variable(const char *word)
{
	return is_one_of(word, "$SHELL ${SHELL} $BASH ${BASH} $0") ||
	       strncmp(word, "${SHELL:-", strlen("${SHELL:-")) == 0;
}

/* "python3.11" is "python". */
static bool is_versioned(const char *name, const char *program)
{
	const size_t len = strlen(program);

	return strncmp(name, program, len) == 0 &&
	       name[len + strspn(name + len, "0123456789.")] == '\0';
}

static bool is_interpreter(const char *name)
{
	static const char *const programs[] = {"python", "perl", "ruby", "node", "php"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (is_versioned(name, programs[i]))
			return true;
	return false;
}

enum program { FROM_INPUT, FROM_ARGUMENT, FROM_FILE, NO_PROGRAM };

/* Where a shell has its program from; *out_word is its index in the call. */
static enum program shell_program(const struct sb_call *call, size_t *out_word)
{
	bool has_c = false;

	for (size_t i = 1; i < call->len; i++) {
		const char *word = call->words[i].text;

		*out_word = i;
		if (strcmp(word, "-") == 0 || strcmp(word, "--") == 0)
			continue;
		if (word[0] != '-' && word[0] != '+')
			return has_c ? FROM_ARGUMENT : FROM_FILE;
		if (word[0] == '-' && word[1] != '-') {
			if (strchr(word, 's') != NULL)
				return FROM_INPUT;
			has_c = has_c || strchr(word, 'c') != NULL;
		}
		if (word[1] != '-' && (strchr(word, 'o') != NULL || strchr(word, 'O') != NULL))
			i++;
		if (strcmp(word, "--rcfile") == 0 || strcmp(word, "--init-file") == 0)
			i++;
	}
	return has_c ? NO_PROGRAM : FROM_INPUT;
}

static enum program interpreter_program(const struct sb_call *call, size_t *out_word)
{
	for (size_t i = 1; i < call->len; i++) {
		const char *word = call->words[i].text;

		*out_word = i;
		if (strcmp(word, "-") == 0)
			return FROM_INPUT;
		if (word[0] != '-')
			return FROM_FILE;
		/* -c, -m of python, -e, -n, -p of perl, ruby, node, -r of php; --version and its
		 * like run nothing. */
		if (word[1] == '-' || strpbrk(word, "cmenprEV") != NULL)
			return FROM_ARGUMENT;
	}
	return FROM_INPUT;
}

static enum program find_program(const struct sb_call *call, size_t *out_word)
{
	if ((sb_is_shell_name(call->name) && !sb_call_is(call, "busybox")) ||
		is_shell_variable(call->words[0].text))
		return shell_program(call, out_word);
	if (is_interpreter(call->name))
		return interpreter_program(call, out_word);
	return NO_PROGRAM;
}

bool sb_command_is_shell(const struct sb_shell_command *command)
{
	struct sb_call call;

	return sb_command_call(command, &call) && sb_is_shell_name(call.name) &&
	       !sb_call_is(&call, "busybox");
}

bool sb_command_runs_input(const struct sb_shell_command *command)
{
	struct sb_call call;
	size_t word = 0;

	return sb_command_call(command, &call) && find_program(&call, &word) == FROM_INPUT;
}

int sb_command_script_file_word(const struct sb_shell_command *command)
{
	struct sb_call call;
	size_t word = 0;

	if (!sb_command_call(command, &call))
		return -1;
	if (sb_call_is_one_of(&call, ". source"))
		return call.len > 1 ? (int)(call.words + 1 - command->words.items) : -1;
	if (find_program(&call, &word) != FROM_FILE)
		return -1;
	return (int)(call.words + word - command->words.items);
}

int sb_command_script_word(const struct sb_shell_command *command)
{
	struct sb_call call;
	size_t word = 0;

	if (!sb_command_call(command, &call) || !sb_is_shell_name(call.name) ||
		find_program(&call, &word) != FROM_ARGUMENT)
		return -1;
	return (int)(call.words + word - command->words.items);
}
