/* SPDX-License-Identifier: MIT */
#include "leak/redact_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	SHORT_SEED = 16, /* of encoded text: 8 bytes of the value at least */
	LONG_SEED = SB_REDACT_SEED_MAX,
	MAX_DENSE_BYTES = 256,
	MAX_PLACES = 512,
	MIN_DISTINCT = 6, /* characters of a seed: zeros in base64 are nobody's */
	FILTER_LOG = 16,
	PREFIX_BYTES = 4,
};

static void add_string(
	struct sb_redact_known *known, size_t order, size_t at, size_t len, bool is_seed)
{
	const struct sb_needle *needle = sb_needles_at(known->needles, order);

	*SB_ARRAY_ADD(&known->strings) = (struct sb_redact_string){
		.bytes = (const unsigned char *)needle->bytes + at,
		.len = len,
		.needle = needle,
		.at = at,
		.order = (uint32_t)order,
		.is_seed = is_seed,
	};
	if (is_seed && (known->shortest_seed == 0 || len < known->shortest_seed))
		known->shortest_seed = len;
}

static bool is_telling(const char *bytes, size_t len)
{
	bool has[256] = {false};
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		n += !has[(unsigned char)bytes[i]];
		has[(unsigned char)bytes[i]] = true;
	}
	return n >= MIN_DISTINCT;
}

static void add_first_seed(struct sb_redact_known *known, size_t order, size_t len)
{
	const struct sb_needle *needle = sb_needles_at(known->needles, order);

	while (len < LONG_SEED && !is_telling(needle->bytes, len < needle->len ? len : needle->len))
		len++;
	add_string(known, order, 0, len < needle->len ? len : needle->len, true);
}

static void add_long_seed(struct sb_redact_known *known, size_t order, size_t at)
{
	if (is_telling(sb_needles_at(known->needles, order)->bytes + at, LONG_SEED))
		add_string(known, order, at, LONG_SEED, true);
}

static void add_seeds(struct sb_redact_known *known, size_t order)
{
	const struct sb_needle *needle = sb_needles_at(known->needles, order);
	const size_t len = needle->len;

	add_first_seed(known, order, needle->is_raw ? LONG_SEED : SHORT_SEED);
	if (needle->is_raw)
		return;
	if (needle->is_base64 && len <= MAX_DENSE_BYTES) {
		for (size_t at = 1; at + SHORT_SEED <= len; at++)
			add_string(known, order, at, SHORT_SEED, true);
		return;
	}

	/* Of base64 of base64 there are many needles. */
	const size_t least = needle->is_base64 ? SHORT_SEED : (size_t)4 * SHORT_SEED;
	const size_t apart = len / MAX_PLACES > least ? len / MAX_PLACES : least;

	for (size_t at = apart; at + LONG_SEED < len; at += apart)
		add_long_seed(known, order, at);
	if (len > LONG_SEED)
		add_long_seed(known, order, len - LONG_SEED);
}

static void add_needle(struct sb_redact_known *known, size_t order)
{
	const struct sb_needle *needle = sb_needles_at(known->needles, order);
	const size_t len = needle->len;

	if (needle->is_wrappable) {
		add_seeds(known, order);
		return;
	}
	add_string(known, order, 0, len < SB_MATCHER_MAX_BYTES ? len : SB_MATCHER_MAX_BYTES, false);
	if (len > known->longest_whole)
		known->longest_whole = len;
}

static int compare(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
	const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : a_len < b_len ? -1 : a_len > b_len;
}

static int by_bytes(const void *a, const void *b)
{
	const struct sb_redact_string *x = *(const struct sb_redact_string *const *)a;
	const struct sb_redact_string *y = *(const struct sb_redact_string *const *)b;

	return compare(x->bytes, x->len, y->bytes, y->len);
}

static size_t hash(const unsigned char *bytes)
{
	uint32_t word = 0;

	memcpy(&word, bytes, PREFIX_BYTES);
	return word * 0x9e3779b1U >> (32 - FILTER_LOG);
}

static void make_prefixes(
	const struct sb_redact_known *known, bool has_all, struct sb_redact_prefixes *out)
{
	out->filter = sb_secret_memory_alloc(known->memory, (size_t)1 << FILTER_LOG >> 3);
	SB_ARRAY_FOREACH (&known->strings, string) {
		if (!has_all && !string->is_seed)
			continue;
		*SB_ARRAY_ADD(&out->sorted) = string;
		out->begins[string->bytes[0]] = true;
		if (string->len >= PREFIX_BYTES)
			out->filter[hash(string->bytes) >> 6] |= (uint64_t)1
								 << (hash(string->bytes) & 63);
	}
	if (out->sorted.len > 0)
		qsort(out->sorted.items, out->sorted.len, sizeof(out->sorted.items[0]), by_bytes);
}

bool sb_redact_begins(const struct sb_redact_prefixes *prefixes, const void *bytes, size_t len)
{
	const unsigned char *wanted = bytes;
	size_t low = 0;
	size_t high = prefixes->sorted.len;

	if (!prefixes->begins[wanted[0]] ||
		(len >= PREFIX_BYTES &&
			(prefixes->filter[hash(wanted) >> 6] >> (hash(wanted) & 63) & 1) == 0))
		return false;
	/* The first that comes after the bytes; all that begin with them follow one another. */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct sb_redact_string *string = prefixes->sorted.items[middle];

		if (compare(string->bytes, string->len, wanted, len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < prefixes->sorted.len && prefixes->sorted.items[low]->len > len &&
	       memcmp(prefixes->sorted.items[low]->bytes, wanted, len) == 0;
}

struct sb_redact_known *sb_redact_known_new(const struct sb_secrets *secrets)
{
	struct sb_redact_known *known = SB_NEW(struct sb_redact_known);

	known->needles = sb_needles_new(secrets, SB_NEEDLES_OUTPUT);
	known->memory = sb_secret_memory_new();
	for (size_t i = 0; i < sb_needles_count(known->needles); i++)
		add_needle(known, i);
	make_prefixes(known, true, &known->all);
	make_prefixes(known, false, &known->seeds);
	if (known->strings.len == 0)
		return known;

	const size_t n = known->strings.len;
	sb_autofree struct sb_pattern *patterns = sb_calloc(n, sizeof(*patterns));

	for (size_t i = 0; i < n; i++)
		patterns[i] = (struct sb_pattern){.bytes = known->strings.items[i].bytes,
			.len = known->strings.items[i].len,
			.tag = (uint32_t)i};
	known->matcher = sb_matcher_new(known->memory, patterns, n);
	return known;
}

void sb_redact_known_free(struct sb_redact_known *known)
{
	if (known == NULL)
		return;
	SB_ARRAY_RELEASE(&known->all.sorted);
	SB_ARRAY_RELEASE(&known->seeds.sorted);
	SB_ARRAY_RELEASE(&known->strings);
	sb_matcher_free(known->matcher);
	sb_needles_free(known->needles);
	sb_secret_memory_free(known->memory);
	free(known);
}
