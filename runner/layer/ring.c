/* SPDX-License-Identifier: MIT */
#include "layer/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "layer/thread.h"
#include "sys/monitor.h"

enum {
	BLOCK_BYTES = 1 << 20,
	N_BLOCKS = 8,
};

struct block {
	char *bytes; /* allocated when first used */
	size_t len;
};

/* Who takes blocks. */
struct taker {
	bool has_thread;
	pthread_t thread;
	bool is_in_block; /* beside: the block at n_taken is being looked at */
	size_t n_taken;   /* under the lock, as what follows it in the ring */
};

struct sb_ring {
	struct sb_ring_sinks sinks;
	struct block blocks[N_BLOCKS]; /* the one being filled is blocks[n_given % N_BLOCKS] */
	size_t filled_len;             /* of that one */
	struct taker there;
	struct taker beside;
	struct sb_monitor monitor; /* of all below */
	size_t n_given;
	bool is_ended; /* nothing more is given, or what is given is not wanted */
	bool is_dropped;
	bool has_failed;
	struct sb_error error; /* the other thread's, until it is handed to the caller */
};

struct sb_ring *sb_ring_new(const struct sb_ring_sinks *sinks)
{
	struct sb_ring *ring = SB_NEW(struct sb_ring);

	ring->sinks = *sinks;
	sb_monitor_init(&ring->monitor);
	return ring;
}

/* With the lock: the next block to take, or NULL at the end and where all is dropped. */
static struct block *take(struct sb_ring *ring, const struct taker *taker)
{
	while (taker->n_taken == ring->n_given && !ring->is_ended)
		sb_monitor_wait(&ring->monitor);
	return taker->n_taken != ring->n_given && !ring->is_dropped
		       ? &ring->blocks[taker->n_taken % N_BLOCKS]
		       : NULL;
}

/* With the lock. The first failure is what the caller gets. */
static void fail(struct sb_ring *ring, struct sb_error *error)
{
	if (ring->is_dropped)
		sb_error_ignore(error, "what follows a failure, or is not wanted any more");
	else
		sb_error_move(&ring->error, error);
	ring->has_failed = true;
	ring->is_dropped = true;
	ring->is_ended = true;
}

static void *run_there(void *self)
{
	struct sb_ring *ring = self;
	const struct block *block = NULL;

	sb_monitor_lock(&ring->monitor);
	while ((block = take(ring, &ring->there)) != NULL) {
		SB_AUTO_ERROR error = SB_ERROR_INIT;

		sb_monitor_unlock(&ring->monitor);

		const int result =
			ring->sinks.there(ring->sinks.self, block->bytes, block->len, &error);

		sb_monitor_lock(&ring->monitor);
		ring->there.n_taken++;
		if (result < 0)
			fail(ring, &error);
		sb_monitor_tell(&ring->monitor);
	}
	sb_monitor_unlock(&ring->monitor);
	return NULL;
}

ssize_t sb_ring_next(struct sb_ring *ring, const void **out_bytes, struct sb_error *err)
{
	struct taker *taker = &ring->beside;
	ssize_t len = 0;

	sb_monitor_lock(&ring->monitor);
	if (taker->is_in_block) {
		taker->n_taken++;
		sb_monitor_tell(&ring->monitor);
	}

	const struct block *block = take(ring, taker);

	taker->is_in_block = block != NULL;
	if (block != NULL) {
		*out_bytes = block->bytes;
		len = (ssize_t)block->len;
	} else if (ring->is_dropped) {
		len = sb_fail(err, SB_E_CANCELLED, "dropped");
	}
	sb_monitor_unlock(&ring->monitor);
	return len;
}

static void *run_beside(void *self)
{
	struct sb_ring *ring = self;
	SB_AUTO_ERROR error = SB_ERROR_INIT;
	const int result = ring->sinks.beside(ring->sinks.self, ring, &error);

	sb_monitor_lock(&ring->monitor);
	if (result < 0)
		fail(ring, &error);
	ring->beside.n_taken = SIZE_MAX;
	sb_monitor_tell(&ring->monitor);
	sb_monitor_unlock(&ring->monitor);
	return NULL;
}

static void join(struct taker *taker)
{
	if (taker->has_thread)
		SB_BUG_ON(pthread_join(taker->thread, NULL) != 0);
	taker->has_thread = false;
}

