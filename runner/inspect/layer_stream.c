/* SPDX-License-Identifier: MIT */
#include "inspect/layer_stream.h"

#include <pthread.h>

#include "base/mem.h"
#include "inspect/content_sums.h"
#include "inspect/unpack.h"
#include "layer/thread.h"

/* The first pieces are small, so that those that wait for them begin; later ones so large that the
 * threads hardly ever wait for each other. */
enum { N_PIECES = 8, FIRST_BYTES = 256 << 10, PIECE_BYTES = 1 << 20 };

struct piece {
	char *bytes;
	size_t len;
};

/*
 * Pieces go round: the thread that unpacks fills the next when all others are done with what was in
 * it. The caller gets one when the digests of what ends in it are there. The counters say how many
 * pieces each is through with; they and all that stands below them are under the lock.
 */
struct sb_layer_stream {
	struct sb_unpacking *unpacking;
	struct sb_search *search;
	struct sb_hasher *hasher; /* of what was unpacked */
	struct sb_content_sums *sums;
	struct piece pieces[N_PIECES];
	size_t first_bytes;
	size_t piece_bytes;
	bool hashes_apart;
	bool has_unpacker;
	bool has_summer;
	bool has_tar_hasher;
	pthread_t unpacker;
	pthread_t summer;
	pthread_t tar_hasher; /* where it hashes apart */
	/* The thread that makes the sums alone looks at the following. */
	size_t n_given_to_sums;
	/* The caller alone. */
	uint64_t tar_bytes; /* given to him */
	size_t n_given;
	bool is_holding; /* the caller looks at the piece given last */
	bool has_told_end;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t n_filled;
	size_t n_summed;
	size_t n_looked_at;
	size_t n_hashed;
	bool at_end;   /* no further piece will be filled */
	bool is_ended; /* the caller wants none */
	struct sb_error error;
};

static struct piece *piece_at(struct sb_layer_stream *stream, size_t i)
{
	return &stream->pieces[i % N_PIECES];
}

