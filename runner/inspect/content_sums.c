/* SPDX-License-Identifier: MIT */
#include "inspect/content_sums.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "sys/mutex.h"

struct sum {
	uint64_t offset; /* of the content in the tar */
	struct sb_digest digest;
};

struct sb_content_sums {
	struct sb_tar_source source;
	struct sb_hasher *all;
	struct sb_hasher *content;
	struct sb_tar_reader *tar;
	const char *unhashed; /* of the source's last piece, what was not added to `all` yet */
	size_t n_unhashed;
	pthread_mutex_t lock; /* of what follows */
	SB_ARRAY(struct sum) done;
	size_t n_taken; /* of these */
};

/* Up to a place in the piece. */
static void hash_up_to(struct sb_content_sums *sums, const char *to)
{
	const size_t len = (size_t)(to - sums->unhashed);

	if (sums->all != NULL && len > 0)
		sb_hasher_add(sums->all, sums->unhashed, len);
	sums->unhashed += len;
	sums->n_unhashed -= len;
}

static void hash_piece(struct sb_content_sums *sums)
{
	if (sums->n_unhashed > 0)
		hash_up_to(sums, sums->unhashed + sums->n_unhashed);
}

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	struct sb_content_sums *sums = self;

	hash_piece(sums);

	const ssize_t n = sums->source.next(sums->source.self, out_bytes, err);

	sums->unhashed = n > 0 ? *out_bytes : NULL;
	sums->n_unhashed = n > 0 ? (size_t)n : 0;
	return n;
}

struct sb_content_sums *sb_content_sums_new(
	const struct sb_tar_source *source, struct sb_hasher *all)
{
	struct sb_content_sums *sums = SB_NEW(struct sb_content_sums);
	const struct sb_tar_source pieces = {next_piece, sums};

	sums->source = *source;
	sums->all = all;
	sums->content = sb_hasher_new();
	sums->tar = sb_tar_reader_new(&pieces);
	SB_BUG_ON(pthread_mutex_init(&sums->lock, NULL) != 0);
	return sums;
}

void sb_content_sums_free(struct sb_content_sums *sums)
{
	if (sums == NULL)
		return;
	sb_hasher_free(sums->content);
	sb_tar_reader_free(sums->tar);
	SB_ARRAY_RELEASE(&sums->done);
	(void)pthread_mutex_destroy(&sums->lock);
	free(sums);
}

/* Adds bytes of the piece to the content's sum and to that of all. */
static void hash_content(struct sb_content_sums *sums, const void *bytes, size_t len)
{
	if (sums->all == NULL) {
		sb_hasher_add(sums->content, bytes, len);
		return;
	}
	hash_up_to(sums, bytes);
	SB_BUG_ON(len > sums->n_unhashed);
	sb_hasher_add_to_both(sums->all, sums->content, bytes, len);
	sums->unhashed += len;
	sums->n_unhashed -= len;
}

static void hash_zeros(struct sb_content_sums *sums, uint64_t len)
{
	static const char zeros[4096];

	for (uint64_t left = len; left > 0;) {
		const size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		sb_hasher_add(sums->content, zeros, n);
		left -= n;
	}
}

/* With the lock. */
static void forget_taken(struct sb_content_sums *sums)
{
	sums->done.len -= sums->n_taken;
	if (sums->done.len > 0)
		memmove(sums->done.items, sums->done.items + sums->n_taken,
			sums->done.len * sizeof(sums->done.items[0]));
	sums->n_taken = 0;
}

static void add_sum(struct sb_content_sums *sums, const struct sum *sum)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&sums->lock);

	if (2 * sums->n_taken >= sums->done.len)
		forget_taken(sums);
	*SB_ARRAY_ADD(&sums->done) = *sum;
}

static int sum_up(
	struct sb_content_sums *sums, const struct sb_tar_entry *entry, struct sb_error *err)
{
	struct sum sum = {.offset = sb_tar_reader_offset(sums->tar)};
	uint64_t holes_left = SB_MAX_HOLE_BYTES;
	uint64_t done = 0;
	bool is_whole = true;
	ssize_t n = 0;

	do {
		const void *bytes = NULL;
		uint64_t at = entry->real_bytes;

		n = sb_tar_reader_data(sums->tar, &bytes, &at, err);
		if (n < 0)
			return -1;
		if (n == 0)
			at = entry->real_bytes;
		is_whole = is_whole && (at <= done || at - done <= holes_left);
		if (is_whole && at > done) {
			hash_zeros(sums, at - done);
			holes_left -= at - done;
		}
		if (n > 0)
			hash_content(sums, bytes, (size_t)n);
		done = at + (uint64_t)n;
	} while (n > 0);
	sb_hasher_finish(sums->content, &sum.digest);
	if (!is_whole)
		sum.digest = (struct sb_digest){0};
	add_sum(sums, &sum);
	return 0;
}

/* What has content is a file, or hides it where nobody looks. */
static bool has_content(const struct sb_tar_entry *entry)
{
	return entry->stored_bytes > 0 || entry->type < '1' || entry->type > '6';
}

static int read_entries(struct sb_content_sums *sums, struct sb_error *err)
{
	const struct sb_tar_entry *entry = NULL;
	struct sb_tar_region padding;

	for (;;) {
		if (sb_tar_reader_next(sums->tar, &entry, err) < 0)
			return -1;
		if (entry == NULL)
			return 0;
		if (has_content(entry) &&
			(sum_up(sums, entry, err) < 0 ||
				sb_tar_reader_padding(sums->tar, &padding, err) < 0))
			return -1;
	}
}

void sb_content_sums_run(struct sb_content_sums *sums)
{
	SB_AUTO_ERROR met = SB_ERROR_INIT;
	const void *ignored = NULL;

	if (read_entries(sums, &met) < 0)
		sb_error_ignore(&met, "the reader of the tar meets it");
	while (next_piece(sums, &ignored, &met) > 0)
		;
	hash_piece(sums);
}

void sb_content_sums_take(struct sb_content_sums *sums, uint64_t offset, struct sb_digest *out)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&sums->lock);
	const struct sum *sum = NULL;

	*out = (struct sb_digest){0};
	while (sums->n_taken < sums->done.len) {
		sum = &sums->done.items[sums->n_taken];
		if (sum->offset > offset)
			return;
		sums->n_taken++;
		if (sum->offset == offset) {
			*out = sum->digest;
			return;
		}
	}
}
