/* SPDX-License-Identifier: MIT */
/* The plain SHA-256 functions: EVP's set up libcrypto's providers first, which takes longer than
 * all the hashing of a build of one step. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256_pair.h"

static const char prefix[] = "sha256:";

struct sb_hasher {
	SHA256_CTX ctx;
};

int sb_digest_parse(const char *text, struct sb_digest *out, struct sb_error *err)
{
	if (strncmp(text, "sha512:", 7) == 0)
		return sb_fail(
			err, SB_E_UNSUPPORTED, "digest '%s': only sha256 is supported", text);
	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0 ||
		strlen(text) != SB_DIGEST_TEXT_BYTES || strspn(text + 7, "0123456789abcdef") != 64)
		return sb_fail(err, SB_E_INTEGRITY,
			"'%.100s' is not a digest (sha256: and 64 hex digits)", text);
	memcpy(out->text, text, sizeof(out->text));
	return 0;
}

bool sb_digest_equal(const struct sb_digest *a, const struct sb_digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

struct sb_hasher *sb_hasher_new(void)
{
	struct sb_hasher *hasher = SB_NEW(struct sb_hasher);

	SB_BUG_ON(SHA256_Init(&hasher->ctx) != 1);
	return hasher;
}

void sb_hasher_free(struct sb_hasher *hasher)
{
	free(hasher);
}

void sb_hasher_add(struct sb_hasher *hasher, const void *bytes, size_t len)
{
	SB_BUG_ON(SHA256_Update(&hasher->ctx, bytes, len) != 1);
}

bool sb_hasher_pairs(void)
{
	return sb_sha256_pair_is_there();
}

/* In libcrypto's own state, between whole blocks: the length in bits is all that is left to do. */
static void count_blocks(SHA256_CTX *ctx, size_t n_blocks)
{
	const uint64_t bits = ((uint64_t)ctx->Nh << 32 | ctx->Nl) + n_blocks * SHA256_CBLOCK * 8;

	ctx->Nl = (SHA_LONG)bits;
	ctx->Nh = (SHA_LONG)(bits >> 32);
}

void sb_hasher_add_to_both(struct sb_hasher *a, struct sb_hasher *b, const void *bytes, size_t len)
{
	const char *p = bytes;
	const bool is_paired = a->ctx.num == 0 && b->ctx.num == 0 && sb_sha256_pair_is_there();
	const size_t n_blocks = is_paired ? len / SHA256_CBLOCK : 0;

	if (n_blocks > 0) {
		sb_sha256_pair(a->ctx.h, b->ctx.h, p, n_blocks);
		count_blocks(&a->ctx, n_blocks);
		count_blocks(&b->ctx, n_blocks);
	}
	sb_hasher_add(a, p + n_blocks * SHA256_CBLOCK, len - n_blocks * SHA256_CBLOCK);
	sb_hasher_add(b, p + n_blocks * SHA256_CBLOCK, len - n_blocks * SHA256_CBLOCK);
}

static void to_text(const unsigned char *raw, size_t len, struct sb_digest *out)
{
	static const char hex[] = "0123456789abcdef";
	char *p = stpcpy(out->text, prefix);

	for (size_t i = 0; i < len; i++) {
		*p++ = hex[raw[i] >> 4];
		*p++ = hex[raw[i] & 0xf];
	}
	*p = '\0';
}

void sb_hasher_finish(struct sb_hasher *hasher, struct sb_digest *out)
{
	unsigned char raw[SHA256_DIGEST_LENGTH];

	SB_BUG_ON(SHA256_Final(raw, &hasher->ctx) != 1 || SHA256_Init(&hasher->ctx) != 1);
	to_text(raw, sizeof(raw), out);
}

void sb_digest_of(const void *bytes, size_t len, struct sb_digest *out)
{
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();

	sb_hasher_add(hasher, bytes, len);
	sb_hasher_finish(hasher, out);
}

void sb_digest_keyed(
	const void *key, size_t key_len, const void *bytes, size_t len, struct sb_digest *out)
{
	unsigned char raw[SHA256_DIGEST_LENGTH];
	unsigned raw_len = 0;

	SB_BUG_ON(key_len > INT32_MAX ||
		  HMAC(EVP_sha256(), key, (int)key_len, bytes, len, raw, &raw_len) == NULL);
	to_text(raw, sizeof(raw), out);
}
