/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/mem.h"
#include "leak/hyperscan.h"
#include "leak/pattern_names.h"
#include "leak/pattern_rule.h"
#include "leak/pattern_text.h"

/*
 * A stream is searched in blocks of its own, whatever the pieces it comes in, so that its hits
 * don't depend on them. Around a block stands what verifying looks at: a mark counts once it has
 * AFTER bytes behind it, or the stream's end.
 */
enum { BEFORE_BYTES = 1024, AFTER_BYTES = 16 * 1024, BLOCK_BYTES = 240 * 1024 };
enum { CAP_BYTES = BEFORE_BYTES + BLOCK_BYTES + AFTER_BYTES, MAX_MARK_BYTES = 32 };
_Static_assert(BEFORE_BYTES < BLOCK_BYTES, "each block leaves what stands before the next");

/* A literal of the database; its id there is its index. */
struct literal {
	const struct sb_pattern_entry *entry;
	const struct sb_pattern_mark *mark;
	size_t len;
};

struct sb_pattern_search {
	struct sb_hyperscan hs;
	hs_database_t *db;
	hs_scratch_t *scratch;
	SB_ARRAY(struct literal) literals;
	SB_ARRAY(const struct sb_pattern_entry *) for_files;

	char *path; /* or NULL */
	char *bytes;
	size_t len;
	size_t done;      /* marks before it were looked at */
	size_t limit;     /* and up to here they are now */
	uint64_t base;    /* the first byte's offset in the stream */
	uint64_t n_lines; /* ended before it */
	bool has_nul;

	/* The last one is the newest of those that count only. */
	struct sb_pattern_hit hits[SB_PATTERN_MAX_HITS + 1];
	size_t n_hits;
	uint64_t n_more;
	size_t whole; /* the index + 1 of the hit that is the whole stream */
};

static const struct sb_pattern_entry *entry_of(const struct sb_pattern_rule *rule)
{
	return (const struct sb_pattern_entry *)(const void *)rule;
}

static bool is_generic(const struct sb_pattern_rule *rule)
{
	return rule != sb_pattern_variable_rule() &&
	       (entry_of(rule)->flags & SB_PATTERN_GENERIC) != 0;
}

static void collect_entries(struct sb_pattern_search *search)
{
	const struct sb_pattern_entry *entry;

	for (size_t i = 0; (entry = sb_pattern_entry_at(i)) != NULL; i++) {
		for (size_t k = 0; k < SB_PATTERN_MAX_MARKS && entry->marks[k].text != NULL; k++)
			*SB_ARRAY_ADD(&search->literals) = (struct literal){
				entry, &entry->marks[k], strlen(entry->marks[k].text)};
		if (entry->verify_file != NULL)
			*SB_ARRAY_ADD(&search->for_files) = entry;
	}
}

static int compile(struct sb_pattern_search *search, struct sb_error *err)
{
	const size_t n = search->literals.len;
	sb_autofree const char **texts = sb_calloc(n, sizeof(*texts));
	sb_autofree unsigned *flags = sb_calloc(n, sizeof(*flags));
	sb_autofree unsigned *ids = sb_calloc(n, sizeof(*ids));
	sb_autofree size_t *lens = sb_calloc(n, sizeof(*lens));
	hs_compile_error_t *failure = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct literal *literal = &search->literals.items[i];

		SB_BUG_ON(literal->len > MAX_MARK_BYTES);
		texts[i] = literal->mark->text;
		lens[i] = literal->len;
		ids[i] = (unsigned)i;
		flags[i] =
			(literal->entry->flags & SB_PATTERN_ANY_CASE) != 0 ? HS_FLAG_CASELESS : 0;
	}
	if (search->hs.compile_lit_multi(texts, flags, ids, lens, (unsigned)n, HS_MODE_BLOCK, NULL,
		    &search->db, &failure) != HS_SUCCESS) {
		sb_fail(err, SB_E_SYSTEM, "Hyperscan refuses the marks of secrets: %s",
			failure != NULL ? failure->message : "no reason given");
		search->hs.free_compile_error(failure);
		return -1;
	}
	if (search->hs.alloc_scratch(search->db, &search->scratch) != HS_SUCCESS)
		return sb_fail(err, SB_E_SYSTEM, "Hyperscan has no memory to work in");
	return 0;
}

int sb_pattern_search_new(struct sb_pattern_search **out, struct sb_error *err)
{
	struct sb_hyperscan hs;

	if (sb_hyperscan_load(&hs, err) < 0)
		return -1;

	SB_AUTO(sb_pattern_search) search = SB_NEW(struct sb_pattern_search);

	search->hs = hs;
	search->bytes = sb_malloc(CAP_BYTES);
	collect_entries(search);
	if (compile(search, err) < 0)
		return -1;
	*out = SB_STEAL(search);
	return 0;
}

