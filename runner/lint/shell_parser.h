/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_SHELL_PARSER_H
#define SB_LINT_SHELL_PARSER_H

#include <string.h>

#include "base/buf.h"
#include "buildfile/chars.h"
#include "lint/shell.h"

/*
 * What shell.c, which reads lists of commands, and shell_word.c, which reads words, share: words
 * have lists in them (`$(…)`), and lists are of words.
 */

/* Each level of `$(` and of here-documents is a few frames of the C stack. */
enum { SB_SHELL_MAX_DEPTH = 32 };

struct sb_shell_heredoc {
	int command;
	char *end; /* owned */
	bool strips_tabs;
};

struct sb_shell_parser {
	const char *text;
	size_t len;
	size_t at;
	struct sb_shell *out;
	SB_ARRAY(struct sb_shell_heredoc) pending;
	unsigned depth;
	unsigned nesting;
	bool in_backquotes;
};

/* The level of `$(`, `(` or text that a list of commands is on. */
struct sb_shell_level {
	int command;   /* that words are added to, or SB_SHELL_NONE */
	int last;      /* the last command that ended */
	bool is_piped; /* the next one reads from `last` */
	int input;     /* the command that all of the level reads from, or SB_SHELL_NONE */
	enum sb_shell_owner owner_kind;
	int owner;
	int owner_word;
	enum { EXPECT_COMMAND, SKIP_WORDS, CASE_WORD, CASE_PATTERN } state;
	unsigned cases; /* open `case`s */
};

/* A word while it is read. Its text may be dropped (a redirection's target). */
struct sb_shell_draft {
	struct sb_buf text;
	bool is_quoted;
	bool has_expansion;
	int command; /* that substitutions in it belong to */
	int index;
};

static inline char sb_shell_peek(const struct sb_shell_parser *p)
{
	return p->at < p->len ? p->text[p->at] : '\0';
}

static inline char sb_shell_peek_at(const struct sb_shell_parser *p, size_t n)
{
	return p->at + n < p->len ? p->text[p->at + n] : '\0';
}

static inline bool sb_shell_ends_word(char c)
{
	return c == '\0' || sb_is_blank(c) || strchr(";&|<>()", c) != NULL;
}

struct sb_shell_level sb_shell_level_new(enum sb_shell_owner kind, int owner, int owner_word);
/* Up to the closer (0: the end), which is left for the caller. */
void sb_shell_parse_list(struct sb_shell_parser *p, struct sb_shell_level *level, char closer);

/* Up to what ends a word; nothing where p->at is there already. */
void sb_shell_read_word(struct sb_shell_parser *p, struct sb_shell_draft *word);
/* Behind an opening bracket, up to behind its closing one. */
void sb_shell_read_balanced(
	struct sb_shell_parser *p, struct sb_shell_draft *word, char open, char close);

#endif
