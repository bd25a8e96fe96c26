/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_FLOW_H
#define SB_SANDBOX_FLOW_H

#include <poll.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * Bytes from one descriptor to another, without ever waiting for either: what can't be written yet
 * is kept, and while that is much, nothing more is read.
 */
struct sb_flow {
	int from; /* owned; -1 at its end */
	int to;   /* owned; -1 where nobody reads any more */
	struct sb_buf pending;
	size_t sent; /* of pending */
	/* What is to be written for what was read; at the end, with bytes NULL, what is left. NULL:
	 * the same bytes. */
	void (*filter)(void *data, int stream, const char *bytes, size_t len, struct sb_buf *out);
	void *data;
	int stream;
};
#define SB_FLOW_INIT \
	{ \
		.from = -1, .to = -1, .pending = SB_BUF_INIT(SIZE_MAX / 2) \
	}

void sb_flow_release(struct sb_flow *flow);
/* What to wait for. Both are -1 where there is nothing. */
void sb_flow_poll(const struct sb_flow *flow, struct pollfd *out_from, struct pollfd *out_to);
/* One read of what has come: false where there is none now. */
bool sb_flow_read(struct sb_flow *flow);
/* One write. */
void sb_flow_write(struct sb_flow *flow);
bool sb_flow_has_pending(const struct sb_flow *flow);
/* Whoever writes is gone: what is on its way now is all, and is read whatever is pending. A
 * terminal's may be a moment late. */
void sb_flow_drain(struct sb_flow *flow, int patience_ms);
/* Whoever writes to the two is about to go: waits until they have ended, for so long in all,
 * whatever comes meanwhile, which is dropped. False where they have not. */
bool sb_flow_await_end(struct sb_flow *a, struct sb_flow *b, int patience_ms);

#endif
