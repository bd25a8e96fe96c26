/* SPDX-License-Identifier: MIT */
#include "lint/shell.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "lint/command.h"
#include "lint/shell_parser.h"

struct sb_shell_level sb_shell_level_new(enum sb_shell_owner kind, int owner, int owner_word)
{
	return (struct sb_shell_level){.command = SB_SHELL_NONE,
		.last = SB_SHELL_NONE,
		.input = SB_SHELL_NONE,
		.owner_kind = kind,
		.owner = owner,
		.owner_word = owner_word};
}

static struct sb_shell_draft word_new(int command, int index)
{
	return (struct sb_shell_draft){
		.text = SB_BUF_INIT(SB_MAX_BUILDFILE), .command = command, .index = index};
}

/* Reads a word that is not kept. Its text; caller frees. */
static char *take_word(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	struct sb_shell_draft word = word_new(level->command, -1);

	while (sb_is_blank(sb_shell_peek(p)) && sb_shell_peek(p) != '\n' && p->at < p->len)
		p->at++;
	sb_shell_read_word(p, &word);
	return sb_buf_steal(&word.text);
}

static struct sb_shell_command *open_command(
	struct sb_shell_parser *p, struct sb_shell_level *level)
{
	struct sb_shell_command *command = SB_ARRAY_ADD(&p->out->commands);

	command->at = p->at;
	command->pipe_from = level->is_piped ? level->last : level->input;
	command->owner_kind = level->owner_kind;
	command->owner = level->owner;
	command->owner_word = level->owner_word;
	command->nesting = p->nesting;
	level->command = (int)p->out->commands.len - 1;
	level->is_piped = false;
	return command;
}

static void end_command(struct sb_shell_level *level)
{
	if (level->command != SB_SHELL_NONE)
		level->last = level->command;
	level->command = SB_SHELL_NONE;
	if (level->state == SKIP_WORDS)
		level->state = EXPECT_COMMAND;
}

static bool is_assignment(const char *text)
{
	size_t n = 0;

	while (sb_is_letter(text[n]) || text[n] == '_' || (n > 0 && sb_is_digit(text[n])))
		n++;
	return n > 0 && (text[n] == '=' || (text[n] == '+' && text[n + 1] == '='));
}

static void add_word(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	if (level->command == SB_SHELL_NONE)
		(void)open_command(p, level);

	const size_t start = p->at;
	const int index = level->command;
	struct sb_shell_draft word = word_new(index, (int)p->out->commands.items[index].words.len);

	sb_shell_read_word(p, &word);

	/* Commands in the word were added behind it, and may have moved it. */
	struct sb_shell_command *command = &p->out->commands.items[index];
	const bool is_first = command->words.len == command->n_assignments;

	if (p->at == start) {
		p->at++;
		sb_buf_release(&word.text);
		return;
	}
	*SB_ARRAY_ADD(&command->words) = (struct sb_shell_word){
		.text = sb_buf_steal(&word.text),
		.at = start,
		.len = p->at - start,
		.is_quoted = word.is_quoted,
		.has_expansion = word.has_expansion,
	};
	if (is_first && is_assignment(command->words.items[command->words.len - 1].text))
		command->n_assignments++;
}

static void read_bodies(struct sb_shell_parser *p)
{
	SB_ARRAY_FOREACH (&p->pending, heredoc) {
		const size_t start = p->at;
		size_t end = p->at;

		while (p->at < p->len) {
			const char *line = p->text + p->at;
			const char *newline = memchr(line, '\n', p->len - p->at);
			size_t n = newline != NULL ? (size_t)(newline - line) : p->len - p->at;
			size_t tabs = 0;

			p->at += n + (newline != NULL ? 1 : 0);
			while (heredoc->strips_tabs && tabs < n && line[tabs] == '\t')
				tabs++;
			if (n - tabs == strlen(heredoc->end) &&
				memcmp(line + tabs, heredoc->end, n - tabs) == 0)
				break;
			end = p->at;
		}
		if (heredoc->command != SB_SHELL_NONE) {
			struct sb_shell_command *command =
				&p->out->commands.items[heredoc->command];

			command->body_at = start;
			command->body_len = end - start;
			command->reads_file = true;
		}
		free(heredoc->end);
	}
	p->pending.len = 0;
}

