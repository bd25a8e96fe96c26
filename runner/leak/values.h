/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_VALUES_H
#define SB_LEAK_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"
#include "leak/secret_memory.h"
#include "leak/secrets.h"

/*
 * The values that one secret holds, each of which must not be in an image: the whole, and what a
 * step takes out of it.
 *
 * whole: all of it, without the newlines at its end.
 * part:  the value of a field of JSON (escapes undone), of KEY=value, key: value, an element of
 *        XML, a password of .netrc, .pgpass or an address, the body of a PEM block on one line and
 * in binary (DER); and what is in such a value once base64 is undone, where that is text. The whole
 * without blanks and mark of byte order around it, and as UTF-8 where it is UTF-16 with that mark.
 * line:  a line of several, 8 bytes or more.
 *
 * Public parts are left out and counted, so that a harmless image is not refused: certificates and
 * public keys, the lines around a PEM block, its first one (the algorithm) and those with nothing
 * but the public half of a key, comments, words,
 * identifiers, addresses, and other values that neither their name nor their randomness
 * (leak/judge.h) makes a secret. For output every line counts: what is public there does no harm
 * when it is replaced.
 */
enum sb_value_kind {
	SB_VALUE_WHOLE,
	SB_VALUE_PART,
	SB_VALUE_LINE,
};

struct sb_value {
	const char *bytes;
	size_t len;
	enum sb_value_kind kind;
};

enum {
	SB_VALUE_MIN_BYTES = 8, /* of a part or line */
	SB_VALUES_MAX = 1024,   /* of one secret; the lines beyond are counted as left out */
};

struct sb_values {
	SB_ARRAY_FIELDS(struct sb_value); /* the whole one is the first */
	size_t n_left_out;
};

/* The secret and the memory, in which what is not in the secret as it stands is laid, are borrowed.
 * `has_all_lines`: for output. */
void sb_values_find(const struct sb_secret *secret, struct sb_secret_memory *memory,
	bool has_all_lines, struct sb_values *out);
void sb_values_release(struct sb_values *values);

/* How many parts and lines of the secret are not searched for by themselves, for a report. */
size_t sb_secret_public_parts(const struct sb_secret *secret);

#endif
