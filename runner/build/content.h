/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTENT_H
#define SB_BUILD_CONTENT_H

#include "base/digest.h"
#include "build/copy.h"
#include "sys/stat_cache.h"

/*
 * What a COPY would bring, as one digest: of each thing its name, type, mode and owner as it will
 * have them, link target, the attributes that are copied, and content; not its times. It walks as
 * the copy does and leaves out what that leaves out; copy->root_fd, dest and heredocs are not
 * looked at. copy->warnings gets a line for what is passed over.
 *
 * What fails here fails the copy too, which says it better.
 */
struct sb_content_options {
	int64_t with_times; /* times count too, up to that second (the source date epoch); -1: they
			       don't */
	struct sb_stat_cache *memory; /* or NULL */
	/* Gets what inodes, sizes and times come to, or NULL: while that stays, so does the
	 * content. */
	struct sb_digest *stamp;
};
/* out NULL: nothing is read, only the stamp is made. */
int sb_content_digest(const struct sb_copy *copy, const struct sb_content_options *options,
	struct sb_digest *out, struct sb_error *err) SB_MUST_USE;

#endif
