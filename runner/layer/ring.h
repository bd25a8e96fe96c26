/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_RING_H
#define SB_LAYER_RING_H

#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "layer/compress.h"

/*
 * Hands bytes over to a second thread, in order, through a ring of blocks of 1 MiB, so that reading
 * and hashing run at the same time; and to a third one that looks at them beside it. What the other
 * side sees does not depend on how the bytes were written: only its blocks' borders are fixed.
 * Where all fits into one block there is no thread, and `beside` is called after `there`.
 */
struct sb_ring;
struct sb_ring_sinks {
	sb_sink_fn here;  /* each block on the caller's thread, before it is handed over; or NULL */
	sb_sink_fn there; /* each block on the other thread */
	/* Takes all blocks by sb_ring_next, to their end; or NULL. */
	int (*beside)(void *self, struct sb_ring *ring, struct sb_error *err);
	void *self;
};

struct sb_ring *sb_ring_new(const struct sb_ring_sinks *sinks);
/* Stops the other threads, and drops what it has not taken yet. */
void sb_ring_free(struct sb_ring *ring);
SB_DEFINE_FREEP(sb_ring)

/* Room to write into, at least one byte of it; waits for the other side. An error of the other side
 * comes out here, at the next call. */
int sb_ring_room(
	struct sb_ring *ring, void **out_bytes, size_t *out_len, struct sb_error *err) SB_MUST_USE;
/* Says that the first `len` bytes of the room were written. */
int sb_ring_advance(struct sb_ring *ring, size_t len, struct sb_error *err) SB_MUST_USE;
int sb_ring_write(
	struct sb_ring *ring, const void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
/* For `beside`: the next block, which stays until the one after it is asked for; 0 at the end; -1
 * with err set where the rest is dropped. */
ssize_t sb_ring_next(
	struct sb_ring *ring, const void **out_bytes, struct sb_error *err) SB_MUST_USE;
/* Hands over the last block and waits until all are taken. Call once, and nothing after it but
 * free. */
int sb_ring_finish(struct sb_ring *ring, struct sb_error *err) SB_MUST_USE;

#endif