/* True when piece i was filled, false at the end; then an error may be set. */
static bool fill_piece(struct sb_layer_stream *stream, size_t i, struct sb_error *err)
{
	struct piece *piece = piece_at(stream, i);
	const size_t len = i < N_PIECES ? stream->first_bytes : stream->piece_bytes;

	if (piece->bytes == NULL)
		piece->bytes = sb_malloc(stream->piece_bytes);

	const ssize_t n = sb_unpacking_read(stream->unpacking, piece->bytes, len, err);

	piece->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool has_room(const struct sb_layer_stream *stream)
{
	const bool is_hashed_last = stream->hashes_apart && stream->n_hashed < stream->n_looked_at;
	const size_t done = is_hashed_last ? stream->n_hashed : stream->n_looked_at;

	return stream->n_filled - done < N_PIECES;
}

static void *unpack_pieces(void *self)
{
	struct sb_layer_stream *stream = self;
	bool is_filled = true;

	while (is_filled) {
		struct sb_error err = SB_ERROR_INIT;

		(void)pthread_mutex_lock(&stream->lock);
		while (!has_room(stream) && !stream->is_ended)
			(void)pthread_cond_wait(&stream->changed, &stream->lock);

		const size_t i = stream->n_filled;
		const bool is_wanted = !stream->is_ended;

		(void)pthread_mutex_unlock(&stream->lock);
		is_filled = is_wanted && fill_piece(stream, i, &err);
		(void)pthread_mutex_lock(&stream->lock);
		if (is_filled)
			stream->n_filled++;
		else
			stream->at_end = true;
		if (sb_error_is_set(&err))
			sb_error_move(&stream->error, &err);
		(void)pthread_cond_broadcast(&stream->changed);
		(void)pthread_mutex_unlock(&stream->lock);
	}
	return NULL;
}

/* Waits for piece i, and until it is summed up where that is asked for; NULL where the stream ends
 * before it. */
static struct piece *wait_for_piece(struct sb_layer_stream *stream, size_t i, bool is_summed)
{
	(void)pthread_mutex_lock(&stream->lock);
	while ((stream->n_filled <= i && !stream->at_end) ||
		(is_summed && stream->n_summed <= i && stream->n_filled > i))
		(void)pthread_cond_wait(&stream->changed, &stream->lock);

	struct piece *piece = stream->n_filled > i ? piece_at(stream, i) : NULL;

	(void)pthread_mutex_unlock(&stream->lock);
	return piece;
}

static void be_done_with(struct sb_layer_stream *stream, size_t *counter)
{
	(void)pthread_mutex_lock(&stream->lock);
	++*counter;
	(void)pthread_cond_broadcast(&stream->changed);
	(void)pthread_mutex_unlock(&stream->lock);
}

static void *hash_pieces(void *self)
{
	struct sb_layer_stream *stream = self;

	for (size_t i = 0;; i++) {
		const struct piece *piece = wait_for_piece(stream, i, false);

		if (piece == NULL)
			return NULL;
		sb_hasher_add(stream->hasher, piece->bytes, piece->len);
		be_done_with(stream, &stream->n_hashed);
	}
}

/* The next piece to sum up. The one before is, by then. */
static ssize_t next_to_sum(void *self, const void **out_bytes, struct sb_error *err)
{
	struct sb_layer_stream *stream = self;

	(void)err; /* the caller is told */
	if (stream->n_given_to_sums > stream->n_summed)
		be_done_with(stream, &stream->n_summed);

	const struct piece *piece = wait_for_piece(stream, stream->n_given_to_sums, false);

	if (piece == NULL)
		return 0;
	stream->n_given_to_sums++;
	*out_bytes = piece->bytes;
	return (ssize_t)piece->len;
}

static void *sum_pieces(void *self)
{
	struct sb_layer_stream *stream = self;

	sb_content_sums_run(stream->sums);
	return NULL;
}

static void stop(struct sb_layer_stream *stream)
{
	(void)pthread_mutex_lock(&stream->lock);
	stream->is_ended = true;
	if (!stream->has_unpacker)
		stream->at_end = true;
	(void)pthread_cond_broadcast(&stream->changed);
	(void)pthread_mutex_unlock(&stream->lock);
	if (stream->has_unpacker)
		(void)pthread_join(stream->unpacker, NULL);
	if (stream->has_summer)
		(void)pthread_join(stream->summer, NULL);
	if (stream->has_tar_hasher)
		(void)pthread_join(stream->tar_hasher, NULL);
	stream->has_unpacker = stream->has_summer = stream->has_tar_hasher = false;
}

static void make_sums(struct sb_layer_stream *stream)
{
	const struct sb_tar_source pieces = {next_to_sum, stream};

	stream->sums = sb_content_sums_new(&pieces, stream->hashes_apart ? NULL : stream->hasher);
}

/* The one that the others wait for comes last. */
static int start_threads(struct sb_layer_stream *stream, struct sb_error *err)
{
	make_sums(stream);
	if (stream->hashes_apart) {
		if (sb_thread_start(&stream->tar_hasher, hash_pieces, stream, err) < 0)
			return -1;
		stream->has_tar_hasher = true;
	}
	if (sb_thread_start(&stream->summer, sum_pieces, stream, err) < 0)
		return -1;
	stream->has_summer = true;
	if (sb_thread_start(&stream->unpacker, unpack_pieces, stream, err) < 0)
		return -1;
	stream->has_unpacker = true;
	return 0;
}

/* The first piece is made here and now: most layers of an image are no larger. */
static int begin(struct sb_layer_stream *stream, struct sb_error *err)
{
	if (!fill_piece(stream, 0, &stream->error)) {
		stream->at_end = true;
		stream->hashes_apart = false;
		make_sums(stream);
		return 0;
	}
	stream->n_filled = 1;
	if (stream->pieces[0].len == stream->first_bytes)
		return start_threads(stream, err);
	/* A piece that is not full is the last: this tells whether an error follows it. */
	(void)fill_piece(stream, 1, &stream->error);
	stream->at_end = true;
	stream->hashes_apart = false;
	make_sums(stream);
	sb_content_sums_run(stream->sums);
	return 0;
}

int sb_layer_stream_open_with(const struct sb_layer_stream_options *options,
	const struct sb_byte_source *source, struct sb_search *blob_search,
	struct sb_scanner *blob_scanner, struct sb_layer_stream **out, struct sb_error *err)
{
	SB_AUTO(sb_layer_stream) stream = SB_NEW(struct sb_layer_stream);

	SB_BUG_ON(pthread_mutex_init(&stream->lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&stream->changed, NULL) != 0);
	stream->first_bytes = options->piece_bytes != 0 ? options->piece_bytes : FIRST_BYTES;
	stream->piece_bytes = options->piece_bytes != 0 ? options->piece_bytes : PIECE_BYTES;
	stream->hashes_apart = options->hashes_apart;
	stream->hasher = sb_hasher_new();
	stream->search = blob_search;
	sb_search_begin(blob_search, blob_scanner);
	if (sb_unpacking_open(source, blob_search, &stream->unpacking, err) < 0 ||
		begin(stream, err) < 0)
		return -1;
	*out = SB_STEAL(stream);
	return 0;
}

int sb_layer_stream_open(const struct sb_byte_source *source, struct sb_search *blob_search,
	struct sb_scanner *blob_scanner, struct sb_layer_stream **out, struct sb_error *err)
{
	const struct sb_layer_stream_options best = {.hashes_apart = !sb_hasher_pairs()};

	return sb_layer_stream_open_with(&best, source, blob_search, blob_scanner, out, err);
}

void sb_layer_stream_free(struct sb_layer_stream *stream)
{
	if (stream == NULL)
		return;
	stop(stream);
	sb_content_sums_free(stream->sums);
	sb_unpacking_free(stream->unpacking);
	sb_hasher_free(stream->hasher);
	for (size_t i = 0; i < N_PIECES; i++)
		free(stream->pieces[i].bytes);
	sb_error_release(&stream->error);
	(void)pthread_cond_destroy(&stream->changed);
	(void)pthread_mutex_destroy(&stream->lock);
	free(stream);
}

enum sb_layer_packing sb_layer_stream_packing(const struct sb_layer_stream *stream)
{
	return sb_unpacking_packing(stream->unpacking);
}

void sb_layer_stream_content_digest(
	struct sb_layer_stream *stream, uint64_t offset, struct sb_digest *out)
{
	sb_content_sums_take(stream->sums, offset, out);
}

ssize_t sb_layer_stream_next(
	struct sb_layer_stream *stream, const void **out_bytes, struct sb_error *err)
{
	if (stream->is_holding)
		be_done_with(stream, &stream->n_looked_at);
	stream->is_holding = false;

	const struct piece *piece = wait_for_piece(stream, stream->n_given, true);

	if (piece == NULL) {
		if (stream->has_told_end || !sb_error_is_set(&stream->error))
			return 0;
		stream->has_told_end = true;
		sb_error_move(err, &stream->error);
		return -1;
	}
	stream->is_holding = true;
	stream->n_given++;
	stream->tar_bytes += piece->len;
	*out_bytes = piece->bytes;
	return (ssize_t)piece->len;
}

int sb_layer_stream_finish(
	struct sb_layer_stream *stream, struct sb_layer_sums *out, struct sb_error *err)
{
	const void *piece = NULL;
	SB_AUTO_ERROR blob_error = SB_ERROR_INIT;
	ssize_t n = 0;

	do
		n = sb_layer_stream_next(stream, &piece, err);
	while (n > 0);
	stop(stream);

	int rc = sb_unpacking_finish(stream->unpacking, out, &blob_error);

	if (rc < 0 && n == 0)
		sb_error_move(err, &blob_error);
	if (n < 0)
		rc = -1;
	sb_search_end(stream->search);
	sb_hasher_finish(stream->hasher, &out->diff_id);
	if (sb_unpacking_packing(stream->unpacking) == SB_PACKED_NOT)
		out->digest = out->diff_id;
	out->tar_bytes = stream->tar_bytes;
	return rc;
}
