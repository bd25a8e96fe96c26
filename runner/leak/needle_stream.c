/* SPDX-License-Identifier: MIT */
#include "leak/needle_stream.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "leak/kmp.h"
#include "leak/matcher.h"

/*
 * The first 64 bytes of every needle are its anchor, found by the fast matcher. A needle that is
 * longer goes on from there byte by byte in its automaton, until that falls back below the anchor's
 * length: so memory does not depend on a chunk, time is linear on any input, and of the stream only
 * as much is kept as an anchor can lack. The automaton is made when the first anchor is met, which
 * is hardly ever, and belongs to the stream: the tables stay read-only.
 */
enum { ANCHOR_BYTES = SB_MATCHER_MAX_BYTES };

SB_ARRAY_STRUCT(patterns, struct sb_pattern);

struct sb_needle_tables {
	const struct sb_needles *needles;
	struct sb_matcher *strong; /* or NULL */
	struct sb_matcher *tokens; /* or NULL: a window of 4 would slow the others down */
	uint32_t *long_of;         /* by needle: its place among the long ones + 1, or 0 */
	size_t n_longs;
	size_t shortest;
	size_t longest;
};

struct long_needle {
	struct sb_kmp kmp; /* made when first needed */
	const struct sb_needle *needle;
	size_t state;
	bool is_active;
	uint64_t seen; /* the automaton went over the stream up to here */
};

struct sb_needle_stream {
	const struct sb_needle_tables *tables;
	struct sb_secret_memory *memory;
	struct long_needle *longs;
	size_t n_active;      /* of the long ones */
	bool has_longs;       /* one was met since begin */
	uint64_t offset;      /* of the next byte to be fed */
	unsigned char *carry; /* the stream's last bytes, up to ANCHOR_BYTES; secret memory */
	size_t carry_len;
	SB_ARRAY(const struct sb_needle *) pending; /* tokens that end where the stream stands */
	struct sb_needle_find best;
	sb_needle_fn on_find; /* or NULL */
	void *self;
};

static void note_needle(struct sb_needle_tables *tables, uint32_t i, const struct sb_needle *needle)
{
	if (tables->shortest == 0 || needle->len < tables->shortest)
		tables->shortest = needle->len;
	if (needle->len > tables->longest)
		tables->longest = needle->len;
	if (needle->len > ANCHOR_BYTES)
		tables->long_of[i] = (uint32_t)++tables->n_longs;
}

struct sb_needle_tables *sb_needle_tables_new(struct sb_secret_memory *memory,
	const struct sb_needles *needles, bool (*is_wanted)(const struct sb_needle *needle))
{
	struct sb_needle_tables *tables = SB_NEW(struct sb_needle_tables);
	struct patterns strong = {0};
	struct patterns tokens = {0};
	const size_t n = sb_needles_count(needles);

	tables->needles = needles;
	tables->long_of = sb_calloc(n + 1, sizeof(tables->long_of[0]));
	for (uint32_t i = 0; i < n; i++) {
		const struct sb_needle *needle = sb_needles_at(needles, i);
		struct patterns *list = needle->is_whole_token ? &tokens : &strong;

		if (is_wanted != NULL && !is_wanted(needle))
			continue;
		*SB_ARRAY_ADD(list) = (struct sb_pattern){
			.bytes = (const unsigned char *)needle->bytes,
			.len = needle->len < ANCHOR_BYTES ? needle->len : ANCHOR_BYTES,
			.tag = i,
		};
		note_needle(tables, i, needle);
	}
	if (strong.len > 0)
		tables->strong = sb_matcher_new(memory, strong.items, strong.len);
	if (tokens.len > 0)
		tables->tokens = sb_matcher_new(memory, tokens.items, tokens.len);
	SB_ARRAY_RELEASE(&strong);
	SB_ARRAY_RELEASE(&tokens);
	return tables;
}

void sb_needle_tables_free(struct sb_needle_tables *tables)
{
	if (tables == NULL)
		return;
	sb_matcher_free(tables->strong);
	sb_matcher_free(tables->tokens);
	free(tables->long_of);
	free(tables);
}

size_t sb_needle_tables_shortest(const struct sb_needle_tables *tables)
{
	return tables->shortest;
}

size_t sb_needle_tables_longest(const struct sb_needle_tables *tables)
{
	return tables->longest;
}

