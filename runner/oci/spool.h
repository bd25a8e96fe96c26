/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_SPOOL_H
#define SB_OCI_SPOOL_H

#include <stdbool.h>

#include "base/error.h"
#include "sys/interrupt.h"

/*
 * Image archives are read in any order, so they must be seekable and not compressed as a whole.
 * What is not becomes an unnamed file first: gzip, zstd, bzip2 and xz are undone, found by their
 * first bytes.
 */

/* True for a pipe, socket or device, and for a regular file that starts like a compressed one. */
int sb_spool_is_needed(int fd, bool *out, struct sb_error *err) SB_MUST_USE;
/* Reads fd from its current offset (a regular file: from its start) to the end. Caller closes
 * *out_fd. Of what does not begin as a tar archive does, only the beginning is there, since it may
 * have no end. The interrupt may be NULL. */
int sb_spool(int fd, int tmp_dir_fd, struct sb_interrupt *interrupt, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

#endif
