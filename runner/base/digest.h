/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_DIGEST_H
#define SB_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * SHA-256 digests in the text form of the OCI image spec (descriptor.md, "Digests"): "sha256:" and
 * 64 lower-case hex digits. A zeroed struct is "no digest".
 */
enum { SB_DIGEST_TEXT_BYTES = 7 + 64 };

struct sb_digest {
	char text[SB_DIGEST_TEXT_BYTES + 1];
};

/* Only sha256 is taken; SB_E_UNSUPPORTED for sha512, SB_E_INTEGRITY for anything that is not a
 * digest. */
int sb_digest_parse(const char *text, struct sb_digest *out, struct sb_error *err) SB_MUST_USE;
void sb_digest_of(const void *bytes, size_t len, struct sb_digest *out);
/* HMAC-SHA-256 (RFC 2104). */
void sb_digest_keyed(
	const void *key, size_t key_len, const void *bytes, size_t len, struct sb_digest *out);
bool sb_digest_equal(const struct sb_digest *a, const struct sb_digest *b);
static inline bool sb_digest_is_set(const struct sb_digest *d)
{
	return d->text[0] != '\0';
}
/* The 64 hex digits; borrowed. */
static inline const char *sb_digest_hex(const struct sb_digest *d)
{
	return d->text + 7;
}

/* Streaming. finish gives the digest of all that was added and starts anew. */
struct sb_hasher;
struct sb_hasher *sb_hasher_new(void);
void sb_hasher_free(struct sb_hasher *hasher);
SB_DEFINE_FREEP(sb_hasher)
void sb_hasher_add(struct sb_hasher *hasher, const void *bytes, size_t len);
/* The same bytes to both: little more work than to one, if sb_hasher_pairs() is true. */
void sb_hasher_add_to_both(struct sb_hasher *a, struct sb_hasher *b, const void *bytes, size_t len);
bool sb_hasher_pairs(void);
void sb_hasher_finish(struct sb_hasher *hasher, struct sb_digest *out);

#endif
