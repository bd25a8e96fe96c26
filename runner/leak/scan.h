/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_SCAN_H
#define SB_LEAK_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leak/secrets.h"

/*
 * Searches streams of bytes for every known secret, in each of the forms that leak/needles.h lists.
 * State is kept across the pieces of one stream, so that a secret cut by a buffer's end is found.
 *
 * One scanner serves one thread; begin starts a new stream.
 */
struct sb_scanner;

struct sb_leak {
	const char *secret_id; /* borrowed from the secrets */
	const char *form;      /* "raw", "base64", … static */
	uint64_t offset;       /* of the match's first byte in the stream */
	bool is_token;         /* of a weak secret (SB_SECRET_WEAK), as a token of its own */
};

/* The secrets are borrowed and must outlive the scanner. */
struct sb_scanner *sb_scanner_new(const struct sb_secrets *secrets);
/* Another for the same secrets, with a stream of its own: it shares the first one's needles and
 * tables, which cost time to make, and may be used by another thread. The first must outlive it. */
struct sb_scanner *sb_scanner_new_sharing(const struct sb_scanner *scanner);
void sb_scanner_free(struct sb_scanner *scanner);
SB_DEFINE_FREEP(sb_scanner)

/* False where no secret is known: then nothing needs to be fed. */
bool sb_scanner_is_active(const struct sb_scanner *scanner);
void sb_scanner_begin(struct sb_scanner *scanner);
/* True when a secret was found in this stream; *out_leak then is the first one (whose last byte
 * comes first). Feeding on finds no further ones, and goes on to return true. */
bool sb_scanner_feed(
	struct sb_scanner *scanner, const void *bytes, size_t len, struct sb_leak *out_leak);
/*
 * For whoever wants all secrets of a stream: from the next begin on every find is told, in no
 * certain order and however often, and ends nothing; feed and end give false. `end` is the offset
 * behind the find's last byte.
 */
typedef void (*sb_leak_fn)(void *self, const struct sb_leak *leak, uint64_t end);
void sb_scanner_on_find(struct sb_scanner *scanner, sb_leak_fn on_find, void *self);
/*
 * The stream has ended here: finds what the end alone decides, a short secret as the stream's last
 * token. Call it once after the last feed, before the next begin; a caller that leaves it out
 * misses only that.
 */
bool sb_scanner_end(struct sb_scanner *scanner, struct sb_leak *out_leak);
/* begin, feed once, end: for names, link targets and other short values. */
bool sb_scanner_check(
	struct sb_scanner *scanner, const void *bytes, size_t len, struct sb_leak *out_leak);
/* Bytes fed so far over all streams, for the report. */
uint64_t sb_scanner_bytes(const struct sb_scanner *scanner);

#endif