/* What was searched may be secret. */
static void forget(struct sb_pattern_search *search)
{
	if (search->bytes != NULL)
		explicit_bzero(search->bytes, search->len);
	search->len = search->done = search->limit = 0;
}

void sb_pattern_search_free(struct sb_pattern_search *search)
{
	if (search == NULL)
		return;
	forget(search);
	if (search->scratch != NULL)
		(void)search->hs.free_scratch(search->scratch);
	if (search->db != NULL)
		(void)search->hs.free_database(search->db);
	SB_ARRAY_RELEASE(&search->literals);
	SB_ARRAY_RELEASE(&search->for_files);
	free(search->bytes);
	free(search->path);
	free(search);
}

void sb_pattern_search_begin(struct sb_pattern_search *search, const char *path)
{
	forget(search);
	free(search->path);
	search->path = sb_strdup_or_null(path);
	search->base = search->n_lines = search->n_more = 0;
	search->n_hits = search->whole = 0;
	search->has_nul = false;
}

static uint64_t count_lines(const char *bytes, size_t len)
{
	typedef unsigned char block __attribute__((vector_size(16)));
	const unsigned char newline = '\n';
	uint64_t n = 0;
	size_t i = 0;

	while (len - i >= sizeof(block)) {
		block sums = {0};

		/* 255 is what a byte of the sums can hold. */
		for (unsigned k = 0; k < 255 && len - i >= sizeof(block); k++) {
			block b;

			memcpy(&b, bytes + i, sizeof(b));
			sums -= (block)(b == newline);
			i += sizeof(b);
		}
		for (size_t k = 0; k < sizeof(sums); k++)
			n += sums[k];
	}
	for (; i < len; i++)
		n += bytes[i] == '\n';
	return n;
}

static void show(struct sb_pattern_hit *hit, const char *mark)
{
	const size_t room = sizeof(hit->shown) - sizeof("…(18446744)");
	size_t n = mark != NULL ? strlen(mark) : 0;

	n = n < room ? n : room;
	(void)snprintf(hit->shown, sizeof(hit->shown), "%.*s…(%zu)", (int)n,
		mark != NULL ? mark : "", hit->len);
}

static bool overlap(const struct sb_pattern_hit *a, const struct sb_pattern_hit *b)
{
	return a->offset < b->offset + b->len && b->offset < a->offset + a->len;
}

/* Of two rules that say the same of the same bytes, the first counts, and the special one before
 * the general one. */
static void add_hit(struct sb_pattern_search *search, const struct sb_pattern_hit *hit)
{
	for (size_t i = 0; i < search->n_hits; i++) {
		struct sb_pattern_hit *other = &search->hits[i];

		if (!overlap(other, hit))
			continue;
		if (is_generic(other->rule) && !is_generic(hit->rule))
			*other = *hit;
		return;
	}
	if (search->n_hits <= SB_PATTERN_MAX_HITS)
		search->n_hits++;
	search->hits[search->n_hits - 1] = *hit;
	search->n_more += search->n_hits > SB_PATTERN_MAX_HITS;
}

static void add_span(struct sb_pattern_search *search, const struct sb_pattern_entry *entry,
	struct sb_pattern_span span, const char *mark)
{
	struct sb_pattern_hit hit = {
		.rule = &entry->rule,
		.offset = search->base + span.at,
		.len = span.len,
		.line = search->has_nul ? 0
					: search->n_lines + 1 + count_lines(search->bytes, span.at),
	};
	const size_t len = mark != NULL ? strlen(mark) : 0;
	const bool is_shown = len > 0 && len < span.len &&
			      (entry->flags & SB_PATTERN_GENERIC) == 0 &&
			      memcmp(search->bytes + span.at, mark, len) == 0;

	show(&hit, is_shown ? mark : NULL);
	add_hit(search, &hit);
}

static struct sb_pattern_view view_of(const struct sb_pattern_search *search)
{
	return (struct sb_pattern_view){
		.text = search->bytes,
		.len = search->len,
		.is_start = search->base == 0,
		.path = search->path,
	};
}

static int on_mark(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct sb_pattern_search *search = context;
	const struct literal *literal = &search->literals.items[id];
	const size_t at = search->done + (size_t)to - literal->len;
	const struct sb_pattern_view view = view_of(search);
	struct sb_pattern_span span;

	(void)from;
	(void)flags;
	if (at < search->limit &&
		sb_pattern_verify(literal->entry, &view, literal->mark, at, &span))
		add_span(search, literal->entry, span, literal->mark->text);
	return 0;
}

