/* SPDX-License-Identifier: MIT */
#include "inspect/blob_ahead.h"

#include <pthread.h>

#include "base/mem.h"
#include "layer/thread.h"
#include "sys/monitor.h"

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
	struct sb_monitor monitor; /* of all below */
	size_t n_filled;
	size_t n_taken;
	bool at_end;   /* no further piece will be filled */
	bool is_ended; /* the caller wants none */
	struct sb_error error;
};

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

	sb_monitor_lock(&ahead->monitor);
	while (is_filled && !ahead->is_ended) {
		struct piece *piece = &ahead->pieces[ahead->n_filled % N_PIECES];
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (ahead->n_filled - ahead->n_taken == N_PIECES) {
			sb_monitor_wait(&ahead->monitor);
			continue;
		}
		sb_monitor_unlock(&ahead->monitor);
		is_filled = fill(ahead, piece, &err);
		sb_monitor_lock(&ahead->monitor);
		ahead->n_filled += is_filled;
		ahead->at_end = !is_filled;
		if (sb_error_is_set(&err))
			sb_error_move(&ahead->error, &err);
		sb_monitor_tell(&ahead->monitor);
	}
	sb_monitor_unlock(&ahead->monitor);
	return NULL;
}

static void release(struct sb_blob_ahead *ahead)
{
	for (size_t i = 0; i < N_PIECES; i++)
		free(ahead->pieces[i].bytes);
	sb_error_release(&ahead->error);
	sb_monitor_release(&ahead->monitor);
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
	sb_monitor_init(&ahead->monitor);
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
	sb_monitor_lock(&ahead->monitor);
	ahead->is_ended = true;
	sb_monitor_tell(&ahead->monitor);
	sb_monitor_unlock(&ahead->monitor);
	SB_BUG_ON(pthread_join(ahead->thread, NULL) != 0);
	release(ahead);
}

ssize_t sb_blob_ahead_next(
	struct sb_blob_ahead *ahead, const void **out_bytes, struct sb_error *err)
{
	ssize_t n = 0;

	sb_monitor_lock(&ahead->monitor);
	if (ahead->is_holding) {
		ahead->n_taken++;
		sb_monitor_tell(&ahead->monitor);
	}
	while (ahead->n_filled == ahead->n_taken && !ahead->at_end)
		sb_monitor_wait(&ahead->monitor);
	ahead->is_holding = ahead->n_filled != ahead->n_taken;
	if (ahead->is_holding) {
		const struct piece *piece = &ahead->pieces[ahead->n_taken % N_PIECES];

		*out_bytes = piece->bytes;
		n = (ssize_t)piece->len;
	} else if (sb_error_is_set(&ahead->error)) {
		sb_error_move(err, &ahead->error);
		n = -1;
	}
	sb_monitor_unlock(&ahead->monitor);
	return n;
}
