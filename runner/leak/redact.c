/* SPDX-License-Identifier: MIT */
#include "leak/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/mem.h"
#include "leak/kmp.h"
#include "leak/matcher.h"
#include "leak/needles.h"
#include "leak/secret_memory.h"
#include "leak/unwrap.h"

/*
 * What came in is searched with what is held back before it. A needle's first 64 bytes, its anchor,
 * are found by the fast matcher; a longer one goes on from there in its automaton. Nothing that
 * comes can still begin before the earliest automaton that runs, or before the longest end of the
 * bytes that is the beginning of an anchor. So all bytes up to there are decided: they go out, the
 * covered ones as a label.
 */
enum {
	ANCHOR_BYTES = SB_MATCHER_MAX_BYTES,
	PIECE_BYTES = 4096,
};

struct anchor {
	const unsigned char *bytes;
	size_t len; /* ANCHOR_BYTES at most */
};

struct track {
	struct sb_kmp kmp; /* made when first needed */
	const struct sb_needle *needle;
	size_t state;
	bool is_active;
	uint64_t seen; /* the automaton went over the stream up to here */
};

/* A secret in the stream, by stream offsets. */
struct hit {
	uint64_t start;
	uint64_t end;
	const char *secret_id;
};

struct sb_redactor {
	struct sb_needles *needles;
	struct sb_needle_tables *wrappable; /* and, for whole texts, made when first needed */
	struct sb_unwrap *unwrap;
	struct sb_secret_memory *memory;
	struct sb_matcher *matcher;      /* or NULL: there are no needles */
	SB_ARRAY(struct anchor) anchors; /* in the order of their bytes */
	bool begins_anchor[256];
	SB_ARRAY(struct track) tracks; /* of the needles that are longer than an anchor */
	uint32_t *track_of;            /* by needle: index in tracks + 1, or 0 */
	SB_ARRAY(struct hit) hits;     /* of what is held back, in any order */
	char *held;                    /* the stream's last bytes that did not go out */
	size_t held_len;
	size_t held_cap;
	uint64_t offset;        /* of the byte behind the last held one */
	uint64_t covered_until; /* what the last label that went out stands for ends here */
	const char *covered_by; /* and that label's id */
};

