/* SPDX-License-Identifier: MIT */
#include "inspect/search.h"

#include <string.h>

void sb_search_begin(struct sb_search *search, struct sb_scanner *scanner)
{
	search->scanner = scanner;
	search->base = search->at = 0;
	search->hits.len = 0;
	sb_scanner_begin(scanner);
}

static void add_hit(struct sb_search *search, const struct sb_leak *leak)
{
	struct sb_leak *hit = SB_ARRAY_ADD(&search->hits);

	*hit = *leak;
	hit->offset += search->base;
}

void sb_search_feed(struct sb_search *search, const void *bytes, size_t len)
{
	const char *p = bytes;
	size_t from = 0;
	struct sb_leak leak;

	while (search->hits.len < SB_SEARCH_MAX_HITS &&
		sb_scanner_feed(search->scanner, p + from, len - from, &leak)) {
		add_hit(search, &leak);

		const uint64_t next = search->base + leak.offset + 1;

		/* A find that began in an earlier piece can't be found again in this one. */
		if (next > search->at + from)
			from = (size_t)(next - search->at);
		search->base = search->at + from;
		sb_scanner_begin(search->scanner);
	}
	search->at += len;
}

void sb_search_end(struct sb_search *search)
{
	struct sb_leak leak;

	if (search->hits.len < SB_SEARCH_MAX_HITS && sb_scanner_end(search->scanner, &leak))
		add_hit(search, &leak);
}

void sb_search_release(struct sb_search *search)
{
	SB_ARRAY_RELEASE(&search->hits);
}

bool sb_search_is_repeated(const struct sb_search *search, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(search->hits.items[k].secret_id, search->hits.items[i].secret_id) == 0)
			return true;
	return false;
}
