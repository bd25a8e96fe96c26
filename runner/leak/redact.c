/* SPDX-License-Identifier: MIT */
#include "leak/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/mem.h"
#include "leak/kmp.h"
#include "leak/line_gap.h"
#include "leak/redact_follow.h"
#include "leak/redact_known.h"
#include "leak/redact_lines.h"

/*
 * What came in is searched with what is held back before it. A string is found by the fast matcher;
 * a whole needle that is longer goes on from there in its automaton, one that is known by its seeds
 * is followed. Nothing that comes can still begin before the earliest automaton that runs, or
 * before the longest end of the bytes, or of the lines that are joined, that is the beginning of a
 * string. So all bytes up to there are decided: they go out, the covered ones as a label.
 */
enum {
	ANCHOR_BYTES = SB_MATCHER_MAX_BYTES,
	PIECE_BYTES = 4096,
	/* Of a seed in lines of one character, and of what may follow one. */
	MAX_HELD_LINES = 2 * SB_REDACT_SEED_MAX * (SB_LINE_MAX_GAP + 1),
};

struct track {
	struct sb_kmp kmp; /* made when first needed */
	const struct sb_redact_string *string;
	size_t state;
	bool is_active;
	uint64_t seen; /* the automaton went over the stream up to here */
};

/* A secret in the stream, by stream offsets. */
struct hit {
	uint64_t start;
	uint64_t end;
	const char *secret_id;
	uint32_t order;
};

struct sb_redactor {
	struct sb_redact_known *known;
	struct sb_redact_lines *lines;
	struct sb_redact_follow *follow;
	struct sb_redact_finds finds;
	struct sb_redact_parts parts;
	SB_ARRAY(struct track) tracks; /* of the needles that are longer than their strings */
	uint32_t *track_of;            /* by string: index in tracks + 1, or 0 */
	SB_ARRAY(struct hit) hits;     /* of what is held back, in any order */
	char *held;                    /* the stream's last bytes that did not go out */
	size_t held_len;
	size_t held_cap;
	uint64_t offset;        /* of the byte behind the last held one */
	uint64_t covered_until; /* what the last label that went out stands for ends here */
	const char *covered_by; /* and that label's id */
};

struct sb_redactor *sb_redactor_new(const struct sb_secrets *secrets)
{
	struct sb_redactor *redactor = SB_NEW(struct sb_redactor);
	struct sb_redact_known *known = sb_redact_known_new(secrets);

	redactor->known = known;
	redactor->lines = sb_redact_lines_new(known);
	redactor->follow = sb_redact_follow_new();
	redactor->track_of = sb_calloc(known->strings.len + 1, sizeof(redactor->track_of[0]));
	SB_ARRAY_FOREACH (&known->strings, string) {
		if (string->is_seed || string->len == string->needle->len)
			continue;
		SB_ARRAY_ADD(&redactor->tracks)->string = string;
		redactor->track_of[string - known->strings.items] = (uint32_t)redactor->tracks.len;
	}
	redactor->held_cap = known->longest_whole + MAX_HELD_LINES + PIECE_BYTES;
	redactor->held = sb_secret_memory_alloc(known->memory, redactor->held_cap);
	return redactor;
}

void sb_redactor_free(struct sb_redactor *redactor)
{
	if (redactor == NULL)
		return;
	SB_ARRAY_FOREACH (&redactor->tracks, track)
		sb_kmp_release(&track->kmp);
	SB_ARRAY_RELEASE(&redactor->tracks);
	SB_ARRAY_RELEASE(&redactor->finds);
	SB_ARRAY_RELEASE(&redactor->parts);
	SB_ARRAY_RELEASE(&redactor->hits);
	free(redactor->track_of);
	sb_redact_lines_free(redactor->lines);
	sb_redact_follow_free(redactor->follow);
	sb_redact_known_free(redactor->known);
	free(redactor);
}

static void add_hit(struct sb_redactor *redactor, const struct sb_redact_string *string,
	uint64_t start, uint64_t end)
{
	*SB_ARRAY_ADD(&redactor->hits) = (struct hit){
		.start = start,
		.end = end,
		.secret_id = string->needle->secret_id,
		.order = string->order,
	};
}

/* Runs the automaton from the stream offset `from` to the end of what is held. */
static void run_track(struct sb_redactor *redactor, struct track *track, uint64_t from)
{
	const uint64_t held_from = redactor->offset - redactor->held_len;
	const struct sb_needle *needle = track->string->needle;

	if (track->kmp.len == 0)
		sb_kmp_init(&track->kmp, needle->bytes, needle->len);
	track->is_active = true;
	while (from < redactor->offset && track->is_active) {
		track->state =
			sb_kmp_step(&track->kmp, track->state, redactor->held[from++ - held_from]);
		if (track->state == track->kmp.len) {
			add_hit(redactor, track->string, from - needle->len, from);
			track->state = track->kmp.border[track->state];
		}
		track->is_active = track->state >= ANCHOR_BYTES;
	}
	track->seen = from;
}

