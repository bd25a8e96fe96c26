/* SPDX-License-Identifier: MIT */
#include "leak/matcher.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum {
	MAX_BLOCK = 4,
	MAX_STRIDE = 32,
	MAX_ENTRIES = 1 << 17, /* 4 MiB of them */
	BITS_PER_ENTRY_LOG = 6,
	MIN_FILTER_LOG = 15, /* 4 KiB */
	MAX_FILTER_LOG = 23, /* 1 MiB: half of a second-level cache */
	WORD_BITS_LOG = 5,
	AT_ONCE = 4,
};

/* One block of one pattern. Chains go by index + 1, so that 0 is the end. */
struct entry {
	const unsigned char *bytes; /* of the pattern */
	uint32_t tag;
	uint32_t next;
	uint8_t len;
	uint8_t offset; /* of the block in the pattern */
};

struct sb_matcher {
	size_t block;
	size_t stride;
	unsigned filter_shift;
	unsigned head_shift;
	uint32_t *filter; /* a bit for each hash that some block has */
	uint32_t *heads;
	struct entry *entries;
	size_t n_entries;
};

static inline uint32_t load(const unsigned char *p, size_t block)
{
	uint32_t bytes = 0;

	if (block == MAX_BLOCK)
		memcpy(&bytes, p, MAX_BLOCK);
	else
		bytes = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
	return bytes;
}

static inline uint32_t hash(const unsigned char *p, size_t block)
{
	return load(p, block) * 0x9e3779b1U;
}

static inline uint32_t is_possible(const struct sb_matcher *m, uint32_t hashed)
{
	const uint32_t bit = hashed >> m->filter_shift;

	return m->filter[bit >> WORD_BITS_LOG] >> (bit & 31) & 1;
}

static void add_block(struct sb_matcher *m, const struct sb_pattern *pattern, size_t offset)
{
	const uint32_t hashed = hash(pattern->bytes + offset, m->block);
	const uint32_t bit = hashed >> m->filter_shift;
	uint32_t *head = &m->heads[hashed >> m->head_shift];

	m->filter[bit >> WORD_BITS_LOG] |= 1U << (bit & 31);
	m->entries[m->n_entries++] = (struct entry){
		.bytes = pattern->bytes,
		.tag = pattern->tag,
		.next = *head,
		.len = (uint8_t)pattern->len,
		.offset = (uint8_t)offset,
	};
	*head = (uint32_t)m->n_entries;
}

static unsigned log2_at_least(size_t n)
{
	unsigned log = 0;

	while ((size_t)1 << log < n)
		log++;
	return log;
}

static unsigned clamp(unsigned n, unsigned least, unsigned most)
{
	return n < least ? least : n > most ? most : n;
}

static size_t shortest(const struct sb_pattern *patterns, size_t n)
{
	size_t len = SB_MATCHER_MAX_BYTES;

	for (size_t i = 0; i < n; i++) {
		SB_BUG_ON(patterns[i].len < SB_MATCHER_MIN_BYTES ||
			  patterns[i].len > SB_MATCHER_MAX_BYTES);
		if (patterns[i].len < len)
			len = patterns[i].len;
	}
	return len;
}

/* Whatever is `window` long holds a whole block at a multiple of the stride, wherever it begins. */
static void choose_stride(struct sb_matcher *m, size_t window, size_t n)
{
	m->block = window < 7 ? MAX_BLOCK - 1 : MAX_BLOCK;
	m->stride = window - m->block + 1;
	if (m->stride > MAX_STRIDE)
		m->stride = MAX_STRIDE;
	while (m->stride > 1 && m->stride * n > MAX_ENTRIES)
		m->stride--;
}

struct sb_matcher *sb_matcher_new(
	struct sb_secret_memory *memory, const struct sb_pattern *patterns, size_t n)
{
	struct sb_matcher *m = SB_NEW(struct sb_matcher);