static int by_bytes(const void *a, const void *b)
{
	const struct anchor *x = a;
	const struct anchor *y = b;
	const size_t both = x->len < y->len ? x->len : y->len;
	const int order = memcmp(x->bytes, y->bytes, both);

	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

static void add_needle(struct sb_redactor *redactor, size_t i, struct sb_pattern *out_pattern)
{
	const struct sb_needle *needle = sb_needles_at(redactor->needles, i);
	const unsigned char *bytes = (const unsigned char *)needle->bytes;
	const size_t len = needle->len < ANCHOR_BYTES ? needle->len : ANCHOR_BYTES;

	*out_pattern = (struct sb_pattern){.bytes = bytes, .len = len, .tag = (uint32_t)i};
	*SB_ARRAY_ADD(&redactor->anchors) = (struct anchor){.bytes = bytes, .len = len};
	redactor->begins_anchor[bytes[0]] = true;
	if (needle->len > redactor->held_cap)
		redactor->held_cap = needle->len;
	if (needle->len > ANCHOR_BYTES) {
		SB_ARRAY_ADD(&redactor->tracks)->needle = needle;
		redactor->track_of[i] = (uint32_t)redactor->tracks.len;
	}
}

struct sb_redactor *sb_redactor_new(const struct sb_secrets *secrets)
{
	struct sb_redactor *redactor = SB_NEW(struct sb_redactor);

	redactor->needles = sb_needles_new(secrets, SB_NEEDLES_OUTPUT);
	redactor->memory = sb_secret_memory_new();

	const size_t n = sb_needles_count(redactor->needles);
	sb_autofree struct sb_pattern *patterns = sb_calloc(n + 1, sizeof(*patterns));

	redactor->track_of = sb_calloc(n + 1, sizeof(redactor->track_of[0]));
	for (size_t i = 0; i < n; i++)
		add_needle(redactor, i, &patterns[i]);
	if (n > 0) {
		redactor->matcher = sb_matcher_new(redactor->memory, patterns, n);
		qsort(redactor->anchors.items, n, sizeof(struct anchor), by_bytes);
	}
	/* Held back is at most one string less its last byte, and the piece just read. */
	redactor->held_cap += PIECE_BYTES;
	redactor->held = sb_secret_memory_alloc(redactor->memory, redactor->held_cap);
	return redactor;
}

void sb_redactor_free(struct sb_redactor *redactor)
{
	if (redactor == NULL)
		return;
	SB_ARRAY_FOREACH (&redactor->tracks, track)
		sb_kmp_release(&track->kmp);
	SB_ARRAY_RELEASE(&redactor->tracks);
	SB_ARRAY_RELEASE(&redactor->anchors);
	SB_ARRAY_RELEASE(&redactor->hits);
	free(redactor->track_of);
	sb_matcher_free(redactor->matcher);
	sb_unwrap_free(redactor->unwrap);
	sb_needle_tables_free(redactor->wrappable);
	sb_needles_free(redactor->needles);
	sb_secret_memory_free(redactor->memory);
	free(redactor);
}

static void add_hit(struct sb_redactor *redactor, const struct sb_needle *needle, uint64_t end)
{
	*SB_ARRAY_ADD(&redactor->hits) = (struct hit){
		.start = end - needle->len,
		.end = end,
		.secret_id = needle->secret_id,
	};
}

/* Runs the automaton from the stream offset `from` to the end of what is held. */
static void run_track(struct sb_redactor *redactor, struct track *track, uint64_t from)
{
	const uint64_t held_from = redactor->offset - redactor->held_len;

	if (track->kmp.len == 0)
		sb_kmp_init(&track->kmp, track->needle->bytes, track->needle->len);
	track->is_active = true;
	while (from < redactor->offset && track->is_active) {
		track->state =
			sb_kmp_step(&track->kmp, track->state, redactor->held[from++ - held_from]);
		if (track->state == track->kmp.len) {
			add_hit(redactor, track->needle, from);
			track->state = track->kmp.border[track->state];
		}
		track->is_active = track->state >= ANCHOR_BYTES;
	}
	track->seen = from;
}

/* All that ends in the held bytes from the stream offset `from` on. */
static void find_hits(struct sb_redactor *redactor, uint64_t from)
{
	const uint64_t held_from = redactor->offset - redactor->held_len;
	const size_t known = (size_t)(from - held_from);
	const size_t begin = known < ANCHOR_BYTES ? 0 : known - (ANCHOR_BYTES - 1);
	struct sb_match match = {0};

	SB_ARRAY_FOREACH (&redactor->tracks, track)
		if (track->is_active)
			run_track(redactor, track, from);
	while (redactor->matcher != NULL &&
		sb_matcher_next(redactor->matcher, (unsigned char *)redactor->held + begin,
			redactor->held_len - begin, &match)) {
		const uint64_t end = held_from + begin + match.end;
		const uint32_t track_index = redactor->track_of[match.tag];

		if (end <= from)
			continue;
		if (track_index == 0) {
			add_hit(redactor, sb_needles_at(redactor->needles, match.tag), end);
			continue;
		}

		struct track *track = &redactor->tracks.items[track_index - 1];

		if (end <= track->seen)
			continue;
		track->state = ANCHOR_BYTES;
		run_track(redactor, track, end);
	}
}

/* Whether the bytes are the beginning of an anchor, and not all of it. */
static bool begins_an_anchor(const struct sb_redactor *redactor, const char *bytes, size_t len)
{
	const struct anchor wanted = {.bytes = (const unsigned char *)bytes, .len = len};
	size_t low = 0;
	size_t high = redactor->anchors.len;

	/* The first that comes after the bytes; all that begin with them follow one another. */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (by_bytes(&redactor->anchors.items[middle], &wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < redactor->anchors.len && redactor->anchors.items[low].len > len &&
	       memcmp(redactor->anchors.items[low].bytes, bytes, len) == 0;
}

/* The earliest offset at which a match can begin that is not known yet. */
static uint64_t first_undecided(const struct sb_redactor *redactor)
{
	const size_t most =
		redactor->held_len < ANCHOR_BYTES ? redactor->held_len : ANCHOR_BYTES - 1;
	uint64_t first = redactor->offset;

	for (size_t len = most; len > 0; len--) {
		const char *bytes = redactor->held + redactor->held_len - len;

		if (redactor->begins_anchor[(unsigned char)*bytes] &&
			begins_an_anchor(redactor, bytes, len)) {
			first = redactor->offset - len;
			break;
		}
	}
	SB_ARRAY_FOREACH (&redactor->tracks, track)
		if (track->is_active && redactor->offset - track->state < first)
			first = redactor->offset - track->state;
	return first;
}

static int by_start_longest_first(const void *a, const void *b)
{
	const struct hit *x = a;
	const struct hit *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

struct sink {
	sb_redacted_fn out;
	void *self;
};

static void put_label(const struct sink *sink, const char *secret_id)
{
	sink->out(sink->self, "[secret ", 8);
	sink->out(sink->self, secret_id, strlen(secret_id));
	sink->out(sink->self, "]", 1);
}

static void put_plain(
	struct sb_redactor *redactor, uint64_t from, uint64_t to, const struct sink *sink)
{
	const uint64_t held_from = redactor->offset - redactor->held_len;

	if (from < to)
		sink->out(sink->self, redactor->held + (from - held_from), (size_t)(to - from));
}

/* Gives out all that is held up to the stream offset `safe`. */
static void release(struct sb_redactor *redactor, uint64_t safe, const struct sink *sink)
{
	uint64_t at = redactor->offset - redactor->held_len;
	size_t kept = 0;

	if (redactor->hits.len > 1)
		qsort(redactor->hits.items, redactor->hits.len, sizeof(struct hit),
			by_start_longest_first);
	if (at < redactor->covered_until)
		at = redactor->covered_until;
	SB_ARRAY_FOREACH (&redactor->hits, hit) {
		if (hit->start >= safe) {
			redactor->hits.items[kept++] = *hit;
			continue;
		}
		if (hit->end <= redactor->covered_until)
			continue;
		if (hit->start < redactor->covered_until &&
			hit->secret_id == redactor->covered_by) {
			redactor->covered_until = at = hit->end;
			continue;
		}
		if (at < hit->start)
			put_plain(redactor, at, hit->start, sink);
		put_label(sink, hit->secret_id);
		redactor->covered_until = at = hit->end;
		redactor->covered_by = hit->secret_id;
	}
	redactor->hits.len = kept;
	put_plain(redactor, at, safe, sink);

	const size_t left = (size_t)(redactor->offset - safe);

	memmove(redactor->held, redactor->held + redactor->held_len - left, left);
	redactor->held_len = left;
}

void sb_redactor_write(
	struct sb_redactor *redactor, const char *bytes, size_t len, sb_redacted_fn out, void *self)
{
	const struct sink sink = {out, self};

	while (len > 0) {
		const size_t n = len < PIECE_BYTES ? len : PIECE_BYTES;
		const uint64_t from = redactor->offset;

		SB_BUG_ON(redactor->held_len + n > redactor->held_cap);
		memcpy(redactor->held + redactor->held_len, bytes, n);
		redactor->held_len += n;
		redactor->offset += n;
		find_hits(redactor, from);
		release(redactor, first_undecided(redactor), &sink);
		bytes += n;
		len -= n;
	}
}

void sb_redactor_flush(struct sb_redactor *redactor, sb_redacted_fn out, void *self)
{
	const struct sink sink = {out, self};

	release(redactor, redactor->offset, &sink);
	SB_ARRAY_FOREACH (&redactor->tracks, track) {
		track->is_active = false;
		track->seen = 0;
	}
	redactor->offset = redactor->covered_until = 0;
	explicit_bzero(redactor->held, redactor->held_cap);
}

static void collect(void *self, const char *bytes, size_t len)
{
	struct sb_buf *buf = self;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	/* The only bound is memory, of which running out ends the process. */
	SB_BUG_ON(sb_buf_add(buf, bytes, len, &err) < 0);
}

static bool is_wrappable(const struct sb_needle *needle)
{
	return needle->is_wrappable;
}

/* What is in lines stays in lines. */
static void add_wrapped(
	struct sb_redactor *redactor, const char *text, const struct sb_unwrap_find *find)
{
	for (uint64_t at = find->start; at < find->end;) {
		const char *newline = memchr(text + at, '\n', (size_t)(find->end - at));
		const uint64_t end = newline != NULL ? (uint64_t)(newline - text) : find->end;

		at += strspn(text + at, " \t");
		if (at < end)
			*SB_ARRAY_ADD(&redactor->hits) = (struct hit){
				.start = at,
				.end = end,
				.secret_id = find->needle->secret_id,
			};
		at = end + 1;
	}
}

/* Base64 and hex in lines of any width: nothing of a whole text is out yet, so lines can be joined.
 * Of one in the other the inner is found, which ends first. */
static void find_wrapped(struct sb_redactor *redactor, const char *text)
{
	const size_t len = strlen(text);
	struct sb_unwrap_find find = {0};

	if (strpbrk(text, "\n\\") == NULL)
		return;
	if (redactor->unwrap == NULL) {
		redactor->wrappable =
			sb_needle_tables_new(redactor->memory, redactor->needles, is_wrappable);
		redactor->unwrap = sb_unwrap_new(redactor->wrappable);
	}
	if (sb_needle_tables_shortest(redactor->wrappable) == 0)
		return;
	for (uint64_t from = 0;; from = find.start + 1) {
		sb_unwrap_begin(redactor->unwrap);
		sb_unwrap_feed(redactor->unwrap, text + from, len - (size_t)from);
		find = sb_unwrap_found(redactor->unwrap);
		if (find.needle == NULL)
			return;
		find.start += from;
		find.end += from;
		add_wrapped(redactor, text, &find);
	}
}

char *sb_redactor_text(struct sb_redactor *redactor, const char *text)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SIZE_MAX / 4);

	if (text == NULL)
		return NULL;
	find_wrapped(redactor, text);
	sb_redactor_write(redactor, text, strlen(text), collect, &buf);
	sb_redactor_flush(redactor, collect, &buf);
	return sb_buf_steal(&buf);
}

char *sb_redact_text(const struct sb_secrets *secrets, const char *text)
{
	if (text == NULL)
		return NULL;

	SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);

	return sb_redactor_text(redactor, text);
}
