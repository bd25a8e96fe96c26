/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_CONTENT_SUMS_H
#define SB_INSPECT_CONTENT_SUMS_H

#include "base/cleanup.h"
#include "base/digest.h"
#include "inspect/tar_reader.h"

/*
 * The digests of a tar's contents, and the one of all its bytes: both are made at once, where the
 * processor can (sb_hasher_add_to_both), ahead of whoever reads the same tar for what is in it.
 * One thread runs it, one other takes the digests.
 */
struct sb_content_sums;
/* The source may be read by the thread that runs it alone. All its bytes are added to `all`
 * (borrowed), or to nothing where that is NULL. */
struct sb_content_sums *sb_content_sums_new(
	const struct sb_tar_source *source, struct sb_hasher *all);
void sb_content_sums_free(struct sb_content_sums *sums);
SB_DEFINE_FREEP(sb_content_sums)

/* Reads the source to its end. Errors of the source or the tar end it early: the reader meets them
 * himself. */
void sb_content_sums_run(struct sb_content_sums *sums);

/* The largest hole that is hashed, and searched, as the zeros that it stands for; of one file all
 * holes together. */
enum { SB_MAX_HOLE_BYTES = 64 << 20 };

/*
 * The digest of the content that begins at an offset of the tar (sb_tar_reader_offset after the
 * entry), as whoever opens the file gets it. Asked for in the order of the tar. Unset where the
 * file has too large holes, and where the run has not passed its end, which it has once it asks the
 * source for more.
 */
void sb_content_sums_take(struct sb_content_sums *sums, uint64_t offset, struct sb_digest *out);

#endif
