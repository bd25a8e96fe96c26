/* SPDX-License-Identifier: MIT */
#include "inspect/search.h"

#include <stdlib.h>
#include <string.h>

/* Which is told must not depend on the pieces that the stream comes in, so it is the first by its
 * end, of those with one end the longest. */
static bool is_before(const struct sb_search_hit *a, const struct sb_search_hit *b)
{
	return a->end != b->end ? a->end < b->end : a->leak.offset < b->leak.offset;
}

static void on_find(void *self, const struct sb_leak *leak, uint64_t end)
{
	struct sb_search *search = self;
	const struct sb_search_hit new = {.leak = *leak, .end = end};

	SB_ARRAY_FOREACH (&search->hits, hit) {
		if (strcmp(hit->leak.secret_id, leak->secret_id) != 0)
			continue;
		if (is_before(&new, hit))
			*hit = new;
		return;
	}
	*SB_ARRAY_ADD(&search->hits) = new;
}

void sb_search_begin(struct sb_search *search, struct sb_scanner *scanner)
{
	search->scanner = scanner;
	search->hits.len = 0;
	sb_scanner_on_find(scanner, on_find, search);
	sb_scanner_begin(scanner);
}

void sb_search_feed(struct sb_search *search, const void *bytes, size_t len)
{
	struct sb_leak ignored;

	(void)sb_scanner_feed(search->scanner, bytes, len, &ignored);
}

static int compare(const void *a, const void *b)
{
	const struct sb_search_hit *x = a;
	const struct sb_search_hit *y = b;

	if (is_before(x, y) || is_before(y, x))
		return is_before(x, y) ? -1 : 1;
	return strcmp(x->leak.secret_id, y->leak.secret_id);
}

void sb_search_end(struct sb_search *search)
{
	struct sb_leak ignored;

	(void)sb_scanner_end(search->scanner, &ignored);
	if (search->hits.len > 0)
		qsort(search->hits.items, search->hits.len, sizeof(search->hits.items[0]), compare);
}

void sb_search_release(struct sb_search *search)
{
	SB_ARRAY_RELEASE(&search->hits);
}
