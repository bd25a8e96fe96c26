/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_LAYER_STREAM_H
#define SB_INSPECT_LAYER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "inspect/search.h"

/*
 * A layer's blob, unpacked piece by piece. Every byte of the blob and every byte unpacked from it
 * is hashed on the way, also those behind the archive's end; the blob's own bytes are searched
 * where they are packed (a header's fields, frames that unpacking passes over).
 *
 * What is larger than one piece is unpacked in another thread and hashed in a third, which also
 * makes the digests of the tar's contents, before the caller looks at it. Where the processor can't
 * add to two sums at once (sb_hasher_pairs), the one of all bytes is made in a fourth.
 */

/* Where the blob comes from: read gives 0 at the end, -1 with err set. It is called from another
 * thread, one call at a time. */
struct sb_byte_source {
	ssize_t (*read)(void *self, void *bytes, size_t len, struct sb_error *err);
	void *self;
};

enum sb_layer_packing {
	SB_PACKED_NOT, /* or in a way that is not known: then it is no tar either */
	SB_PACKED_GZIP,
	SB_PACKED_ZSTD,
	/* The following are not OCI's. */
	SB_PACKED_BZIP2,
	SB_PACKED_XZ,
	SB_PACKED_LZ4,
	SB_PACKED_LZIP,
	SB_PACKED_COMPRESS,
};
/* "gzip", …; "not compressed". */
const char *sb_layer_packing_name(enum sb_layer_packing packing);

struct sb_layer_stream;
/* Reads the blob's beginning to see how it is packed (by content, never by name). The search is
 * borrowed, and begun and ended here; nothing else may use its scanner meanwhile. */
int sb_layer_stream_open(const struct sb_byte_source *source, struct sb_search *blob_search,
	struct sb_scanner *blob_scanner, struct sb_layer_stream **out,
	struct sb_error *err) SB_MUST_USE;
/* The same in any other way than the best: for tests. */
struct sb_layer_stream_options {
	size_t piece_bytes; /* 0: as many as are best */
	bool hashes_apart;  /* in the fourth thread */
};
int sb_layer_stream_open_with(const struct sb_layer_stream_options *options,
	const struct sb_byte_source *source, struct sb_search *blob_search,
	struct sb_scanner *blob_scanner, struct sb_layer_stream **out,
	struct sb_error *err) SB_MUST_USE;
void sb_layer_stream_free(struct sb_layer_stream *stream);
SB_DEFINE_FREEP(sb_layer_stream)
enum sb_layer_packing sb_layer_stream_packing(const struct sb_layer_stream *stream);

/* The next piece of unpacked bytes, valid until the next call: its length, 0 at the end, -1 with
 * err set. */
ssize_t sb_layer_stream_next(
	struct sb_layer_stream *stream, const void **out_bytes, struct sb_error *err) SB_MUST_USE;
/* Of a content of the tar that begins at an offset and has been read to its end; see
 * sb_content_sums_take. */
void sb_layer_stream_content_digest(
	struct sb_layer_stream *stream, uint64_t offset, struct sb_digest *out);

struct sb_layer_sums {
	struct sb_digest digest; /* of the blob */
	uint64_t blob_bytes;
	uint64_t trailing_bytes;  /* of the blob, behind what was unpacked */
	struct sb_digest diff_id; /* of what was unpacked */
	uint64_t tar_bytes;
};
/* Reads the rest of both. After a failed unpacking the blob's own sums are still right; *out is
 * written in any case, and -1 means that the blob or the archive could not be read to its end (and
 * that next had not said so before). */
int sb_layer_stream_finish(struct sb_layer_stream *stream, struct sb_layer_sums *out,
	struct sb_error *err) SB_MUST_USE;

#endif
