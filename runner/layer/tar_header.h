/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_TAR_HEADER_H
#define SB_LAYER_TAR_HEADER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "layer/diff.h"

/*
 * What stands before an entry's content in a layer's tar: a ustar header (POSIX.1-1988), and before
 * that a pax one (POSIX.1-2001, pax(1) "pax Extended Header") where the first can't hold it all:
 * long names, large numbers, attributes. No user or group names, whole seconds, no other times.
 *
 * The bytes are made here and not by a library, so that they depend on neither its version nor the
 * locale.
 */

/* Appends the header blocks of one change. A deletion becomes an empty file `.wh.NAME`. Times after
 * max_mtime are set to it. Fails with SB_E_LIMIT where attributes take more than out's maximum. */
int sb_tar_header(const struct sb_change *change, int64_t max_mtime, struct sb_buf *out,
	struct sb_error *err) SB_MUST_USE;

/* The entry's name in the tar: with `.wh.` for a deletion, with a last slash for a folder. Caller
 * frees. */
char *sb_tar_name(const struct sb_change *change);

#endif
