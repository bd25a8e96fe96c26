/* SPDX-License-Identifier: MIT */
#include "leak/scan.h"

#include "base/mem.h"
#include "leak/needle_stream.h"
#include "leak/needles.h"
#include "leak/secret_memory.h"
#include "leak/unwrap.h"

/* What scanners share. */
struct tables {
	struct sb_needles *needles;
	struct sb_secret_memory *memory;
	struct sb_needle_tables *plain;
	struct sb_needle_tables *wrappable;
};

struct sb_scanner {
	struct tables *owned; /* NULL: another scanner's are shared */
	const struct tables *tables;
	struct sb_needle_stream *plain;
	struct sb_unwrap *unwrap; /* NULL: nothing can be wrapped */
	uint64_t total;
	sb_leak_fn on_find; /* or NULL */
	void *self;
};

static bool is_wrappable(const struct sb_needle *needle)
{
	return needle->is_wrappable;
}

static struct tables *tables_new(const struct sb_secrets *secrets)
{
	struct tables *tables = SB_NEW(struct tables);

	tables->needles = sb_needles_new(secrets, SB_NEEDLES_SEARCH);
	tables->memory = sb_secret_memory_new();
	tables->plain = sb_needle_tables_new(tables->memory, tables->needles, NULL);
	tables->wrappable = sb_needle_tables_new(tables->memory, tables->needles, is_wrappable);
	return tables;
}

static void tables_free(struct tables *tables)
{
	if (tables == NULL)
		return;
	sb_needle_tables_free(tables->plain);
	sb_needle_tables_free(tables->wrappable);
	sb_secret_memory_free(tables->memory);
	sb_needles_free(tables->needles);
	free(tables);
}

static struct sb_scanner *scanner_of(const struct tables *tables)
{
	struct sb_scanner *scanner = SB_NEW(struct sb_scanner);

	scanner->tables = tables;
	scanner->plain = sb_needle_stream_new(tables->plain);
	if (sb_needle_tables_shortest(tables->wrappable) > 0)
		scanner->unwrap = sb_unwrap_new(tables->wrappable);
	return scanner;
}

struct sb_scanner *sb_scanner_new(const struct sb_secrets *secrets)
{
	struct tables *tables = tables_new(secrets);
	struct sb_scanner *scanner = scanner_of(tables);

	scanner->owned = tables;
	return scanner;
}

struct sb_scanner *sb_scanner_new_sharing(const struct sb_scanner *scanner)
{
	return scanner_of(scanner->tables);
}

void sb_scanner_free(struct sb_scanner *scanner)
{
	if (scanner == NULL)
		return;
	sb_needle_stream_free(scanner->plain);
	sb_unwrap_free(scanner->unwrap);
	tables_free(scanner->owned);
	free(scanner);
}

bool sb_scanner_is_active(const struct sb_scanner *scanner)
{
	return sb_needles_count(scanner->tables->needles) > 0;
}

uint64_t sb_scanner_bytes(const struct sb_scanner *scanner)
{
	return scanner->total;
}

static struct sb_leak leak_of(const struct sb_needle *needle, uint64_t offset)
{
	return (struct sb_leak){
		.secret_id = needle->secret_id,
		.form = needle->form,
		.offset = offset,
		.is_token = needle->is_whole_token,
	};
}

static void on_plain_find(void *self, const struct sb_needle *needle, uint64_t end)
{
	const struct sb_scanner *scanner = self;
	const struct sb_leak leak = leak_of(needle, end - needle->len);

	scanner->on_find(scanner->self, &leak, end);
}

static void on_wrapped_find(void *self, const struct sb_unwrap_find *find)
{
	const struct sb_scanner *scanner = self;
	const struct sb_leak leak = leak_of(find->needle, find->start);

	scanner->on_find(scanner->self, &leak, find->end);
}

void sb_scanner_on_find(struct sb_scanner *scanner, sb_leak_fn on_find, void *self)
{
	scanner->on_find = on_find;
	scanner->self = self;
	sb_needle_stream_on_find(scanner->plain, on_find != NULL ? on_plain_find : NULL, scanner);
	if (scanner->unwrap != NULL)
		sb_unwrap_on_find(
			scanner->unwrap, on_find != NULL ? on_wrapped_find : NULL, scanner);
}

void sb_scanner_begin(struct sb_scanner *scanner)
{
	sb_needle_stream_begin(scanner->plain);
	if (scanner->unwrap != NULL)
		sb_unwrap_begin(scanner->unwrap);
}

static bool report(const struct sb_scanner *scanner, struct sb_leak *out_leak)
{
	const struct sb_needle_find plain = sb_needle_stream_found(scanner->plain);
	struct sb_unwrap_find find = {0};

	if (scanner->unwrap != NULL)
		find = sb_unwrap_found(scanner->unwrap);
	if (plain.needle != NULL && (find.needle == NULL || plain.end <= find.end))
		find = (struct sb_unwrap_find){
			.needle = plain.needle, .start = plain.end - plain.needle->len};
	if (find.needle == NULL)
		return false;
	*out_leak = leak_of(find.needle, find.start);
	return true;
}

static bool has_found(const struct sb_scanner *scanner)
{
	struct sb_leak leak;

	return report(scanner, &leak);
}

bool sb_scanner_feed(
	struct sb_scanner *scanner, const void *bytes, size_t len, struct sb_leak *out_leak)
{
	/* So that the second search finds the bytes in the processor's cache. */
	enum { AT_ONCE = 64 << 10 };
	const char *p = bytes;

	scanner->total += len;
	while (len > 0 && !has_found(scanner)) {
		const size_t n = len < AT_ONCE ? len : AT_ONCE;

		sb_needle_stream_feed(scanner->plain, p, n);
		if (scanner->unwrap != NULL)
			sb_unwrap_feed(scanner->unwrap, p, n);
		p += n;
		len -= n;
	}
	return report(scanner, out_leak);
}

bool sb_scanner_end(struct sb_scanner *scanner, struct sb_leak *out_leak)
{
	if (!has_found(scanner))
		sb_needle_stream_end(scanner->plain);
	return report(scanner, out_leak);
}

bool sb_scanner_check(
	struct sb_scanner *scanner, const void *bytes, size_t len, struct sb_leak *out_leak)
{
	sb_scanner_begin(scanner);
	(void)sb_scanner_feed(scanner, bytes, len, out_leak);
	return sb_scanner_end(scanner, out_leak);
}
