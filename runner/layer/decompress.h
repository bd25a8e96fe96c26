/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_DECOMPRESS_H
#define SB_LAYER_DECOMPRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "layer/apply.h"

/*
 * A blob's bytes uncompressed, and the digest of the compressed ones. The form is found by its
 * magic and undone once: what is inside is never taken for compressed again. Layers may be gzip (of
 * several members too), zstd or plain; other archives bzip2 and xz as well.
 */
struct sb_decompressor;
struct sb_decompressor *sb_decompressor_new(struct sb_reader from, bool is_layer);
void sb_decompressor_free(struct sb_decompressor *d);
SB_DEFINE_FREEP(sb_decompressor)

/* The next piece, valid until the next call: its length, 0 at the end, or -1. */
ssize_t sb_decompressor_read(
	struct sb_decompressor *d, const void **out_bytes, struct sb_error *err) SB_MUST_USE;
/* Reads what stands behind the compressed bytes, and gives the digest and number of all. */
int sb_decompressor_finish(struct sb_decompressor *d, struct sb_digest *out_digest,
	uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;

#endif
