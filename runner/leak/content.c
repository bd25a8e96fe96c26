/* SPDX-License-Identifier: MIT */
#include "leak/content.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "leak/nested.h"

struct stream {
	struct sb_scanner *scanner; /* made when first needed */
	char *inside;
};

struct sb_content_search {
	const struct sb_scanner *shared;
	struct stream depths[SB_NESTED_MAX_DEPTH + 1];
	struct stream text;
	struct sb_content_sums sums;
	/* The stream that a find is in is often packed in another, whose bytes come first: what is
	 * told is the innermost, so reading goes on for a while. */
	bool is_found;
	unsigned depth; /* of the find */
	uint64_t bytes_since;
	_Atomic bool is_cancelled;
	struct sb_content_leak leak;
};
enum { MAX_BYTES_SINCE = 1 << 20 };

static void begin(struct sb_content_search *search, struct stream *stream)
{
	if (stream->scanner == NULL)
		stream->scanner = sb_scanner_new_sharing(search->shared);
	sb_scanner_begin(stream->scanner);
}

struct sb_content_search *sb_content_search_new(const struct sb_scanner *scanner)
{
	struct sb_content_search *search = SB_NEW(struct sb_content_search);

	search->shared = scanner;
	return search;
}

static void stream_release(struct stream *stream)
{
	sb_scanner_free(stream->scanner);
	free(stream->inside);
}

void sb_content_search_free(struct sb_content_search *search)
{
	if (search == NULL)
		return;
	for (size_t i = 0; i <= SB_NESTED_MAX_DEPTH; i++)
		stream_release(&search->depths[i]);
	stream_release(&search->text);
	sb_content_leak_release(&search->leak);
	free(search);
}

bool sb_content_search_is_active(const struct sb_content_search *search)
{
	return sb_scanner_is_active(search->shared);
}

struct sb_content_sums sb_content_search_sums(const struct sb_content_search *search)
{
	return search->sums;
}

void sb_content_leak_release(struct sb_content_leak *leak)
{
	free(leak->inside);
	*leak = (struct sb_content_leak){0};
}

static bool is_wanted(const struct sb_content_search *search, unsigned depth)
{
	return !search->is_found || (depth > search->depth && search->leak.what == NULL);
}

/* As much of the way as holds no secret itself; caller frees. */
static char *clean_way(struct sb_content_search *search, const char *inside)
{
	char *way = sb_strdup_or_null(inside);
	struct sb_leak leak;

	while (way != NULL && sb_content_search_text(search, way, strlen(way), &leak)) {
		char *last = strrchr(way, '!');

		*(last != NULL ? last : way) = '\0';
	}
	return way;
}

static void found(struct sb_content_search *search, unsigned depth, const struct sb_leak *leak,
	const char *inside, const char *what)
{
	sb_content_leak_release(&search->leak);
	search->is_found = true;
	search->depth = depth;
	search->bytes_since = 0;
	search->leak = (struct sb_content_leak){
		.leak = *leak, .inside = clean_way(search, inside), .what = what};
}

static void on_begin(void *self, unsigned depth, const char *inside)
{
	struct sb_content_search *search = self;
	struct stream *stream = &search->depths[depth];

	free(stream->inside);
	stream->inside = sb_strdup_or_null(inside);
	begin(search, stream);
}

static void on_bytes(void *self, unsigned depth, const void *bytes, size_t len)
{
	struct sb_content_search *search = self;
	struct stream *stream = &search->depths[depth];
	struct sb_leak leak;

	*(depth == 0 ? &search->sums.bytes : &search->sums.unpacked_bytes) += len;
	search->bytes_since += len;
	if (is_wanted(search, depth) && sb_scanner_feed(stream->scanner, bytes, len, &leak))
		found(search, depth, &leak, stream->inside, NULL);
}

static void on_end(void *self, unsigned depth)
{
	struct sb_content_search *search = self;
	struct stream *stream = &search->depths[depth];
	struct sb_leak leak;

	if (is_wanted(search, depth) && sb_scanner_end(stream->scanner, &leak))
		found(search, depth, &leak, stream->inside, NULL);
}

static void on_text(void *self, unsigned depth, const char *inside, const char *what,
	const void *bytes, size_t len)
{
	struct sb_content_search *search = self;
	struct sb_leak leak;

	if (is_wanted(search, depth) && sb_content_search_text(search, bytes, len, &leak))
		found(search, depth, &leak,
			strcmp(what, "name") == 0 ? search->depths[depth - 1].inside : inside,
			what);
}

