/* SPDX-License-Identifier: MIT */
#include "lint/shell_parser.h"

static void add(struct sb_shell_draft *word, const char *text, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_buf_add(&word->text, text, len, &err) < 0)
		sb_error_ignore(&err, "no word is longer than the Buildfile, which has a limit");
}

/* Commands in place, up to their closer; the text becomes part of the word as it stands. */
static void read_substitution(struct sb_shell_parser *p, struct sb_shell_draft *word,
	enum sb_shell_owner kind, char closer)
{
	const size_t start = p->at;
	struct sb_shell_level level = sb_shell_level_new(kind, word->command, word->index);

	word->has_expansion = true;
	if (p->depth >= SB_SHELL_MAX_DEPTH) {
		p->at = p->len;
		return;
	}

	const bool was_in_backquotes = p->in_backquotes;
	const unsigned nesting = p->nesting;

	p->depth++;
	p->nesting++;
	p->in_backquotes = closer == '`';
	sb_shell_parse_list(p, &level, closer);
	p->in_backquotes = was_in_backquotes;
	p->nesting = nesting;
	p->depth--;
	add(word, p->text + start, p->at - start);
	if (p->at < p->len && sb_shell_peek(p) == closer)
		add(word, &p->text[p->at++], 1);
}

/* Behind an opening bracket, up to its closing one; quotes hide brackets. */
void sb_shell_read_balanced(
	struct sb_shell_parser *p, struct sb_shell_draft *word, char open, char close)
{
	const size_t start = p->at;
	unsigned depth = 1;

	while (p->at < p->len && depth > 0) {
		const char c = p->text[p->at];

		if (c == '\\')
			p->at++;
		else if (c == open)
			depth++;
		else if (c == close)
			depth--;
		p->at++;
	}
	if (p->at > p->len)
		p->at = p->len;
	add(word, p->text + start, p->at - start);
}

static void read_dollar(struct sb_shell_parser *p, struct sb_shell_draft *word)
{
	const char next = sb_shell_peek_at(p, 1);

	add(word, "$", 1);
	p->at++;
	if (next == '(' && sb_shell_peek_at(p, 1) == '(') {
		p->at++;
		add(word, "(", 1);
		word->has_expansion = true;
		sb_shell_read_balanced(p, word, '(', ')');
	} else if (next == '(') {
		p->at++;
		add(word, "(", 1);
		read_substitution(p, word, SB_SHELL_OWNER_OUTPUT, ')');
	} else if (next == '{') {
		p->at++;
		add(word, "{", 1);
		word->has_expansion = true;
		sb_shell_read_balanced(p, word, '{', '}');
	} else if (sb_is_letter(next) || sb_is_digit(next) || next == '_' ||
		   (next != '\0' && strchr("@*#?-$!", next) != NULL)) {
		word->has_expansion = true;
	}
}

static void read_single_quotes(struct sb_shell_parser *p, struct sb_shell_draft *word)
{
	const char *start = p->text + p->at + 1;
	const size_t left = p->len - p->at - 1;
	const char *end = memchr(start, '\'', left);
	const size_t n = end != NULL ? (size_t)(end - start) : left;

	word->is_quoted = true;
	add(word, start, n);
	p->at += n + (end != NULL ? 2 : 1);
}

static void read_double_quotes(struct sb_shell_parser *p, struct sb_shell_draft *word)
{
	word->is_quoted = true;
	p->at++;
	while (p->at < p->len && sb_shell_peek(p) != '"') {
		const char c = sb_shell_peek(p);

		if (c == '$') {
			read_dollar(p, word);
		} else if (c == '`' && p->in_backquotes) {
			return;
		} else if (c == '`') {
			add(word, &p->text[p->at++], 1);
			read_substitution(p, word, SB_SHELL_OWNER_OUTPUT, '`');
		} else {
			if (c == '\\' && sb_shell_peek_at(p, 1) != '\0' &&
				strchr("$`\"\\\n", sb_shell_peek_at(p, 1)) != NULL)
				p->at++;
			add(word, &p->text[p->at++], 1);
		}
	}
	if (p->at < p->len)
		p->at++;
}

void sb_shell_read_word(struct sb_shell_parser *p, struct sb_shell_draft *word)
{
	while (p->at < p->len) {
		const char c = sb_shell_peek(p);

		if ((c == '<' || c == '>') && sb_shell_peek_at(p, 1) == '(') {
			add(word, p->text + p->at, 2);
			p->at += 2;
			read_substitution(p, word, SB_SHELL_OWNER_FILE, ')');
		} else if (sb_shell_ends_word(c)) {
			return;
		} else if (c == '\'') {
			read_single_quotes(p, word);
		} else if (c == '"') {
			read_double_quotes(p, word);
		} else if (c == '$') {
			read_dollar(p, word);
		} else if (c == '`') {
			if (p->in_backquotes)
				return;
			add(word, &p->text[p->at++], 1);
			read_substitution(p, word, SB_SHELL_OWNER_OUTPUT, '`');
		} else if (c == '\\') {
			word->is_quoted = true;
			p->at++;
			if (sb_shell_peek(p) == '\n')
				p->at++;
			else if (p->at < p->len)
				add(word, &p->text[p->at++], 1);
		} else {
			add(word, &p->text[p->at++], 1);
		}
	}
}
