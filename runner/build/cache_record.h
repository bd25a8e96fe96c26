/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_RECORD_H
#define SB_BUILD_CACHE_RECORD_H

#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/digest.h"
#include "layer/compress.h"

/*
 * What is remembered of a step (or of the content that one took from an image): a small file, its
 * name the hex of the key, lines of "WORD value", the last one the digest of those before it. A
 * file that is cut, changed, or another key's is no record.
 */
enum { SB_MAX_CACHE_RECORD = 64 << 10 };

/* The layer's tar in one form. */
struct sb_cached_blob {
	enum sb_compression compression;
	int level;
	struct sb_digest digest;
	uint64_t size_bytes;
};

struct sb_cache_record {
	struct sb_digest key;
	/* Of a step. */
	struct sb_digest diff_id;
	struct sb_digest state; /* names the folder of what it wrote (sb_snapshots_step_name) */
	uint64_t tar_bytes;
	char *created; /* RFC 3339; owned */
	char *text;    /* the instruction, or "" where a secret is in it; owned */
	SB_ARRAY(struct sb_cached_blob) blobs;
	/* Of a content: its digest; else unset. */
	struct sb_digest content;
};

void sb_cache_record_release(struct sb_cache_record *record);
int sb_cache_record_format(
	const struct sb_cache_record *record, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;
/* SB_E_INTEGRITY for anything that format does not write. */
int sb_cache_record_parse(const char *bytes, size_t len, struct sb_cache_record *out,
	struct sb_error *err) SB_MUST_USE;
/* NULL where the layer was not written in that form. Borrowed. */
const struct sb_cached_blob *sb_cache_record_blob(
	const struct sb_cache_record *record, enum sb_compression compression, int level);

#endif
