/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_UNPACK_H
#define SB_INSPECT_UNPACK_H

#include "inspect/layer_stream.h"

/*
 * The work under a layer_stream: the blob is read, hashed and searched as a blob, and unpacked.
 * Where it is packed and longer than some pieces, a thread of its own does all but the last
 * (inspect/blob_ahead.h).
 */
struct sb_unpacking;
int sb_unpacking_open(const struct sb_byte_source *source, struct sb_search *search,
	struct sb_unpacking **out, struct sb_error *err) SB_MUST_USE;
void sb_unpacking_free(struct sb_unpacking *unpacking);
SB_DEFINE_FREEP(sb_unpacking)
enum sb_layer_packing sb_unpacking_packing(const struct sb_unpacking *unpacking);

/* Fills the room with unpacked bytes: fewer only at the end. After a failure there are no more. */
ssize_t sb_unpacking_read(
	struct sb_unpacking *unpacking, void *room, size_t len, struct sb_error *err) SB_MUST_USE;
/* Reads the blob to its end. digest, blob_bytes and trailing_bytes are written in any case; the
 * digest only where the blob is packed: otherwise it is that of what was given out. */
int sb_unpacking_finish(struct sb_unpacking *unpacking, struct sb_layer_sums *out,
	struct sb_error *err) SB_MUST_USE;

#endif
