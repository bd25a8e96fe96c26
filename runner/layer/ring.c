/* SPDX-License-Identifier: MIT */
#include "layer/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "layer/thread.h"

enum {
	BLOCK_BYTES = 1 << 20,
	N_BLOCKS = 8,
};

struct block {
	char *bytes; /* allocated when first used */
	size_t len;
};

struct sb_ring {
	struct sb_ring_sinks sinks;
	struct block blocks[N_BLOCKS]; /* the one being filled is blocks[n_given % N_BLOCKS] */
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	size_t n_given;
	size_t n_taken;
	bool is_ended; /* nothing more is given, or what is given is not wanted */
	bool is_dropped;
	bool has_failed;
	struct sb_error error; /* the other thread's, until it is handed to the caller */
};

struct sb_ring *sb_ring_new(const struct sb_ring_sinks *sinks)
{
	struct sb_ring *ring = SB_NEW(struct sb_ring);

	ring->sinks = *sinks;
	SB_BUG_ON(pthread_mutex_init(&ring->lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&ring->changed, NULL) != 0);
	return ring;
}

static void lock(struct sb_ring *ring)
{
	SB_BUG_ON(pthread_mutex_lock(&ring->lock) != 0);
}

static void unlock(struct sb_ring *ring)
{
	SB_BUG_ON(pthread_mutex_unlock(&ring->lock) != 0);
}

static void wait_for_change(struct sb_ring *ring)
{
	SB_BUG_ON(pthread_cond_wait(&ring->changed, &ring->lock) != 0);
}

static void tell(struct sb_ring *ring)
{
	SB_BUG_ON(pthread_cond_broadcast(&ring->changed) != 0);
}

/* The next block to take, or NULL at the end. */
static struct block *take(struct sb_ring *ring)
{
	struct block *block = NULL;

	lock(ring);
	while (ring->n_taken == ring->n_given && !ring->is_ended)
		wait_for_change(ring);
	if (ring->n_taken != ring->n_given && !ring->is_dropped)
		block = &ring->blocks[ring->n_taken % N_BLOCKS];
	unlock(ring);
	return block;
}

static void *run(void *self)
{
	struct sb_ring *ring = self;

	for (struct block *block = take(ring); block != NULL; block = take(ring)) {
		SB_AUTO_ERROR error = SB_ERROR_INIT;
		const int result =
			ring->sinks.there(ring->sinks.self, block->bytes, block->len, &error);

		lock(ring);
		block->len = 0;
		ring->n_taken++;
		if (result < 0) {
			sb_error_move(&ring->error, &error);
			ring->has_failed = true;
			ring->is_dropped = true;
			ring->is_ended = true;
		}
		tell(ring);
		unlock(ring);
	}
	return NULL;
}

static void stop(struct sb_ring *ring, bool is_dropped)
{
	if (!ring->has_thread)
		return;
	lock(ring);
	ring->is_ended = true;
	ring->is_dropped = ring->is_dropped || is_dropped;
	tell(ring);
	unlock(ring);
	SB_BUG_ON(pthread_join(ring->thread, NULL) != 0);
	ring->has_thread = false;
}

void sb_ring_free(struct sb_ring *ring)
{
	if (ring == NULL)
		return;
	stop(ring, true);
	for (size_t i = 0; i < N_BLOCKS; i++)
		free(ring->blocks[i].bytes);
	sb_error_release(&ring->error);
	(void)pthread_cond_destroy(&ring->changed);
	(void)pthread_mutex_destroy(&ring->lock);
	free(ring);
}

/* Waits until a block is free, or the other side has failed. */
static int wait_for_room(struct sb_ring *ring, struct sb_error *err)
{
	int result = 0;

	lock(ring);
	while (ring->n_given - ring->n_taken == N_BLOCKS && !ring->has_failed)
		wait_for_change(ring);
	if (ring->has_failed) {
		SB_BUG_ON(!sb_error_is_set(&ring->error));
		sb_error_move(err, &ring->error);
		result = -1;
	}
	unlock(ring);
	return result;
}

static int hand_over(struct sb_ring *ring, struct sb_error *err)
{
	const struct block *block = &ring->blocks[ring->n_given % N_BLOCKS];

	if (ring->sinks.here != NULL &&
		ring->sinks.here(ring->sinks.self, block->bytes, block->len, err) < 0)
		return -1;
	if (!ring->has_thread) {
		if (sb_thread_start(&ring->thread, run, ring, err) < 0)
			return -1;
		ring->has_thread = true;
	}
	lock(ring);
	ring->n_given++;
	tell(ring);
	unlock(ring);
	return 0;
}

int sb_ring_room(struct sb_ring *ring, void **out_bytes, size_t *out_len, struct sb_error *err)
{
	if (wait_for_room(ring, err) < 0)
		return -1;

	struct block *block = &ring->blocks[ring->n_given % N_BLOCKS];

	if (block->bytes == NULL)
		block->bytes = sb_malloc(BLOCK_BYTES);
	*out_bytes = block->bytes + block->len;
	*out_len = BLOCK_BYTES - block->len;
	return 0;
}

int sb_ring_advance(struct sb_ring *ring, size_t len, struct sb_error *err)
{
	struct block *block = &ring->blocks[ring->n_given % N_BLOCKS];

	SB_BUG_ON(len > BLOCK_BYTES - block->len);
	block->len += len;
	return block->len == BLOCK_BYTES ? hand_over(ring, err) : 0;
}

int sb_ring_write(struct sb_ring *ring, const void *bytes, size_t len, struct sb_error *err)
{
	const char *p = bytes;

	while (len > 0) {
		void *room = NULL;
		size_t n = 0;

		if (sb_ring_room(ring, &room, &n, err) < 0)
			return -1;
		n = n < len ? n : len;
		memcpy(room, p, n);
		if (sb_ring_advance(ring, n, err) < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

int sb_ring_finish(struct sb_ring *ring, struct sb_error *err)
{
	const struct sb_ring_sinks *sinks = &ring->sinks;

	if (wait_for_room(ring, err) < 0)
		return -1;

	const struct block *last = &ring->blocks[ring->n_given % N_BLOCKS];

	if (!ring->has_thread) {
		if (sinks->here != NULL &&
			sinks->here(sinks->self, last->bytes, last->len, err) < 0)
			return -1;
		return sinks->there(sinks->self, last->bytes, last->len, err);
	}
	if (last->len > 0 && hand_over(ring, err) < 0)
		return -1;
	stop(ring, false);
	if (!ring->has_failed)
		return 0;
	sb_error_move(err, &ring->error);
	return -1;
}
