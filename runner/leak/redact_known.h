/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_REDACT_KNOWN_H
#define SB_LEAK_REDACT_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "leak/matcher.h"
#include "leak/needles.h"
#include "leak/secret_memory.h"

/*
 * What a redactor looks for: read-only once made. A needle is either whole, found by its first 64
 * bytes, or, where it can be broken into lines, known by its seeds: strings so long that nothing
 * but the secret has them, after any of which the rest of the needle is hidden as far as it goes.
 * So no more is ever held back than a seed, however long the needle is.
 *
 * base64 up to 256 characters  every run of 16
 * longer base64                its first 16, and a run of 32 at every 16th place, or at 512 places
 * hex, base64 of base64        its first 16, and a run of 32 at every 64th place, or at 512 places
 * raw                          its first 32
 */
struct sb_redact_string {
	const unsigned char *bytes; /* borrowed from the needle, `at` bytes behind its beginning */
	size_t len;
	const struct sb_needle *needle;
	size_t at;
	uint32_t order; /* the needle's */
	bool is_seed;
};

enum { SB_REDACT_SEED_MAX = 32 };

/* The beginnings of some of the strings. */
struct sb_redact_prefixes {
	SB_ARRAY(const struct sb_redact_string *) sorted; /* by their bytes */
	uint64_t *filter;                                 /* a bit for each hash of 4 bytes */
	bool begins[256];
};
/* Whether the bytes are the beginning of one of them, and not all of it. */
bool sb_redact_begins(const struct sb_redact_prefixes *prefixes, const void *bytes, size_t len);

struct sb_redact_known {
	struct sb_needles *needles;
	struct sb_secret_memory *memory;
	struct sb_matcher *matcher; /* the tags are places in strings; NULL: there are none */
	SB_ARRAY(struct sb_redact_string) strings;
	struct sb_redact_prefixes all;
	struct sb_redact_prefixes seeds;
	size_t longest_whole; /* of the needles that are not known by seeds */
	size_t shortest_seed; /* 0: there is none */
};

/* The secrets are borrowed. */
struct sb_redact_known *sb_redact_known_new(const struct sb_secrets *secrets);
void sb_redact_known_free(struct sb_redact_known *known);
SB_DEFINE_FREEP(sb_redact_known)

#endif
