/* SPDX-License-Identifier: MIT */
#include "inspect/blob_ahead.h"

#include <pthread.h>

#include "base/mem.h"
#include "layer/thread.h"

enum { N_PIECES = 4, PIECE_BYTES = 256 << 10 };

struct piece {
	char *bytes;
	size_t len;
};

struct sb_blob_ahead {
	struct sb_byte_source source;
	struct sb_hasher *hasher;
	struct sb_search *search;
	struct piece pieces[N_PIECES];
	bool is_holding; /* the caller looks at the piece taken last */
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	size_t n_filled;
	size_t n_taken;
	bool at_end;   /* no further piece will be filled */
	bool is_ended; /* the caller wants none */
	struct sb_error error;
};

static void lock(struct sb_blob_ahead *ahead)
{
	SB_BUG_ON(pthread_mutex_lock(&ahead->lock) != 0);
}

static void unlock(struct sb_blob_ahead *ahead)
{
	SB_BUG_ON(pthread_mutex_unlock(&ahead->lock) != 0);
}

static void wait_for_change(struct sb_blob_ahead *ahead)
{
	SB_BUG_ON(pthread_cond_wait(&ahead->changed, &ahead->lock) != 0);
}

static void tell(struct sb_blob_ahead *ahead)
{
	SB_BUG_ON(pthread_cond_broadcast(&ahead->changed) != 0);
}

/* True when the piece was filled. */
static bool fill(struct sb_blob_ahead *ahead, struct piece *piece, struct sb_error *err)
{
	const ssize_t n = ahead->source.read(ahead->source.self, piece->bytes, PIECE_BYTES, err);

	if (n <= 0)
		return false;
	piece->len = (size_t)n;
	sb_hasher_add(ahead->hasher, piece->bytes, piece->len);
	sb_search_feed(ahead->search, piece->bytes, piece->len);
	return true;
}

static void *read_ahead(void *self)
{
	struct sb_blob_ahead *ahead = self;
	bool is_filled = true;

	lock(ahead);
	while (is_filled && !ahead->is_ended) {
		struct piece *piece = &ahead->pieces[ahead->n_filled % N_PIECES];
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (ahead->n_filled - ahead->n_taken == N_PIECES) {
			wait_for_change(ahead);
			continue;
		}
		unlock(ahead);
		is_filled = fill(ahead, piece, &err);
		lock(ahead);
		ahead->n_filled += is_filled;
		ahead->at_end = !is_filled;
		if (sb_error_is_set(&err))
			sb_error_move(&ahead->error, &err);
		tell(ahead);
	}
	unlock(ahead);
	return NULL;
}

static void release(struct sb_blob_ahead *ahead)
{
	for (size_t i = 0; i < N_PIECES; i++)
		free(ahead->pieces[i].bytes);
	sb_error_release(&ahead->error);
	(void)pthread_cond_destroy(&ahead->changed);
	(void)pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

int sb_blob_ahead_start(const struct sb_byte_source *source, struct sb_hasher *hasher,
	struct sb_search *search, struct sb_blob_ahead **out, struct sb_error *err)
{
	struct sb_blob_ahead *ahead = SB_NEW(struct sb_blob_ahead);

	ahead->source = *source;
	ahead->hasher = hasher;
	ahead->search = search;
	for (size_t i = 0; i < N_PIECES; i++)
		ahead->pieces[i].bytes = sb_malloc(PIECE_BYTES);
	SB_BUG_ON(pthread_mutex_init(&ahead->lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&ahead->changed, NULL) != 0);
	if (sb_thread_start(&ahead->thread, read_ahead, ahead, err) < 0) {
		release(ahead);
		return -1;
	}
	*out = ahead;
	return 0;
}

void sb_blob_ahead_free(struct sb_blob_ahead *ahead)
{
	if (ahead == NULL)
		return;
	lock(ahead);
	ahead->is_ended = true;
	tell(ahead);
	unlock(ahead);
	SB_BUG_ON(pthread_join(ahead->thread, NULL) != 0);
	release(ahead);
}

ssize_t sb_blob_ahead_next(
	struct sb_blob_ahead *ahead, const void **out_bytes, struct sb_error *err)
{
	ssize_t n = 0;

	lock(ahead);
	if (ahead->is_holding) {
		ahead->n_taken++;
		tell(ahead);
	}
	while (ahead->n_filled == ahead->n_taken && !ahead->at_end)
		wait_for_change(ahead);
	ahead->is_holding = ahead->n_filled != ahead->n_taken;
	if (ahead->is_holding) {
		const struct piece *piece = &ahead->pieces[ahead->n_taken % N_PIECES];

		*out_bytes = piece->bytes;
		n = (ssize_t)piece->len;
	} else if (sb_error_is_set(&ahead->error)) {
		sb_error_move(err, &ahead->error);
		n = -1;
	}
	unlock(ahead);
	return n;
}
