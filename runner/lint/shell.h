/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_SHELL_H
#define SB_LINT_SHELL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"

/*
 * The commands in a text for a POSIX shell or bash: enough of its grammar to tell words from
 * operators, quotes, comments and here-documents. Nothing is run or expanded. Text that is not
 * well-formed gives the commands up to there.
 */

struct sb_shell_word {
	char *text;         /* without quotes; expansions as written */
	size_t at;          /* in the script */
	size_t len;         /* as written */
	bool is_quoted;     /* some of it */
	bool has_expansion; /* its value is not all known */
};
SB_ARRAY_STRUCT(sb_shell_words, struct sb_shell_word);

enum sb_shell_owner {
	SB_SHELL_OWNER_NONE,
	SB_SHELL_OWNER_OUTPUT,  /* $(…): what it writes is part of a word of the owner's */
	SB_SHELL_OWNER_FILE,    /* <(…) */
	SB_SHELL_OWNER_INPUT,   /* in a here-document that the owner, a shell, reads */
	SB_SHELL_OWNER_ARGUMENT /* sh -c '…' */
};

enum { SB_SHELL_NONE = -1 };

struct sb_shell_command {
	struct sb_shell_words words; /* the first n_assignments are NAME=value */
	size_t n_assignments;
	size_t at;
	int pipe_from; /* index of the command whose output it reads, or SB_SHELL_NONE */
	enum sb_shell_owner owner_kind;
	int owner; /* index of the command it belongs to, or SB_SHELL_NONE */
	int owner_word;
	bool reads_file;  /* its standard input is redirected from a file or here-document */
	size_t body_at;   /* of its here-document */
	size_t body_len;  /* 0: none */
	unsigned nesting; /* of subshells, functions and compound commands around it */
};

struct sb_shell_comment {
	size_t at; /* behind the `#` */
	size_t len;
};

struct sb_shell {
	SB_ARRAY(struct sb_shell_command) commands;
	SB_ARRAY(struct sb_shell_comment) comments;
};

void sb_shell_parse(const char *script, size_t len, struct sb_shell *out);
/* One command that no shell reads: an argv. */
void sb_shell_from_argv(char *const *argv, size_t len, struct sb_shell *out);
void sb_shell_release(struct sb_shell *shell);

#endif
