/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_REDACT_H
#define SB_LEAK_REDACT_H

#include <stddef.h>

#include "base/cleanup.h"
#include "leak/secrets.h"

/*
 * Replaces secret values by "[secret ID]" in what a person or a machine will read.
 *
 * A stream's redactor holds back at most the bytes at its end that could be the beginning of a
 * secret, so that a value written in pieces is replaced too; flush gives them out when the stream
 * ends. What goes out does not depend on how the stream was cut.
 *
 * Replaced are the values of leak/values.h with each line of 8 bytes or more, in the forms of
 * leak/needles.h. Base64 and hex, and raw values of their characters, are replaced in lines of any
 * width too (leak/redact_lines.h), line by line; also where only a part of them is there, once it
 * holds a seed (leak/redact_known.h). What stays of them: up to 3 characters that end the first
 * line, but in whole texts, and up to 15 before the first seed of a part. Where every line
 * begins with something of a logger's, lines of 47 characters or more are replaced, but for up to
 * 31 of the first ones. Where two secrets overlap both are named.
 *
 * What can't be searched for (SB_SECRET_UNSEARCHABLE) is left alone: replacing it would destroy the
 * output, so the caller warns. Not replaced is what other programs would have to put together: a
 * value with something in between (a column of a dump, a backspace), in two streams, or in lines
 * that do not follow one another.
 */
struct sb_redactor;
struct sb_redactor *sb_redactor_new(const struct sb_secrets *secrets);
void sb_redactor_free(struct sb_redactor *redactor);
SB_DEFINE_FREEP(sb_redactor)

typedef void (*sb_redacted_fn)(void *self, const char *bytes, size_t len);
void sb_redactor_write(struct sb_redactor *redactor, const char *bytes, size_t len,
	sb_redacted_fn out, void *self);
void sb_redactor_flush(struct sb_redactor *redactor, sb_redacted_fn out, void *self);

/* A whole text at once with a redactor that is between streams; caller frees. NULL gives NULL. */
char *sb_redactor_text(struct sb_redactor *redactor, const char *text);
/* The same, for a single text; caller frees. NULL gives NULL. */
char *sb_redact_text(const struct sb_secrets *secrets, const char *text);

#endif
