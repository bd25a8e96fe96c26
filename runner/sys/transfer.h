/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_TRANSFER_H
#define SB_SYS_TRANSFER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/error.h"
#include "sys/interrupt.h"

/*
 * Moving many bytes in a way that a signal ends: in pieces, with a look at the interrupt before
 * each, and without waiting for the other end of a pipe alone. SB_E_CANCELLED then. The interrupt
 * may be NULL.
 */

/* One read: bytes read, 0 at the end, -1 with err set. */
ssize_t sb_transfer_read(struct sb_interrupt *interrupt, int fd, void *bytes, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* Of all that there is left to read. */
int sb_transfer_digest(struct sb_interrupt *interrupt, int fd, struct sb_digest *out,
	struct sb_error *err) SB_MUST_USE;
/* Writes all. */
int sb_transfer_write(struct sb_interrupt *interrupt, int fd, const void *bytes, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* Copies exactly len bytes from an offset of a file, whose own offset stays, to anything that can
 * be written; SB_E_INTEGRITY when the file is shorter. */
int sb_transfer_range(struct sb_interrupt *interrupt, int from, uint64_t offset, uint64_t len,
	int to, struct sb_error *err) SB_MUST_USE;

/* Brings a file's content to the disk, as far as that can be done in pieces: for before an fsync or
 * syncfs, which no signal ends, and which then has little left to do. */
int sb_transfer_flush(struct sb_interrupt *interrupt, int fd, struct sb_error *err) SB_MUST_USE;

#endif
