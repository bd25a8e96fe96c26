/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_TAR_INPUT_H
#define SB_LAYER_TAR_INPUT_H

#include <archive.h>

#include "layer/apply.h"
#include "layer/decompress.h"
#include "layer/notes.h"

/*
 * The tar inside a blob, as an open libarchive reader, with the digest of every byte of it, also of
 * those that stand behind its end. Names are UTF-8: the thread that opens it is the one that frees
 * it, and has another locale for characters meanwhile.
 */
struct sb_tar_input;
/* Sees every byte of the tar, in order, before what it means is told. */
struct sb_tar_watcher {
	void (*on_bytes)(void *self, const void *bytes, size_t len);
	void *self;
};
/* watcher may be NULL. */
int sb_tar_input_open(struct sb_reader from, bool is_layer, const struct sb_tar_watcher *watcher,
	struct sb_tar_input **out, struct sb_error *err) SB_MUST_USE;
void sb_tar_input_free(struct sb_tar_input *input);
SB_DEFINE_FREEP(sb_tar_input)

/* The next entry (borrowed until the next call), or NULL at the end. A type that is none of tar's
 * is SB_E_INTEGRITY. notes hears of headers that were hard to read. */
int sb_tar_input_next(struct sb_tar_input *input, struct archive_entry **out_entry,
	struct sb_notes *notes, struct sb_error *err) SB_MUST_USE;
/* The entry's next piece of content and its offset; *out_len is 0 at the end. */
int sb_tar_input_data(struct sb_tar_input *input, const void **out_bytes, size_t *out_len,
	int64_t *out_offset, struct sb_error *err) SB_MUST_USE;
/* Reads all that is left; sets the digests and sizes in *out. */
int sb_tar_input_finish(
	struct sb_tar_input *input, struct sb_applied *out, struct sb_error *err) SB_MUST_USE;

#endif
