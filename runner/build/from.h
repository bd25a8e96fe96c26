/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_FROM_H
#define SB_BUILD_FROM_H

#include "build/copy.h"
#include "build/instructions.h"

/* What COPY --from or --mount=from names: a folder of files, or the root of a stage or image. */
struct sb_from {
	bool is_context;
	int fd;                         /* of a context: its folder, borrowed; else -1 */
	const struct sb_ignore *ignore; /* borrowed, or NULL */
	struct sb_stage_state *state;   /* of a stage or image; borrowed */
	struct sb_stage_state *loaded;  /* the same where it is an image; owned */
};
void sb_from_release(struct sb_from *from);

/* from NULL: the main context. An image is brought into the store, and its layers are unpacked,
 * where they are not yet. */
int sb_from_find(const struct sb_do *d, const char *from, struct sb_from *out,
	struct sb_error *err) SB_MUST_USE;
/* The folder, or a read-only view of the root (a detached mount). */
int sb_from_open(const struct sb_do *d, const struct sb_from *from, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

/*
 * The digest of what a copy from it would bring (build/content.h); of `copy`, what tells where the
 * files come from is filled in here. That of an image's files is remembered, since an image does
 * not change. stamp gets that of the files of a context, and stays zeroed for an image; NULL: not
 * wanted.
 */
int sb_from_digest(const struct sb_do *d, const struct sb_from *from, struct sb_copy copy,
	struct sb_digest *out, struct sb_digest *stamp, struct sb_error *err) SB_MUST_USE;
/* The stamp alone, to see whether the files are still those that the digest was made of. */
int sb_from_stamp(const struct sb_do *d, const struct sb_from *from, struct sb_copy copy,
	struct sb_digest *stamp, struct sb_error *err) SB_MUST_USE;

#endif
