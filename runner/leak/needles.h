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
 * Each is made from a value of the secret (leak/values.h): what holds the value holds that too, in
 * every form. A form that depends on what stands before or after the value (base64) is reduced to
 * the part that does not. The bytes live in leak/secret_memory.h.
 *
 * raw                as it is
 * line               a line of several, as it is and in no other form: a file is encoded whole, and
 *                    what encodes one line of it takes a value out of it
 * base64, base64url  at the three alignments, without padding; in lines too (leak/unwrap.h)
 * base64 of base64   each alignment in each: a token in a Docker configuration in a Kubernetes
 *                    secret
 * hex, utf-16, percent, json, shell, c, xml
 *                    leak/form.h; a form that changes nothing in a value makes no needle
 *
 * A very large secret costs no more than it must: of its values, those that are 64 KiB together
 * have all forms; the others are searched for as they are, the whole one in base64 too. A value
 * over 1 KiB has none of the forms that write each character as many, one over 16 KiB is not looked
 * for in base64 of base64.
 */
struct sb_needle {
	const char *bytes;
	size_t len;            /* never 0 */
	const char *form;      /* static */
	const char *secret_id; /* borrowed from the secrets */
	bool is_whole_token;   /* counts only where no letter or digit of its own kind adjoins */
	bool is_raw;           /* the value, or a line of it, as it is */
	bool is_base64;        /* the value in base64 or base64url */
	bool is_wrappable;     /* of base64's characters, so that it can be broken into lines */
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
