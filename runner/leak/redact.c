/* SPDX-License-Identifier: MIT */
#include "leak/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/mem.h"
#include "leak/kmp.h"
#include "leak/needles.h"
#include "leak/secret_memory.h"

/*
 * Every needle is an automaton that runs over the stream; those that are in the middle of their
 * string are in `live`. Nothing that comes can still begin before the earliest of them, so all
 * bytes up to there are decided: they go out, the covered ones as a label.
 */
struct track {
	struct sb_kmp kmp;
	const struct sb_needle *needle;
	size_t state;
	uint32_t
		next_of_byte; /* the next track whose string begins with the same byte, + 1; 0: last
			       */
};

/* A secret in the stream, by stream offsets. */
struct hit {
	uint64_t start;
	uint64_t end;
	const char *secret_id;
};

struct sb_redactor {
	struct sb_needles *needles;
	struct sb_secret_memory *memory;
	SB_ARRAY(struct track) tracks;
	SB_ARRAY(uint32_t) live;
	uint32_t first_of_byte[256];
	SB_ARRAY(struct hit) hits; /* of what is held back, in any order */
	char *held;                /* the stream's last bytes that did not go out */
	size_t held_len;
	size_t held_cap;
	uint64_t offset;        /* of the byte behind the last held one */
	uint64_t covered_until; /* what the last label that went out stands for ends here */
	const char *covered_by; /* and that label's id */
};

static void add_track(struct sb_redactor *redactor, const struct sb_needle *needle)
{
	uint32_t *first = &redactor->first_of_byte[(unsigned char)needle->bytes[0]];
	struct track *track = SB_ARRAY_ADD(&redactor->tracks);

	sb_kmp_init(&track->kmp, needle->bytes, needle->len);
	track->needle = needle;
	track->next_of_byte = *first;
	*first = (uint32_t)redactor->tracks.len;
}

struct sb_redactor *sb_redactor_new(const struct sb_secrets *secrets)
{
	struct sb_redactor *redactor = SB_NEW(struct sb_redactor);
	size_t longest = 0;

	redactor->needles = sb_needles_new(secrets, SB_NEEDLES_OUTPUT);
	redactor->memory = sb_secret_memory_new();
	for (size_t i = 0; i < sb_needles_count(redactor->needles); i++) {
		const struct sb_needle *needle = sb_needles_at(redactor->needles, i);

		add_track(redactor, needle);
		longest = needle->len > longest ? needle->len : longest;
	}
	/* Held back is at most one string less its last byte, and the byte just read. */
	redactor->held_cap = longest;
	redactor->held = sb_secret_memory_alloc(redactor->memory, longest + 1);
	return redactor;
}

void sb_redactor_free(struct sb_redactor *redactor)
{
	if (redactor == NULL)
		return;
	SB_ARRAY_FOREACH (&redactor->tracks, track)
		sb_kmp_release(&track->kmp);
	SB_ARRAY_RELEASE(&redactor->tracks);
	SB_ARRAY_RELEASE(&redactor->live);
	SB_ARRAY_RELEASE(&redactor->hits);
	sb_needles_free(redactor->needles);
	sb_secret_memory_free(redactor->memory);
	free(redactor);
}

static void add_hit(struct sb_redactor *redactor, const struct track *track)
{
	*SB_ARRAY_ADD(&redactor->hits) = (struct hit){
		.start = redactor->offset - track->needle->len,
		.end = redactor->offset,
		.secret_id = track->needle->secret_id,
	};
}

/* One byte, which is in `held` already; gives the earliest offset at which a match can begin that
 * is not known yet. */
static uint64_t advance(struct sb_redactor *redactor, char byte)
{
	size_t kept = 0;
	size_t longest = 0;

	for (size_t i = 0; i < redactor->live.len; i++) {
		const uint32_t index = redactor->live.items[i];
		struct track *track = &redactor->tracks.items[index];

		track->state = sb_kmp_step(&track->kmp, track->state, byte);
		if (track->state == track->kmp.len) {
			add_hit(redactor, track);
			track->state = track->kmp.border[track->state];
		}
		if (track->state == 0)
			continue;
		redactor->live.items[kept++] = index;
		longest = track->state > longest ? track->state : longest;
	}
	redactor->live.len = kept;

	for (uint32_t i = redactor->first_of_byte[(unsigned char)byte]; i != 0;) {
		struct track *track = &redactor->tracks.items[i - 1];

		if (track->state == 0) {
			track->state = 1;
			*SB_ARRAY_ADD(&redactor->live) = i - 1;
			longest = longest > 1 ? longest : 1;
		}
		i = track->next_of_byte;
	}
	return redactor->offset - longest;
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

/* How many of the bytes no needle begins with, while none is live. */
static size_t plain_run(const struct sb_redactor *redactor, const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && redactor->first_of_byte[(unsigned char)bytes[n]] == 0)
		n++;
	return n;
}

void sb_redactor_write(
	struct sb_redactor *redactor, const char *bytes, size_t len, sb_redacted_fn out, void *self)
{
	const struct sink sink = {out, self};

	for (size_t i = 0; i < len;) {
		if (redactor->held_len == 0) {
			const size_t run = plain_run(redactor, bytes + i, len - i);

			if (run > 0)
				out(self, bytes + i, run);
			redactor->offset += run;
			i += run;
			if (i == len)
				return;
		}
		SB_BUG_ON(redactor->held_len > redactor->held_cap);
		redactor->held[redactor->held_len++] = bytes[i];
		redactor->offset++;

		const uint64_t safe = advance(redactor, bytes[i++]);

		if (safe > redactor->offset - redactor->held_len)
			release(redactor, safe, &sink);
	}
}

void sb_redactor_flush(struct sb_redactor *redactor, sb_redacted_fn out, void *self)
{
	const struct sink sink = {out, self};

	release(redactor, redactor->offset, &sink);
	for (size_t i = 0; i < redactor->live.len; i++)
		redactor->tracks.items[redactor->live.items[i]].state = 0;
	redactor->live.len = 0;
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