struct sb_needle_stream *sb_needle_stream_new(const struct sb_needle_tables *tables)
{
	struct sb_needle_stream *stream = SB_NEW(struct sb_needle_stream);

	stream->tables = tables;
	stream->memory = sb_secret_memory_new();
	stream->carry = sb_secret_memory_alloc(stream->memory, ANCHOR_BYTES);
	stream->longs = sb_calloc(tables->n_longs + 1, sizeof(stream->longs[0]));
	return stream;
}

void sb_needle_stream_free(struct sb_needle_stream *stream)
{
	if (stream == NULL)
		return;
	for (size_t i = 0; i < stream->tables->n_longs; i++)
		sb_kmp_release(&stream->longs[i].kmp);
	SB_ARRAY_RELEASE(&stream->pending);
	free(stream->longs);
	sb_secret_memory_free(stream->memory);
	free(stream);
}

void sb_needle_stream_on_find(struct sb_needle_stream *stream, sb_needle_fn on_find, void *self)
{
	stream->on_find = on_find;
	stream->self = self;
}

void sb_needle_stream_begin(struct sb_needle_stream *stream)
{
	stream->offset = 0;
	stream->carry_len = 0;
	stream->pending.len = 0;
	stream->best = (struct sb_needle_find){0};
	for (size_t i = 0; stream->has_longs && i < stream->tables->n_longs; i++) {
		stream->longs[i].is_active = false;
		stream->longs[i].seen = 0;
	}
	stream->n_active = 0;
	stream->has_longs = false;
}

/* Which is found first must not depend on how the stream was cut: the one that ends first. */
static void offer(struct sb_needle_stream *stream, const struct sb_needle *needle, uint64_t end)
{
	if (stream->on_find != NULL)
		stream->on_find(stream->self, needle, end);
	else if (stream->best.needle == NULL || end < stream->best.end)
		stream->best = (struct sb_needle_find){.needle = needle, .end = end};
}

static void run_long(struct sb_needle_stream *stream, struct long_needle *item, const char *bytes,
	size_t i, size_t len)
{
	size_t state = item->state;

	if (item->kmp.len == 0)
		sb_kmp_init(&item->kmp, item->needle->bytes, item->needle->len);
	stream->n_active += !item->is_active;
	stream->has_longs = true;
	item->is_active = true;
	while (i < len) {
		state = sb_kmp_step(&item->kmp, state, bytes[i++]);
		if (state == item->kmp.len)
			offer(stream, item->needle, stream->offset + i);
		if (state < ANCHOR_BYTES || state == item->kmp.len) {
			item->is_active = false;
			stream->n_active--;
			break;
		}
	}
	item->state = state;
	item->seen = stream->offset + i;
}

/* What is searched in one go: the piece that was fed, or the end of the one before it with this
 * one's beginning. `base` is the stream offset of its first byte. */
struct view {
	const unsigned char *bytes;
	size_t len;
	uint64_t base;
	size_t max_start; /* matches that begin at or after this belong to another view */
	size_t min_end;   /* matches that end before this were seen already */
};

static void search_strong(
	struct sb_needle_stream *stream, const struct view *view, const char *fed, size_t fed_len)
{
	struct sb_match match = {0};

	while (sb_matcher_next(stream->tables->strong, view->bytes, view->len, &match)) {
		const uint64_t end = view->base + match.end;

		if (match.start >= view->max_start)
			return;
		if (stream->best.needle != NULL && view->base + match.start >= stream->best.end)
			return;
		if (match.end < view->min_end)
			continue;
		if (stream->tables->long_of[match.tag] == 0) {
			offer(stream, sb_needles_at(stream->tables->needles, match.tag), end);
			continue;
		}

		struct long_needle *item = &stream->longs[stream->tables->long_of[match.tag] - 1];

		if (end <= item->seen)
			continue;
		item->needle = sb_needles_at(stream->tables->needles, match.tag);
		item->state = ANCHOR_BYTES;
		run_long(stream, item, fed, (size_t)(end - stream->offset), fed_len);
	}
}

static bool is_word_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Two bytes that adjoin are of one token when both are letters or digits. */
static bool is_joined(unsigned char a, unsigned char b)
{
	return is_word_byte(a) && is_word_byte(b);
}

