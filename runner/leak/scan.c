/* SPDX-License-Identifier: MIT */
#include "leak/scan.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "leak/kmp.h"
#include "leak/matcher.h"
#include "leak/needles.h"
#include "leak/secret_memory.h"

/*
 * The first 64 bytes of every needle are its anchor, found by the fast matcher. A needle that is
 * longer goes on from there byte by byte in its automaton, until that falls back below the anchor's
 * length: so memory does not depend on a chunk, time is linear on any input, and of the stream only
 * as much is kept as an anchor can lack.
 */
enum { ANCHOR_BYTES = SB_MATCHER_MAX_BYTES };

SB_ARRAY_STRUCT(patterns, struct sb_pattern);

struct long_needle {
	struct sb_kmp kmp;
	const struct sb_needle *needle;
	size_t state;
	bool is_active;
	uint64_t seen; /* the automaton went over the stream up to here */
};

struct candidate {
	const struct sb_needle *needle; /* NULL: none */
	uint64_t end;
};

struct sb_scanner {
	struct sb_needles *needles;
	struct sb_secret_memory *memory;
	struct sb_matcher *strong; /* or NULL */
	struct sb_matcher *tokens; /* or NULL: a window of 4 would slow the others down */
	SB_ARRAY(struct long_needle) longs;
	uint32_t *long_of; /* by needle: index in longs + 1, or 0 */

	uint64_t total;
	uint64_t offset;      /* of the next byte to be fed */
	unsigned char *carry; /* the stream's last bytes, up to ANCHOR_BYTES; secret memory */
	size_t carry_len;
	const struct sb_needle *pending; /* a token that ends where the stream stands, or NULL */
	struct candidate best;
};

static void add_long(struct sb_scanner *scanner, uint32_t i, const struct sb_needle *needle)
{
	struct long_needle *item = SB_ARRAY_ADD(&scanner->longs);

	item->needle = needle;
	sb_kmp_init(&item->kmp, needle->bytes, needle->len);
	scanner->long_of[i] = (uint32_t)scanner->longs.len;
}

struct sb_scanner *sb_scanner_new(const struct sb_secrets *secrets)
{
	struct sb_scanner *scanner = SB_NEW(struct sb_scanner);
	struct patterns strong = {0};
	struct patterns tokens = {0};

	scanner->needles = sb_needles_new(secrets, SB_NEEDLES_SEARCH);
	scanner->memory = sb_secret_memory_new();
	scanner->carry = sb_secret_memory_alloc(scanner->memory, ANCHOR_BYTES);

	const size_t n = sb_needles_count(scanner->needles);

	scanner->long_of = sb_calloc(n + 1, sizeof(scanner->long_of[0]));
	for (uint32_t i = 0; i < n; i++) {
		const struct sb_needle *needle = sb_needles_at(scanner->needles, i);
		struct patterns *list = needle->is_whole_token ? &tokens : &strong;

		*SB_ARRAY_ADD(list) = (struct sb_pattern){
			.bytes = (const unsigned char *)needle->bytes,
			.len = needle->len < ANCHOR_BYTES ? needle->len : ANCHOR_BYTES,
			.tag = i,
		};
		if (needle->len > ANCHOR_BYTES)
			add_long(scanner, i, needle);
	}
	if (strong.len > 0)
		scanner->strong = sb_matcher_new(scanner->memory, strong.items, strong.len);
	if (tokens.len > 0)
		scanner->tokens = sb_matcher_new(scanner->memory, tokens.items, tokens.len);
	SB_ARRAY_RELEASE(&strong);
	SB_ARRAY_RELEASE(&tokens);
	return scanner;
}

void sb_scanner_free(struct sb_scanner *scanner)
{
	if (scanner == NULL)
		return;
	SB_ARRAY_FOREACH (&scanner->longs, item)
		sb_kmp_release(&item->kmp);
	SB_ARRAY_RELEASE(&scanner->longs);
	free(scanner->long_of);
	sb_matcher_free(scanner->strong);
	sb_matcher_free(scanner->tokens);
	sb_needles_free(scanner->needles);
	sb_secret_memory_free(scanner->memory);
	free(scanner);
}

bool sb_scanner_is_active(const struct sb_scanner *scanner)
{
	return sb_needles_count(scanner->needles) > 0;
}

uint64_t sb_scanner_bytes(const struct sb_scanner *scanner)
{
	return scanner->total;
}

void sb_scanner_begin(struct sb_scanner *scanner)
{
	scanner->offset = 0;
	scanner->carry_len = 0;
	scanner->pending = NULL;
	scanner->best = (struct candidate){0};
	SB_ARRAY_FOREACH (&scanner->longs, item) {
		item->is_active = false;
		item->seen = 0;
	}
}

/* Which is found first must not depend on how the stream was cut: the one that ends first. */
static void offer(struct sb_scanner *scanner, const struct sb_needle *needle, uint64_t end)
{
	if (scanner->best.needle == NULL || end < scanner->best.end)
		scanner->best = (struct candidate){.needle = needle, .end = end};
}

static void run_long(struct sb_scanner *scanner, struct long_needle *item, const char *bytes,
	size_t i, size_t len)
{
	size_t state = item->state;

	item->is_active = true;
	while (i < len) {
		state = sb_kmp_step(&item->kmp, state, bytes[i++]);
		if (state == item->kmp.len)
			offer(scanner, item->needle, scanner->offset + i);
		if (state < ANCHOR_BYTES || state == item->kmp.len) {
			item->is_active = false;
			break;
		}
	}
	item->state = state;
	item->seen = scanner->offset + i;
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
	struct sb_scanner *scanner, const struct view *view, const char *fed, size_t fed_len)
{
	struct sb_match match = {0};

