/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_WORDS_H
#define SB_BUILDFILE_WORDS_H

#include "base/array.h"
#include "base/strv.h"

/* A word of a line, with the place it has there. Quotes and escapes are still in it. */
struct sb_word {
	char *text; /* owned */
	size_t offset;
};
SB_ARRAY_STRUCT(sb_words, struct sb_word);
void sb_words_release(struct sb_words *words);

/* Splits at blanks, quoted or not (COPY, EXPOSE, FROM …). Appends. */
void sb_words_split(const char *text, size_t len, struct sb_words *out);
/* Splits at blanks that are neither quoted nor escaped (ENV, LABEL, ARG). Appends. */
void sb_words_split_quoted(const char *text, size_t len, char escape, struct sb_words *out);

#endif
