/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_GZIP_H
#define SB_LAYER_GZIP_H

#include "base/cleanup.h"
#include "base/error.h"
#include "layer/compress.h"

/*
 * gzip as a chain of members (RFC 1952, 2.2), one for each MiB of input, made on as many threads as
 * there are processors. The bytes depend on the input and the level alone, and on the version of
 * the deflate library. The sink is called on the caller's thread.
 */
enum { SB_GZIP_DEFAULT_LEVEL = 6, SB_GZIP_MAX_LEVEL = 12 };

struct sb_gzip;
struct sb_gzip *sb_gzip_new(int level, sb_sink_fn sink, void *self);
void sb_gzip_free(struct sb_gzip *gzip);
SB_DEFINE_FREEP(sb_gzip)
int sb_gzip_write(
	struct sb_gzip *gzip, const void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
int sb_gzip_finish(struct sb_gzip *gzip, struct sb_error *err) SB_MUST_USE;

#endif
