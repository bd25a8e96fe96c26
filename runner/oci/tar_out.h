/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_TAR_OUT_H
#define SB_OCI_TAR_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/interrupt.h"

/*
 * Writing the outer tar archive of an image: a stream (fd may be a pipe) of plain ustar entries,
 * with mode 0644 or 0755, owner 0:0 and time 0, so that the same files give the same bytes. Names
 * have at most 100 bytes. Sizes from 8 GiB on are in GNU's binary form, which Go, GNU tar and
 * libarchive read.
 */
struct sb_tar_out {
	int fd;                         /* borrowed */
	struct sb_interrupt *interrupt; /* borrowed; or NULL */
	uint64_t written;
};

int sb_tar_out_folder(struct sb_tar_out *tar, const char *name, struct sb_error *err) SB_MUST_USE;
int sb_tar_out_bytes(struct sb_tar_out *tar, const char *name, const void *bytes, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* The first `size` bytes of a file. */
int sb_tar_out_file(struct sb_tar_out *tar, const char *name, int from, uint64_t size,
	struct sb_error *err) SB_MUST_USE;
/* The end marker, padded to whole records of 10 KiB as tar does. */
int sb_tar_out_end(struct sb_tar_out *tar, struct sb_error *err) SB_MUST_USE;

#endif
