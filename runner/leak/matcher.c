/* SPDX-License-Identifier: MIT */
#include "leak/matcher.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum {
	HASH_BITS = 14, /* 16 KiB of shifts: half of a first-level cache */
	HASH_SIZE = 1 << HASH_BITS,
};

/* Chains go by index + 1, so that 0 is the end. */
struct node {
	struct sb_pattern pattern;
	uint32_t next;
};

struct sb_matcher {
	size_t window; /* the shortest pattern's length */
	size_t block;  /* how many bytes at the window's end are looked up */
	uint8_t *shifts;
	uint32_t *heads;
	struct node *nodes;
};

static inline uint32_t mix(uint32_t bytes)
{
	return (bytes * 0x9e3779b1U) >> (32 - HASH_BITS);
}

static inline uint32_t hash(const unsigned char *p, size_t block)
{
	const uint32_t two = (uint32_t)p[0] | (uint32_t)p[1] << 8;

	return mix(block == 2 ? two : two | (uint32_t)p[2] << 16);
}

static void add_pattern(struct sb_matcher *m, const struct sb_pattern *pattern, uint32_t i)
{
	const size_t last = m->window - m->block;

	for (size_t at = 0; at <= last; at++) {
		uint8_t *shift = &m->shifts[hash(pattern->bytes + at, m->block)];

		if (last - at < *shift)
			*shift = (uint8_t)(last - at);
	}

	uint32_t *head = &m->heads[hash(pattern->bytes + last, m->block)];

	m->nodes[i] = (struct node){.pattern = *pattern, .next = *head};
	*head = i + 1;
}

struct sb_matcher *sb_matcher_new(
	struct sb_secret_memory *memory, const struct sb_pattern *patterns, size_t n)
{
	struct sb_matcher *m = SB_NEW(struct sb_matcher);

	SB_BUG_ON(n == 0 || n >= UINT32_MAX);
	m->window = SB_MATCHER_MAX_BYTES;
	for (size_t i = 0; i < n; i++) {
		SB_BUG_ON(patterns[i].len < SB_MATCHER_MIN_BYTES ||
			  patterns[i].len > SB_MATCHER_MAX_BYTES);
		if (patterns[i].len < m->window)
			m->window = patterns[i].len;
	}
	/* Three bytes are rarer in text than two, and cost one byte of the largest jump. */
	m->block = m->window < 6 ? 2 : 3;
	m->shifts = sb_secret_memory_alloc(memory, HASH_SIZE);
	m->heads = sb_secret_memory_alloc(memory, HASH_SIZE * sizeof(m->heads[0]));
	m->nodes = sb_secret_memory_alloc(memory, n * sizeof(m->nodes[0]));
	memset(m->shifts, (int)(m->window - m->block + 1), HASH_SIZE);
	/* From the last, so that a chain lists the patterns in the caller's order. */
	for (size_t i = n; i-- > 0;)
		add_pattern(m, &patterns[i], (uint32_t)i);
	return m;
}

void sb_matcher_free(struct sb_matcher *matcher)
{
	free(matcher);
}

/* The next window start at or after `at` whose last bytes end some pattern's beginning, or len. */
static inline size_t skip(
	const struct sb_matcher *m, const unsigned char *bytes, size_t len, size_t at, size_t block)
{
	const uint8_t *shifts = m->shifts;
	const size_t last = m->window - block;

	while (at + m->window <= len) {
		const size_t shift = shifts[hash(bytes + at + last, block)];

		if (shift == 0)
			return at;
		at += shift;
	}
	return len;
}

static bool next_in_chain(
	const struct sb_matcher *m, const unsigned char *bytes, size_t len, struct sb_match *match)
{
	while (match->next != 0) {
		const struct node *node = &m->nodes[match->next - 1];

		match->next = node->next;
		if (node->pattern.len > len - match->at ||
			memcmp(bytes + match->at, node->pattern.bytes, node->pattern.len) != 0)
			continue;
		match->start = match->at;
		match->end = match->at + node->pattern.len;
		match->tag = node->pattern.tag;
		if (match->next == 0)
			match->at++;
		return true;
	}
	match->at++;
	return false;
}

bool sb_matcher_next(const struct sb_matcher *matcher, const unsigned char *bytes, size_t len,
	struct sb_match *match)
{
	if (match->next != 0 && next_in_chain(matcher, bytes, len, match))
		return true;
	for (;;) {
		match->at = matcher->block == 2 ? skip(matcher, bytes, len, match->at, 2)
						: skip(matcher, bytes, len, match->at, 3);
		if (match->at >= len)
			return false;

		const unsigned char *last = bytes + match->at + matcher->window - matcher->block;

		match->next = matcher->heads[hash(last, matcher->block)];
		if (next_in_chain(matcher, bytes, len, match))
			return true;
	}
}