static void stop(struct sb_ring *ring, bool is_dropped)
{
	sb_monitor_lock(&ring->monitor);
	ring->is_ended = true;
	ring->is_dropped = ring->is_dropped || is_dropped;
	sb_monitor_tell(&ring->monitor);
	sb_monitor_unlock(&ring->monitor);
	join(&ring->there);
	join(&ring->beside);
}

void sb_ring_free(struct sb_ring *ring)
{
	if (ring == NULL)
		return;
	stop(ring, true);
	for (size_t i = 0; i < N_BLOCKS; i++)
		free(ring->blocks[i].bytes);
	sb_error_release(&ring->error);
	sb_monitor_release(&ring->monitor);
	free(ring);
}

/* With the lock. */
static bool has_room(const struct sb_ring *ring)
{
	const size_t oldest = ring->n_given - N_BLOCKS; /* wraps while there are fewer */

	if (ring->n_given < N_BLOCKS)
		return true;
	return ring->there.n_taken > oldest &&
	       (ring->sinks.beside == NULL || ring->beside.n_taken > oldest);
}

/* Waits until a block is free, or the other side has failed. */
static int wait_for_room(struct sb_ring *ring, struct sb_error *err)
{
	int result = 0;

	sb_monitor_lock(&ring->monitor);
	while (!has_room(ring) && !ring->has_failed)
		sb_monitor_wait(&ring->monitor);
	if (ring->has_failed) {
		SB_BUG_ON(!sb_error_is_set(&ring->error));
		sb_error_move(err, &ring->error);
		result = -1;
	}
	sb_monitor_unlock(&ring->monitor);
	return result;
}

static int start(
	struct taker *taker, void *(*run)(void *), struct sb_ring *ring, struct sb_error *err)
{
	if (taker->has_thread)
		return 0;
	if (sb_thread_start(&taker->thread, run, ring, err) < 0)
		return -1;
	taker->has_thread = true;
	return 0;
}

static int hand_over(struct sb_ring *ring, struct sb_error *err)
{
	struct block *block = &ring->blocks[ring->n_given % N_BLOCKS];

	block->len = ring->filled_len;
	if (ring->sinks.here != NULL &&
		ring->sinks.here(ring->sinks.self, block->bytes, block->len, err) < 0)
		return -1;
	if (start(&ring->there, run_there, ring, err) < 0 ||
		(ring->sinks.beside != NULL && start(&ring->beside, run_beside, ring, err) < 0))
		return -1;
	sb_monitor_lock(&ring->monitor);
	ring->n_given++;
	ring->filled_len = 0;
	sb_monitor_tell(&ring->monitor);
	sb_monitor_unlock(&ring->monitor);
	return 0;
}

int sb_ring_room(struct sb_ring *ring, void **out_bytes, size_t *out_len, struct sb_error *err)
{
	if (wait_for_room(ring, err) < 0)
		return -1;

	struct block *block = &ring->blocks[ring->n_given % N_BLOCKS];

	if (block->bytes == NULL)
		block->bytes = sb_malloc(BLOCK_BYTES);
	*out_bytes = block->bytes + ring->filled_len;
	*out_len = BLOCK_BYTES - ring->filled_len;
	return 0;
}

int sb_ring_advance(struct sb_ring *ring, size_t len, struct sb_error *err)
{
	SB_BUG_ON(len > BLOCK_BYTES - ring->filled_len);
	ring->filled_len += len;
	return ring->filled_len == BLOCK_BYTES ? hand_over(ring, err) : 0;
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

/* The only block, on this thread. */
static int take_here(struct sb_ring *ring, struct sb_error *err)
{
	const struct sb_ring_sinks *sinks = &ring->sinks;
	struct block *block = &ring->blocks[0];

	block->len = ring->filled_len;
	ring->n_given = 1;
	ring->is_ended = true;
	if (sinks->here != NULL && sinks->here(sinks->self, block->bytes, block->len, err) < 0)
		return -1;
	if (sinks->there(sinks->self, block->bytes, block->len, err) < 0)
		return -1;
	return sinks->beside != NULL ? sinks->beside(sinks->self, ring, err) : 0;
}

int sb_ring_finish(struct sb_ring *ring, struct sb_error *err)
{
	if (wait_for_room(ring, err) < 0)
		return -1;
	if (!ring->there.has_thread)
		return take_here(ring, err);
	if (ring->filled_len > 0 && hand_over(ring, err) < 0)
		return -1;
	stop(ring, false);
	if (!ring->has_failed)
		return 0;
	sb_error_move(err, &ring->error);
	return -1;
}
