/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_HEREDOC_H
#define SB_BUILDFILE_HEREDOC_H

#include "buildfile/instruction.h"
#include "buildfile/source.h"

/*
 * Heredocs: a word `[fd]<<[-]NAME` announces that the lines behind the instruction, up to one that
 * is NAME, belong to it. A word ends at a blank that is not quoted, and NAME takes all of it, as in
 * the reference: in `<<EOF>out` the name is `EOF>out`.
 */
struct sb_heredoc_token {
	size_t offset; /* of the word in the text */
	char *name;    /* without quotes; owned */
	bool is_quoted;
	bool strips_tabs;
	unsigned fd;
};
SB_ARRAY_STRUCT(sb_heredoc_tokens, struct sb_heredoc_token);
void sb_heredoc_tokens_release(struct sb_heredoc_tokens *tokens);

/* One whole word. False (and nothing to release) where it is no heredoc token. */
bool sb_heredoc_token_parse(const char *word, size_t len, struct sb_heredoc_token *out);
/* All tokens among the words of a line; appends. */
void sb_heredoc_tokens_find(const char *text, size_t len, struct sb_heredoc_tokens *out);

/* Reads the body that belongs to a token; fails, located at `at`, where its end is missing. */
int sb_heredoc_read(struct sb_source *source, const struct sb_heredoc_token *token,
	struct sb_source_pos at, struct sb_heredoc *out, struct sb_error *err) SB_MUST_USE;
void sb_heredoc_release(struct sb_heredoc *heredoc);

/*
 * Of a RUN in shell form with heredocs: the heredoc that is all of its text (`RUN <<EOF`), so that
 * its body is the script; NULL where there is other text too. Borrowed.
 */
const struct sb_heredoc *sb_run_sole_heredoc(const struct sb_instruction *run);
/*
 * Of a RUN in shell form: what the shell is given. The sole heredoc's body; or else the line as
 * written and below it every heredoc's body and end. (A body that starts with `#!` is not for the
 * shell; the caller looks at it first.) Caller frees.
 */
char *sb_run_script(const struct sb_instruction *run);

#endif