	SB_BUG_ON(n == 0 || n >= UINT32_MAX / MAX_STRIDE);
	choose_stride(m, shortest(patterns, n), n);

	const unsigned log = log2_at_least(n * m->stride);
	const unsigned filter_log = clamp(log + BITS_PER_ENTRY_LOG, MIN_FILTER_LOG, MAX_FILTER_LOG);

	m->filter_shift = 32 - filter_log;
	m->head_shift = 32 - clamp(log + 1, 1, 31);
	m->filter = sb_secret_memory_alloc(memory, (size_t)1 << filter_log >> 3);
	m->heads = sb_secret_memory_alloc(
		memory, ((size_t)1 << (32 - m->head_shift)) * sizeof(m->heads[0]));
	m->entries = sb_secret_memory_alloc(memory, n * m->stride * sizeof(m->entries[0]));
	/* A chain begins with what was added last: the block farthest from its pattern's beginning,
	 * as that pattern begins first, and the caller's order among equals. */
	for (size_t offset = 0; offset < m->stride; offset++)
		for (size_t i = n; i-- > 0;)
			add_block(m, &patterns[i], offset);
	return m;
}

void sb_matcher_free(struct sb_matcher *matcher)
{
	free(matcher);
}

/* The first place at or after `at`, in strides, whose block may be a pattern's; or SIZE_MAX. The
 * lookups of a round don't depend on each other, so that the processor makes them at once. */
static inline size_t skip(
	const struct sb_matcher *m, const unsigned char *bytes, size_t len, size_t at, size_t block)
{
	const size_t stride = m->stride;

	while (at + (AT_ONCE - 1) * stride + block <= len) {
		const unsigned char *p = bytes + at;

		__builtin_prefetch(p + 1024);
		__builtin_prefetch(p + 1024 + 64);

		const uint32_t hits = is_possible(m, hash(p, block)) |
				      is_possible(m, hash(p + stride, block)) << 1 |
				      is_possible(m, hash(p + 2 * stride, block)) << 2 |
				      is_possible(m, hash(p + 3 * stride, block)) << 3;

		if (hits != 0)
			return at + (size_t)__builtin_ctz(hits) * stride;
		at += AT_ONCE * stride;
	}
	for (; at + block <= len; at += stride)
		if (is_possible(m, hash(bytes + at, block)))
			return at;
	return SIZE_MAX;
}

/* The next pattern of the chain that stands around the block at match->at. */
static bool next_in_chain(
	const struct sb_matcher *m, const unsigned char *bytes, size_t len, struct sb_match *match)
{
	while (match->next != 0) {
		const struct entry *entry = &m->entries[match->next - 1];
		const size_t start = match->at - entry->offset;

		match->next = entry->next;
		if (entry->offset > match->at || entry->len > len - start ||
			memcmp(bytes + match->at, entry->bytes + entry->offset, MAX_BLOCK - 1) !=
				0 ||
			memcmp(bytes + start, entry->bytes, entry->len) != 0)
			continue;
		match->start = start;
		match->end = start + entry->len;
		match->tag = entry->tag;
		if (match->next == 0)
			match->at += m->stride;
		return true;
	}
	match->at += m->stride;
	return false;
}

bool sb_matcher_next(const struct sb_matcher *matcher, const unsigned char *bytes, size_t len,
	struct sb_match *match)
{
	if (match->next != 0 && next_in_chain(matcher, bytes, len, match))
		return true;
	for (;;) {
		match->at = matcher->block == MAX_BLOCK
				    ? skip(matcher, bytes, len, match->at, MAX_BLOCK)
				    : skip(matcher, bytes, len, match->at, MAX_BLOCK - 1);
		if (match->at == SIZE_MAX)
			return false;
		match->next = matcher->heads[hash(bytes + match->at, matcher->block) >>
					     matcher->head_shift];
		if (match->next == 0)
			match->at += matcher->stride;
		else if (next_in_chain(matcher, bytes, len, match))
			return true;
	}
}