static void on_skipped(void *self, const char *inside, const char *why)
{
	struct sb_content_search *search = self;

	(void)inside;
	(void)why;
	search->sums.n_skipped++;
}

static bool is_done(void *self)
{
	const struct sb_content_search *search = self;

	return search->is_cancelled || (search->is_found && search->bytes_since > MAX_BYTES_SINCE);
}

void sb_content_search_cancel(struct sb_content_search *search)
{
	search->is_cancelled = true;
}

bool sb_content_search_text(
	struct sb_content_search *search, const void *bytes, size_t len, struct sb_leak *out_leak)
{
	begin(search, &search->text);
	return sb_scanner_feed(search->text.scanner, bytes, len, out_leak) ||
	       sb_scanner_end(search->text.scanner, out_leak);
}

/* Pieces as a source. */
struct from {
	const struct sb_pieces *pieces;
	const char *piece;
	size_t left;
	bool at_end;
};

static ssize_t read_pieces(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct from *from = self;

	if (from->left == 0 && !from->at_end) {
		const void *piece = NULL;
		const ssize_t n = from->pieces->next(from->pieces->self, &piece, err);

		if (n < 0)
			return -1;
		from->at_end = n == 0;
		from->piece = piece;
		from->left = (size_t)n;
	}

	const size_t n = from->left < len ? from->left : len;

	if (n == 0)
		return 0;
	memcpy(bytes, from->piece, n);
	from->piece += n;
	from->left -= n;
	return (ssize_t)n;
}

static int run_nested(struct sb_content_search *search, struct from *from, struct sb_error *err)
{
	const struct sb_source source = {read_pieces, from};
	const struct sb_nested_visitor visitor = {
		.self = search,
		.on_begin = on_begin,
		.on_bytes = on_bytes,
		.on_end = on_end,
		.on_text = on_text,
		.on_skipped = on_skipped,
		.is_done = is_done,
	};

	return sb_nested_read(&source, &visitor, &sb_nested_default_limits, err);
}

/* The pieces as they lie. */
static int run_plain(struct sb_content_search *search, struct from *from, struct sb_error *err)
{
	const void *piece = from->piece;
	ssize_t n = (ssize_t)from->left;

	on_begin(search, 0, NULL);
	while (n > 0 && !search->is_found) {
		on_bytes(search, 0, piece, (size_t)n);
		if (!search->is_found)
			n = from->pieces->next(from->pieces->self, &piece, err);
	}
	on_end(search, 0);
	return n < 0 ? -1 : 0;
}

int sb_content_search_run(struct sb_content_search *search, const struct sb_pieces *pieces,
	bool *out_found, struct sb_content_leak *out, struct sb_error *err)
{
	struct from from = {.pieces = pieces};
	const void *piece = NULL;
	const ssize_t n = pieces->next(pieces->self, &piece, err);

	if (n < 0)
		return -1;
	from.piece = piece;
	from.left = (size_t)n;
	from.at_end = n == 0;
	search->sums.n_contents++;
	search->is_found = false;
	search->is_cancelled = false;

	const bool is_all = pieces->len > 0 && (uint64_t)n >= pieces->len;
	const int rc = sb_nested_may_be_in(piece, (size_t)n, is_all)
			       ? run_nested(search, &from, err)
			       : run_plain(search, &from, err);

	if (rc < 0) {
		sb_content_leak_release(&search->leak);
		return -1;
	}
	*out_found = search->is_found;
	if (search->is_found) {
		*out = search->leak;
		search->leak = (struct sb_content_leak){0};
	}
	return 0;
}

/* " in lib.jar!etc/token" and the like; caller frees. */
static char *where(const struct sb_content_leak *leak)
{
	const char *inside = leak->inside;
	const bool is_named = inside != NULL && inside[0] != '\0';

	if (leak->what == NULL && inside == NULL)
		return sb_strdup("");
	if (leak->what == NULL)
		return is_named ? sb_asprintf(" in %s", inside)
				: sb_strdup(" in what is packed in it");
	if (strcmp(leak->what, "name") == 0)
		return is_named ? sb_asprintf(" in a name in %s", inside)
				: sb_strdup(" in a name of what is packed in it");
	return sb_asprintf(
		" in the %s of %s", leak->what, is_named ? inside : "what is packed in it");
}

char *sb_content_leak_text(const struct sb_content_leak *leak)
{
	sb_autofree char *in = where(leak);

	return leak->what != NULL ? sb_asprintf("%s%s", leak->leak.form, in)
				  : sb_asprintf("%s%s, at byte %" PRIu64, leak->leak.form, in,
					    leak->leak.offset);
}
