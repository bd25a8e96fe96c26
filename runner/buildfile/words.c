/* SPDX-License-Identifier: MIT */
#include "buildfile/words.h"

#include "base/mem.h"
#include "buildfile/chars.h"

void sb_words_release(struct sb_words *words)
{
	SB_ARRAY_FOREACH (words, word)
		free(word->text);
	SB_ARRAY_RELEASE(words);
}

void sb_words_split(const char *text, size_t len, struct sb_words *out)
{
	for (size_t i = sb_skip_blanks(text, len); i < len;
		i += sb_skip_blanks(text + i, len - i)) {
		const size_t start = i;

		while (i < len && !sb_is_blank(text[i]))
			i++;
		*SB_ARRAY_ADD(out) = (struct sb_word){sb_memdup0(text + start, i - start), start};
	}
}

void sb_words_split_quoted(const char *text, size_t len, char escape, struct sb_words *out)
{
	for (size_t i = sb_skip_blanks(text, len); i < len;
		i += sb_skip_blanks(text + i, len - i)) {
		const size_t start = i;
		size_t dropped = 0;
		char quote = '\0';

		for (; i < len && (quote != '\0' || !sb_is_blank(text[i])); i++) {
			if (quote != '\0' ? text[i] == quote : text[i] == '\'' || text[i] == '"') {
				quote = quote != '\0' ? '\0' : text[i];
			} else if (text[i] == escape && quote != '\'') {
				/* A lone escape at the end of the line escapes nothing. */
				if (i + 1 == len)
					dropped = 1;
				else
					i++;
			}
		}
		if (i - start > dropped)
			*SB_ARRAY_ADD(out) = (struct sb_word){
				sb_memdup0(text + start, i - start - dropped), start};
	}
}
