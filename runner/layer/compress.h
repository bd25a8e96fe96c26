/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_COMPRESS_H
#define SB_LAYER_COMPRESS_H

#include "base/cleanup.h"
#include "base/error.h"

enum sb_compression {
	SB_COMPRESS_GZIP,
	SB_COMPRESS_ZSTD,
	SB_COMPRESS_NONE,
};

/* "gzip", "zstd", "uncompressed"; SB_E_USAGE otherwise. */
int sb_compression_parse(
	const char *name, enum sb_compression *out, struct sb_error *err) SB_MUST_USE;
/* The OCI media type of a layer in this form. Static. */
const char *sb_compression_media_type(enum sb_compression compression);

/*
 * A stream of bytes in, the same bytes compressed out, to a callback. Fixed gzip header (no time,
 * no name); the output depends on the input, format and level alone. finish writes what is left;
 * free before that drops it.
 */
struct sb_compressor;
typedef int (*sb_sink_fn)(void *self, const void *bytes, size_t len, struct sb_error *err);
int sb_compressor_new(enum sb_compression compression, int level, sb_sink_fn sink, void *self,
	struct sb_compressor **out, struct sb_error *err) SB_MUST_USE;
int sb_compressor_write(
	struct sb_compressor *c, const void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
int sb_compressor_finish(struct sb_compressor *c, struct sb_error *err) SB_MUST_USE;
void sb_compressor_free(struct sb_compressor *c);
SB_DEFINE_FREEP(sb_compressor)

#endif