	while (sb_matcher_next(scanner->strong, view->bytes, view->len, &match)) {
		const uint64_t end = view->base + match.end;

		if (match.start >= view->max_start)
			return;
		if (scanner->best.needle != NULL && view->base + match.start >= scanner->best.end)
			return;
		if (match.end < view->min_end)
			continue;
		if (scanner->long_of[match.tag] == 0) {
			offer(scanner, sb_needles_at(scanner->needles, match.tag), end);
			continue;
		}

		struct long_needle *item = &scanner->longs.items[scanner->long_of[match.tag] - 1];

		if (end <= item->seen)
			continue;
		item->state = ANCHOR_BYTES;
		run_long(scanner, item, fed, (size_t)(end - scanner->offset), fed_len);
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

static bool starts_token(
	const struct sb_scanner *scanner, const struct view *view, const struct sb_match *match)
{
	const unsigned char first = view->bytes[match->start];

	if (match->start > 0)
		return !is_joined(view->bytes[match->start - 1], first);
	if (view->base < scanner->offset || scanner->carry_len == 0)
		return true; /* the view begins with the stream: a token can't fill the carry */
	return !is_joined(scanner->carry[scanner->carry_len - 1], first);
}

static void search_tokens(struct sb_scanner *scanner, const struct view *view)
{
	struct sb_match match = {0};

	while (sb_matcher_next(scanner->tokens, view->bytes, view->len, &match)) {
		const struct sb_needle *needle = sb_needles_at(scanner->needles, match.tag);

		if (match.start >= view->max_start)
			return;
		if (scanner->best.needle != NULL && view->base + match.start >= scanner->best.end)
			return;
		if (match.end < view->min_end || !starts_token(scanner, view, &match))
			continue;
		if (match.end == view->len)
			scanner->pending = scanner->pending != NULL ? scanner->pending : needle;
		else if (!is_joined(view->bytes[match.end - 1], view->bytes[match.end]))
			offer(scanner, needle, view->base + match.end);
	}
}

static void search_piece(struct sb_scanner *scanner, const unsigned char *bytes, size_t len)
{
	const size_t ahead = len < ANCHOR_BYTES ? len : ANCHOR_BYTES;
	unsigned char seam[2 * ANCHOR_BYTES];
	const struct view views[] = {
		{seam, scanner->carry_len + ahead, scanner->offset - scanner->carry_len,
			.max_start = scanner->carry_len, .min_end = scanner->carry_len + 1},
		{bytes, len, scanner->offset, .max_start = SIZE_MAX},
	};

	memcpy(seam, scanner->carry, scanner->carry_len);
	memcpy(seam + scanner->carry_len, bytes, ahead);
	for (size_t i = scanner->carry_len > 0 ? 0 : 1; i < 2; i++) {
		if (scanner->strong != NULL)
			search_strong(scanner, &views[i], (const char *)bytes, len);
		if (scanner->tokens != NULL)
			search_tokens(scanner, &views[i]);
	}
	explicit_bzero(seam, sizeof(seam));
}

static void keep_end(struct sb_scanner *scanner, const unsigned char *bytes, size_t len)
{
	if (len >= ANCHOR_BYTES) {
		memcpy(scanner->carry, bytes + len - ANCHOR_BYTES, ANCHOR_BYTES);
		scanner->carry_len = ANCHOR_BYTES;
		return;
	}

	const size_t room = ANCHOR_BYTES - len;
	const size_t keep = scanner->carry_len < room ? scanner->carry_len : room;

	memmove(scanner->carry, scanner->carry + scanner->carry_len - keep, keep);
	memcpy(scanner->carry + keep, bytes, len);
	scanner->carry_len = keep + len;
}

static bool report(const struct sb_scanner *scanner, struct sb_leak *out_leak)
{
	const struct sb_needle *needle = scanner->best.needle;

	if (needle == NULL)
		return false;
	*out_leak = (struct sb_leak){
		.secret_id = needle->secret_id,
		.form = needle->form,
		.offset = scanner->best.end - needle->len,
	};
	return true;
}

/* The token that ended with the piece before: this piece's first byte decides. */
static void settle_pending(struct sb_scanner *scanner, unsigned char next)
{
	const struct sb_needle *needle = scanner->pending;

	if (needle == NULL)
		return;
	scanner->pending = NULL;
	if (!is_joined((unsigned char)needle->bytes[needle->len - 1], next))
		offer(scanner, needle, scanner->offset);
}

bool sb_scanner_feed(
	struct sb_scanner *scanner, const void *bytes, size_t len, struct sb_leak *out_leak)
{
	const unsigned char *p = bytes;

	if (len == 0)
		return report(scanner, out_leak);
	scanner->total += len;
	if (scanner->best.needle == NULL && sb_scanner_is_active(scanner)) {
		settle_pending(scanner, p[0]);
		SB_ARRAY_FOREACH (&scanner->longs, item)
			if (item->is_active)
				run_long(scanner, item, bytes, 0, len);
		search_piece(scanner, p, len);
		keep_end(scanner, p, len);
	}
	scanner->offset += len;
	return report(scanner, out_leak);
}

bool sb_scanner_end(struct sb_scanner *scanner, struct sb_leak *out_leak)
{
	if (scanner->pending != NULL)
		offer(scanner, scanner->pending, scanner->offset);
	scanner->pending = NULL;
	return report(scanner, out_leak);
}

bool sb_scanner_check(
	struct sb_scanner *scanner, const void *bytes, size_t len, struct sb_leak *out_leak)
{
	sb_scanner_begin(scanner);
	(void)sb_scanner_feed(scanner, bytes, len, out_leak);
	return sb_scanner_end(scanner, out_leak);
}