static bool starts_token(const struct sb_needle_stream *stream, const struct view *view,
	const struct sb_match *match)
{
	const unsigned char first = view->bytes[match->start];

	if (match->start > 0)
		return !is_joined(view->bytes[match->start - 1], first);
	if (view->base < stream->offset || stream->carry_len == 0)
		return true; /* the view begins with the stream: a token can't fill the carry */
	return !is_joined(stream->carry[stream->carry_len - 1], first);
}

static void search_tokens(struct sb_needle_stream *stream, const struct view *view)
{
	struct sb_match match = {0};

	while (sb_matcher_next(stream->tables->tokens, view->bytes, view->len, &match)) {
		const struct sb_needle *needle = sb_needles_at(stream->tables->needles, match.tag);

		if (match.start >= view->max_start)
			return;
		if (stream->best.needle != NULL && view->base + match.start >= stream->best.end)
			return;
		if (match.end < view->min_end || !starts_token(stream, view, &match))
			continue;
		if (match.end == view->len)
			*SB_ARRAY_ADD(&stream->pending) = needle;
		else if (!is_joined(view->bytes[match.end - 1], view->bytes[match.end]))
			offer(stream, needle, view->base + match.end);
	}
}

static void search_view(
	struct sb_needle_stream *stream, const struct view *view, const void *fed, size_t fed_len)
{
	if (stream->tables->strong != NULL)
		search_strong(stream, view, fed, fed_len);
	if (stream->tables->tokens != NULL)
		search_tokens(stream, view);
}

/* The end of the piece before with this one's beginning. */
static void search_seam(struct sb_needle_stream *stream, const unsigned char *bytes, size_t len)
{
	const size_t ahead = len < ANCHOR_BYTES ? len : ANCHOR_BYTES;
	unsigned char seam[2 * ANCHOR_BYTES];
	const struct view view = {seam, stream->carry_len + ahead,
		stream->offset - stream->carry_len, .max_start = stream->carry_len,
		.min_end = stream->carry_len + 1};

	memcpy(seam, stream->carry, stream->carry_len);
	memcpy(seam + stream->carry_len, bytes, ahead);
	search_view(stream, &view, bytes, len);
	explicit_bzero(seam, sizeof(seam));
}

static void keep_end(struct sb_needle_stream *stream, const unsigned char *bytes, size_t len)
{
	if (len >= ANCHOR_BYTES) {
		memcpy(stream->carry, bytes + len - ANCHOR_BYTES, ANCHOR_BYTES);
		stream->carry_len = ANCHOR_BYTES;
		return;
	}

	const size_t room = ANCHOR_BYTES - len;
	const size_t keep = stream->carry_len < room ? stream->carry_len : room;

	memmove(stream->carry, stream->carry + stream->carry_len - keep, keep);
	memcpy(stream->carry + keep, bytes, len);
	stream->carry_len = keep + len;
}

/* The tokens that ended with the piece before: this piece's first byte decides. */
static void settle_pending(struct sb_needle_stream *stream, unsigned char next)
{
	SB_ARRAY_FOREACH (&stream->pending, needle)
		if (!is_joined((unsigned char)(*needle)->bytes[(*needle)->len - 1], next))
			offer(stream, *needle, stream->offset);
	stream->pending.len = 0;
}

void sb_needle_stream_feed(struct sb_needle_stream *stream, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	if (len == 0)
		return;
	if (stream->best.needle == NULL && stream->tables->shortest > 0) {
		settle_pending(stream, p[0]);
		for (size_t i = 0; stream->n_active > 0 && i < stream->tables->n_longs; i++)
			if (stream->longs[i].is_active)
				run_long(stream, &stream->longs[i], bytes, 0, len);
		if (stream->carry_len > 0)
			search_seam(stream, p, len);
		search_view(stream,
			&(const struct view){p, len, stream->offset, .max_start = SIZE_MAX}, p,
			len);
		keep_end(stream, p, len);
	}
	stream->offset += len;
}

void sb_needle_stream_end(struct sb_needle_stream *stream)
{
	SB_ARRAY_FOREACH (&stream->pending, needle)
		offer(stream, *needle, stream->offset);
	stream->pending.len = 0;
}

struct sb_needle_find sb_needle_stream_found(const struct sb_needle_stream *stream)
{
	return stream->best;
}
