/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_CHANNEL_H
#define SB_SYS_CHANNEL_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Messages with file descriptors between two of our processes, over a stream socket (SCM_RIGHTS,
 * unix(7)). A message is a length, then the bytes; its descriptors travel with the length. At most
 * SB_CHANNEL_MAX_FDS.
 */
enum { SB_CHANNEL_MAX_FDS = 250 };

/* Both ends close-on-exec. */
int sb_channel_pair(int out_fds[2], struct sb_error *err) SB_MUST_USE;
int sb_channel_send(int fd, const void *bytes, size_t len, const int *fds, size_t n_fds,
	struct sb_error *err) SB_MUST_USE;
/*
 * The next message: bytes replace what *out holds (SB_E_LIMIT past its maximum); descriptors
 * (close-on-exec) go to fds, which has room for SB_CHANNEL_MAX_FDS, and are the caller's. Returns
 * 1, 0 when the other end is gone, -1 (and then no descriptors).
 */
int sb_channel_receive(
	int fd, struct sb_buf *out, int *fds, size_t *out_n_fds, struct sb_error *err) SB_MUST_USE;

#endif
