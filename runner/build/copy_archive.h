/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_ARCHIVE_H
#define SB_BUILD_COPY_ARCHIVE_H

#include "build/copy_match.h"
#include "build/copy_meta.h"

/*
 * ADD of a local file: where its content is a tar, plain or compressed, *out_is_archive becomes
 * true and it is unpacked into the folder `dest` (absolute, cleaned and link-free), which is made
 * where it is missing. Otherwise nothing is done.
 */
int sb_copy_unpack(struct sb_copy_work *work, const struct sb_copy_match *match, const char *dest,
	bool *out_is_archive, struct sb_error *err) SB_MUST_USE;

#endif
