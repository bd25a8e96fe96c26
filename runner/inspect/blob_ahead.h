/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_BLOB_AHEAD_H
#define SB_INSPECT_BLOB_AHEAD_H

#include "inspect/layer_stream.h"

/*
 * A thread that reads a packed blob ahead of whoever unpacks it, hashes it and searches its bytes:
 * unpacking alone keeps a processor busy.
 */
struct sb_blob_ahead;
/* The source is read by that thread alone from now on. Hasher and search are borrowed: nobody else
 * touches them until next has told the end or an error, or after free. */
int sb_blob_ahead_start(const struct sb_byte_source *source, struct sb_hasher *hasher,
	struct sb_search *search, struct sb_blob_ahead **out, struct sb_error *err) SB_MUST_USE;
void sb_blob_ahead_free(struct sb_blob_ahead *ahead);
SB_DEFINE_FREEP(sb_blob_ahead)
/* The next piece, valid until the next call; 0 at the end, -1 with err set where the source failed:
 * then there is no further call. */
ssize_t sb_blob_ahead_next(
	struct sb_blob_ahead *ahead, const void **out_bytes, struct sb_error *err) SB_MUST_USE;

#endif
