/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_EXPAND_H
#define SB_BUILDFILE_EXPAND_H

#include "base/error.h"
#include "base/strv.h"

/*
 * Variable expansion and quote removal of one word, as the Dockerfile language has it
 * (runner/buildfile/README section in runner/README.md). `env` holds NAME=value; a name that is not
 * there is empty.
 */

/* The word with variables expanded and quotes removed; caller frees. */
int sb_expand_word(const char *word, const struct sb_strv *env, char escape, char **out,
	struct sb_error *err) SB_MUST_USE;
/* Fails where the word can't be expanded, whatever values its variables have: quotes and
 * substitutions that are not closed, unknown operators. */
int sb_expand_check(const char *word, char escape, struct sb_error *err) SB_MUST_USE;
/* As sb_expand_word, and the result split into words at blanks that were not quoted (EXPOSE).
 * Appends. */
int sb_expand_words(const char *word, const struct sb_strv *env, char escape, struct sb_strv *out,
	struct sb_error *err) SB_MUST_USE;
/* Variables only; quotes stay as they are (heredoc bodies). Caller frees. */
int sb_expand_keep_quotes(const char *text, const struct sb_strv *env, char escape, char **out,
	struct sb_error *err) SB_MUST_USE;

#endif