static void take_match(struct sb_redactor *redactor, uint32_t tag, uint64_t start, uint64_t end)
{
	const struct sb_redact_string *string = &redactor->known->strings.items[tag];
	const uint32_t track_index = redactor->track_of[tag];

	if (track_index == 0) {
		add_hit(redactor, string, start, end);
		if (string->is_seed)
			sb_redact_follow_add(redactor->follow, string, start, end);
		return;
	}

	struct track *track = &redactor->tracks.items[track_index - 1];

	if (end <= track->seen)
		return;
	track->state = ANCHOR_BYTES;
	run_track(redactor, track, end);
}

/* All that ends in the held bytes from the stream offset `from` on, and is there as it is. */
static void find_strings(struct sb_redactor *redactor, uint64_t from)
{
	const uint64_t held_from = redactor->offset - redactor->held_len;
	const size_t known = (size_t)(from - held_from);
	const size_t begin = known < ANCHOR_BYTES ? 0 : known - (ANCHOR_BYTES - 1);
	struct sb_match match = {0};

	SB_ARRAY_FOREACH (&redactor->tracks, track)
		if (track->is_active)
			run_track(redactor, track, from);
	while (sb_matcher_next(redactor->known->matcher, (unsigned char *)redactor->held + begin,
		redactor->held_len - begin, &match)) {
		const uint64_t end = held_from + begin + match.end;

		if (end > from)
			take_match(redactor, match.tag, held_from + begin + match.start, end);
	}
}

static void take_parts(struct sb_redactor *redactor)
{
	SB_ARRAY_FOREACH (&redactor->parts, part)
		add_hit(redactor, part->string, part->start, part->end);
	redactor->parts.len = 0;
}

/* What is broken by the ends of lines, and what goes on behind a seed. */
static void find_in_lines(struct sb_redactor *redactor, const char *bytes, size_t len)
{
	sb_redact_lines_feed(redactor->lines, bytes, len, &redactor->finds);
	SB_ARRAY_FOREACH (&redactor->finds, find) {
		add_hit(redactor, find->string, find->start, find->end);
		if (find->is_end)
			sb_redact_follow_add(
				redactor->follow, find->string, find->start, find->end);
	}
	redactor->finds.len = 0;
	sb_redact_follow_feed(redactor->follow, bytes, len, &redactor->parts);
	take_parts(redactor);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The earliest offset at which a match can begin that is not known yet. */
static uint64_t first_undecided(const struct sb_redactor *redactor)
{
	const size_t most =
		redactor->held_len < ANCHOR_BYTES ? redactor->held_len : ANCHOR_BYTES - 1;
	uint64_t first = redactor->offset;

	for (size_t len = most; len > 0; len--)
		if (sb_redact_begins(&redactor->known->all,
			    redactor->held + redactor->held_len - len, len)) {
			first = redactor->offset - len;
			break;
		}
	SB_ARRAY_FOREACH (&redactor->tracks, track)
		if (track->is_active)
			first = earlier(first, redactor->offset - track->state);
	first = earlier(first, sb_redact_lines_undecided(redactor->lines));
	return earlier(first, sb_redact_follow_undecided(redactor->follow));
}

static int by_start_longest_first(const void *a, const void *b)
{
	const struct hit *x = a;
	const struct hit *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
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

	if (redactor->known->matcher == NULL) {
		out(self, bytes, len);
		return;
	}
	while (len > 0) {
		const size_t n = len < PIECE_BYTES ? len : PIECE_BYTES;
		const uint64_t from = redactor->offset;

		SB_BUG_ON(redactor->held_len + n > redactor->held_cap);
		memcpy(redactor->held + redactor->held_len, bytes, n);
		redactor->held_len += n;
		redactor->offset += n;
		find_strings(redactor, from);
		find_in_lines(redactor, bytes, n);
		release(redactor, first_undecided(redactor), &sink);
		bytes += n;
		len -= n;
	}
}

void sb_redactor_flush(struct sb_redactor *redactor, sb_redacted_fn out, void *self)
{
	const struct sink sink = {out, self};

	sb_redact_follow_end(redactor->follow, &redactor->parts);
	take_parts(redactor);
	release(redactor, redactor->offset, &sink);
	SB_ARRAY_FOREACH (&redactor->tracks, track) {
		track->is_active = false;
		track->seen = 0;
	}
	sb_redact_lines_begin(redactor->lines);
	sb_redact_follow_begin(redactor->follow);
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

char *sb_redactor_text(struct sb_redactor *redactor, const char *text)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SIZE_MAX / 4);

	if (text == NULL)
		return NULL;
	sb_redact_lines_hide_all(redactor->lines);
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
