/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_NEEDLES_H
#define SB_LEAK_NEEDLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "leak/secrets.h"

/*
 * The forms that a known secret can take by accident, as byte strings to look for.
 *
 * Each is made from the value without the newlines at its end: what holds the whole value holds
 * that too, in every form. A form that depends on what stands before or after the value (base64)
 * is reduced to the part that does not. The bytes live in leak/secret_memory.h.
 *
 * Forms: raw; line (each line of 8 bytes or more, for output only: a line of a certificate bundle
 * is public); base64 and base64url at the three alignments, without padding.
 */
struct sb_needle {
	const char *bytes;
	size_t len;            /* never 0 */
	const char *form;      /* static */
	const char *secret_id; /* borrowed from the secrets */
	bool is_whole_token;   /* counts only where no letter or digit of its own kind adjoins */
};

enum sb_needle_use {
	SB_NEEDLES_SEARCH, /* what must not be in an image */
	SB_NEEDLES_OUTPUT, /* what must not be shown */
};

struct sb_needles;
struct sb_needles *sb_needles_new(const struct sb_secrets *secrets, enum sb_needle_use use);
void sb_needles_free(struct sb_needles *needles);
SB_DEFINE_FREEP(sb_needles)
size_t sb_needles_count(const struct sb_needles *needles);
const struct sb_needle *sb_needles_at(const struct sb_needles *needles, size_t i);

/* Appends the names of the forms that a search covers, for a report. */
void sb_needle_form_names(struct sb_strv *out);

#endif