/* At a `<` or `>` that is no process substitution, or at `&>`. */
static void read_redirection(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	static const char *const operators[] = {
		"<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">&", ">|", ">"};
	size_t i = 0;

	while (strncmp(p->text + p->at, operators[i], strlen(operators[i])) != 0)
		i++;

	const char *op = operators[i];

	p->at += strlen(op);

	char *target = take_word(p, level);

	if (op[0] == '<' && level->command != SB_SHELL_NONE)
		p->out->commands.items[level->command].reads_file = true;
	if (strcmp(op, "<<") == 0 || strcmp(op, "<<-") == 0)
		*SB_ARRAY_ADD(&p->pending) =
			(struct sb_shell_heredoc){level->command, target, op[2] == '-'};
	else
		free(target);
}

/* Up to the bracket that closes the one at p->at; what is in it is no list of commands. */
static void skip_balanced(struct sb_shell_parser *p)
{
	struct sb_shell_draft ignored = word_new(SB_SHELL_NONE, -1);

	p->at++;
	sb_shell_read_balanced(p, &ignored, '(', ')');
	sb_buf_release(&ignored.text);
}

static void read_subshell(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	struct sb_shell_level inner =
		sb_shell_level_new(level->owner_kind, level->owner, level->owner_word);

	if (p->depth >= SB_SHELL_MAX_DEPTH) {
		p->at = p->len;
		return;
	}
	inner.input = level->is_piped ? level->last : level->input;
	p->at++;
	p->depth++;
	p->nesting++;
	sb_shell_parse_list(p, &inner, ')');
	p->nesting--;
	p->depth--;
	if (p->at < p->len)
		p->at++;
	level->last = inner.last;
	level->is_piped = false;
}

/* `name()`: the word was no command. */
static void drop_function_name(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	struct sb_shell_command *command = &p->out->commands.items[level->command];

	SB_ARRAY_FOREACH (&command->words, word)
		free(word->text);
	command->words.len = command->n_assignments = 0;
	level->command = SB_SHELL_NONE;
}

static void read_open(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	const bool is_inside = level->command != SB_SHELL_NONE;
	size_t n = 1;

	while (sb_is_blank(sb_shell_peek_at(p, n)) && sb_shell_peek_at(p, n) != '\n')
		n++;
	if (is_inside && sb_shell_peek_at(p, n) == ')') {
		drop_function_name(p, level);
		p->at += n + 1;
	} else if (is_inside || sb_shell_peek_at(p, 1) == '(') {
		skip_balanced(p);
	} else {
		read_subshell(p, level);
	}
}

static void read_operator(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	const char c = sb_shell_peek(p);
	const char next = sb_shell_peek_at(p, 1);

	if (c == '<' || c == '>' || (c == '&' && next == '>')) {
		read_redirection(p, level);
		return;
	}
	if (c == '(') {
		read_open(p, level);
		return;
	}
	end_command(level);
	p->at++;
	level->is_piped = c == '|' && next != '|';
	if ((c == '|' && (next == '|' || next == '&')) || (c == '&' && next == '&'))
		p->at++;
	if (c == ';' && (next == ';' || next == '&')) {
		p->at += next == ';' && sb_shell_peek_at(p, 1) == '&' ? 2 : 1;
		if (level->cases > 0)
			level->state = CASE_PATTERN;
	}
}

/* The words that are no commands but part of the grammar, and how the nesting goes on. */
static const struct {
	const char *word;
	int nesting;
} reserved[] = {{"then", 0}, {"else", 0}, {"elif", 0}, {"do", 0}, {"!", 0}, {"time", 0}, {"if", 1},
	{"while", 1}, {"until", 1}, {"{", 1}, {"for", 1}, {"select", 1}, {"case", 1},
	{"function", 0}, {"fi", -1}, {"done", -1}, {"}", -1}, {"esac", -1}};

static bool is_plain_word(const struct sb_shell_parser *p, const char *word)
{
	const size_t len = strlen(word);

	return p->len - p->at >= len && memcmp(p->text + p->at, word, len) == 0 &&
	       sb_shell_ends_word(sb_shell_peek_at(p, len));
}

/* True where a reserved word was taken. */
static bool take_reserved(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	size_t i = 0;

	while (i < sizeof(reserved) / sizeof(reserved[0]) && !is_plain_word(p, reserved[i].word))
		i++;
	if (level->command != SB_SHELL_NONE || i == sizeof(reserved) / sizeof(reserved[0]))
		return false;

	const char *word = reserved[i].word;

	p->at += strlen(word);
	if (reserved[i].nesting > 0)
		p->nesting++;
	else if (reserved[i].nesting < 0 && p->nesting > 0)
		p->nesting--;
	if (strcmp(word, "for") == 0 || strcmp(word, "select") == 0)
		level->state = SKIP_WORDS;
	else if (strcmp(word, "case") == 0)
		level->state = CASE_WORD;
	else if (strcmp(word, "esac") == 0 && level->cases > 0)
		level->cases--;
	else if (strcmp(word, "function") == 0)
		free(take_word(p, level));
	return true;
}

/* One byte or word of the pattern before a `)`. */
static void read_pattern(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	const char c = sb_shell_peek(p);

	if (is_plain_word(p, "esac")) {
		level->state = EXPECT_COMMAND;
		return;
	}
	if (c == ')')
		level->state = EXPECT_COMMAND;
	if (sb_shell_ends_word(c))
		p->at++;
	else
		free(take_word(p, level));
}

static void read_case_word(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	const size_t start = p->at;
	sb_autofree char *word = take_word(p, level);

	if (p->at == start)
		p->at++;
	if (strcmp(word, "in") == 0) {
		level->cases++;
		level->state = CASE_PATTERN;
	}
}

static void read_comment(struct sb_shell_parser *p)
{
	const size_t start = ++p->at;

	while (p->at < p->len && sb_shell_peek(p) != '\n' &&
		!(p->in_backquotes && sb_shell_peek(p) == '`'))
		p->at++;
	*SB_ARRAY_ADD(&p->out->comments) = (struct sb_shell_comment){start, p->at - start};
}

/* "2" of `2>file`. */
static bool is_descriptor(const struct sb_shell_parser *p)
{
	size_t n = 0;

	while (sb_is_digit(sb_shell_peek_at(p, n)))
		n++;
	return n > 0 && (sb_shell_peek_at(p, n) == '<' || sb_shell_peek_at(p, n) == '>') &&
	       sb_shell_peek_at(p, n + 1) != '(';
}

static void skip_digits(struct sb_shell_parser *p)
{
	while (sb_is_digit(sb_shell_peek(p)))
		p->at++;
}

/* What begins at a byte that is neither blank nor a comment. */
static void read_token(struct sb_shell_parser *p, struct sb_shell_level *level)
{
	const char c = sb_shell_peek(p);
	const bool is_substitution = (c == '<' || c == '>') && sb_shell_peek_at(p, 1) == '(';

	if (level->state == CASE_PATTERN)
		read_pattern(p, level);
	else if (is_descriptor(p))
		skip_digits(p);
	else if (sb_shell_ends_word(c) && !is_substitution)
		read_operator(p, level);
	else if (level->state == CASE_WORD)
		read_case_word(p, level);
	else if (level->state == SKIP_WORDS)
		free(take_word(p, level));
	else if (!take_reserved(p, level))
		add_word(p, level);
}

void sb_shell_parse_list(struct sb_shell_parser *p, struct sb_shell_level *level, char closer)
{
	while (p->at < p->len) {
		const char c = sb_shell_peek(p);
		const size_t at = p->at;
		const int state = (int)level->state;

		/* A pattern's bracket closes nothing. */
		if (c == closer && closer != '\0' &&
			!(closer == ')' && level->state == CASE_PATTERN))
			break;
		if (c == '\n') {
			const bool was_piped = level->is_piped;

			end_command(level);
			level->is_piped = was_piped;
			p->at++;
			read_bodies(p);
		} else if (c == '\\' && sb_shell_peek_at(p, 1) == '\n') {
			p->at += 2;
		} else if (sb_is_blank(c) || c == '\0') {
			p->at++;
		} else if (c == '#') {
			read_comment(p);
		} else {
			read_token(p, level);
		}
		/* What ends a word and is no operator: a closer of another level. */
		if (p->at == at && (int)level->state == state)
			p->at++;
	}
	end_command(level);
}

static void parse_range(struct sb_shell_parser *p, struct sb_shell_level level)
{
	sb_shell_parse_list(p, &level, '\0');
	SB_ARRAY_FOREACH (&p->pending, heredoc)
		free(heredoc->end);
	SB_ARRAY_RELEASE(&p->pending);
}

/* The text of `sh -c '…'`: its commands stand where the word does. */
static void parse_argument(struct sb_shell *out, int owner, int word)
{
	const struct sb_shell_command *command = &out->commands.items[owner];
	const size_t at = command->words.items[word].at;
	sb_autofree char *text = sb_strdup(command->words.items[word].text);
	const size_t before = out->commands.len;
	const size_t comments = out->comments.len;
	struct sb_shell_parser p = {
		.text = text, .len = strlen(text), .out = out, .nesting = command->nesting + 1};

	parse_range(&p, sb_shell_level_new(SB_SHELL_OWNER_ARGUMENT, owner, word));
	out->comments.len = comments;
	for (size_t i = before; i < out->commands.len; i++) {
		out->commands.items[i].at = at;
		out->commands.items[i].body_len = 0;
		SB_ARRAY_FOREACH (&out->commands.items[i].words, w)
			w->at = at;
	}
}

/* What other shells are given to run, by their arguments and on their standard input. */
static void parse_inner(const char *script, struct sb_shell *out)
{
	for (size_t i = 0; i < out->commands.len; i++) {
		const int argument = sb_command_script_word(&out->commands.items[i]);

		if (argument >= 0)
			parse_argument(out, (int)i, argument);

		const struct sb_shell_command command = out->commands.items[i];

		if (command.body_len == 0 || !sb_command_is_shell(&command) ||
			!sb_command_runs_input(&command))
			continue;

		struct sb_shell_parser p = {.text = script,
			.len = command.body_at + command.body_len,
			.at = command.body_at,
			.out = out,
			.nesting = command.nesting + 1};

		parse_range(&p, sb_shell_level_new(SB_SHELL_OWNER_INPUT, (int)i, -1));
	}
}

void sb_shell_parse(const char *script, size_t len, struct sb_shell *out)
{
	struct sb_shell_parser p = {.text = script, .len = len, .out = out};

	parse_range(&p, sb_shell_level_new(SB_SHELL_OWNER_NONE, SB_SHELL_NONE, -1));
	parse_inner(script, out);
}

void sb_shell_from_argv(char *const *argv, size_t len, struct sb_shell *out)
{
	struct sb_shell_command *command = SB_ARRAY_ADD(&out->commands);

	command->pipe_from = command->owner = SB_SHELL_NONE;
	for (size_t i = 0; i < len; i++)
		*SB_ARRAY_ADD(&command->words) =
			(struct sb_shell_word){.text = sb_strdup(argv[i]), .is_quoted = true};
	parse_inner("", out);
}

void sb_shell_release(struct sb_shell *shell)
{
	SB_ARRAY_FOREACH (&shell->commands, command) {
		SB_ARRAY_FOREACH (&command->words, word)
			free(word->text);
		SB_ARRAY_RELEASE(&command->words);
	}
	SB_ARRAY_RELEASE(&shell->commands);
	SB_ARRAY_RELEASE(&shell->comments);
}
