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
 * ends.
 *
 * Replaced are the values of leak/values.h with each line of 8 bytes or more, in the forms of
 * leak/needles.h. Base64 and hex in lines are replaced line by line where they begin with a value
 * and have the width that base64, openssl and xxd give them (76, 64, 60). Of base64 of a value of
 * up to 190 bytes every run of 16 characters is replaced, in lines of whatever width, and what
 * adjoins it in lines of the usual ones; in a whole text all base64 that leak/unwrap.h finds. Where
 * two secrets overlap both are named. What can't be searched for (SB_SECRET_UNSEARCHABLE) is left
 * alone: replacing it would destroy the output, so the caller warns.
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