static void check_file(struct sb_pattern_search *search)
{
	const struct sb_pattern_view view = view_of(search);
	struct sb_pattern_span span;

	SB_ARRAY_FOREACH (&search->for_files, entry) {
		if (!sb_pattern_has_file(*entry, search->path) ||
			!(*entry)->verify_file(&view, &span))
			continue;
		add_span(search, *entry, span, NULL);
		if (span.at == 0 && span.len == view.len && search->n_hits == 1)
			search->whole = 1;
	}
}

/* Looks at the marks that begin before `limit`. */
static void search_block(struct sb_pattern_search *search, size_t limit)
{
	const size_t left = search->len - limit;
	const size_t end = limit + (left < MAX_MARK_BYTES ? left : MAX_MARK_BYTES);

	if (!search->has_nul &&
		memchr(search->bytes + search->done, '\0', search->len - search->done))
		search->has_nul = true;
	if (search->base == 0 && search->done == 0 && search->path != NULL)
		check_file(search);
	search->limit = limit;
	if (end > search->done)
		(void)search->hs.scan(search->db, search->bytes + search->done,
			(unsigned)(end - search->done), 0, search->scratch, on_mark, search);
	search->done = limit;
}

static void make_room(struct sb_pattern_search *search)
{
	const size_t drop = search->done - BEFORE_BYTES;

	if (!search->has_nul)
		search->n_lines += count_lines(search->bytes, drop);
	search->base += drop;
	search->len -= drop;
	search->done -= drop;
	memmove(search->bytes, search->bytes + drop, search->len);
}

void sb_pattern_search_feed(struct sb_pattern_search *search, const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len > 0) {
		const size_t room = CAP_BYTES - search->len;
		const size_t n = len < room ? len : room;

		memcpy(search->bytes + search->len, from, n);
		search->len += n;
		from += n;
		len -= n;
		if (search->len == CAP_BYTES) {
			search_block(search, CAP_BYTES - AFTER_BYTES);
			make_room(search);
		}
	}
}

static int compare(const void *a, const void *b)
{
	const struct sb_pattern_hit *x = a;
	const struct sb_pattern_hit *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

size_t sb_pattern_search_end(
	struct sb_pattern_search *search, const struct sb_pattern_hit **out, uint64_t *out_more)
{
	search_block(search, search->len);
	if (search->whole != 0) {
		search->hits[search->whole - 1].len = search->base + search->len;
		show(&search->hits[search->whole - 1], NULL);
	}

	const size_t n =
		search->n_hits < SB_PATTERN_MAX_HITS ? search->n_hits : SB_PATTERN_MAX_HITS;

	for (size_t i = 0; search->has_nul && i < n; i++)
		search->hits[i].line = 0;
	qsort(search->hits, n, sizeof(search->hits[0]), compare);
	forget(search);
	*out = search->hits;
	*out_more = search->n_more;
	return n;
}

/* What the name says of the value, where no rule found what it is. */
static void judge_value(
	struct sb_pattern_search *search, const char *name, const char *bytes, size_t len)
{
	const char *blank = strrchr(name, ' ');
	const char *last = blank != NULL ? blank + 1 : name;

	while (len > 0 && sb_char_in(bytes[len - 1], " \t\r\n"))
		len--;
	if (!sb_name_is_secret(last, strlen(last)) || !sb_value_can_be_secret(bytes, len))
		return;
	for (size_t i = 0; i < search->n_hits; i++)
		if (!is_generic(search->hits[i].rule))
			return;

	struct sb_pattern_hit hit = {.rule = sb_pattern_variable_rule(), .len = len};

	hit.line = memchr(bytes, '\0', len) != NULL ? 0 : 1;
	show(&hit, NULL);
	search->hits[0] = hit;
	search->n_hits = 1;
}

size_t sb_pattern_search_value(struct sb_pattern_search *search, const char *name,
	const void *bytes, size_t len, const struct sb_pattern_hit **out)
{
	uint64_t ignored_more;

	sb_pattern_search_begin(search, NULL);
	sb_pattern_search_feed(search, bytes, len);
	(void)sb_pattern_search_end(search, out, &ignored_more);
	if (name != NULL && len > 0)
		judge_value(search, name, bytes, len);
	return search->n_hits < SB_PATTERN_MAX_HITS ? search->n_hits : SB_PATTERN_MAX_HITS;
}
