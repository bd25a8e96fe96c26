/* SPDX-License-Identifier: MIT */
#include "leak/redact_follow.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "leak/line_gap.h"

enum {
	MAX_TRAILS = 16,
	SURE_BYTES = 8, /* of a line that begins with the needle's rest */
	MIN_BYTES = 4,  /* of a line that is nothing else, behind something of a logger's */
};

enum where {
	COVER, /* all is the needle's */
	GAP,   /* before the next line's characters */
	TRY,   /* in characters that go on with the needle, too few to be sure */
	TRIED, /* behind them; they are the needle's if the line ends here */
	SKIP,  /* in characters that are not the needle's */
};

/* One needle in the stream. */
struct trail {
	const struct sb_redact_string *string;
	enum where where;
	size_t next;     /* of the needle */
	uint64_t start;  /* of what is covered, or tried */
	size_t tried;    /* bytes */
	uint64_t behind; /* behind the last byte that was covered */
	struct sb_line_gap gap;
	bool is_speaker;
	bool is_plain; /* nothing but what may stand in any gap came since */
};

struct sb_redact_follow {
	struct trail trails[MAX_TRAILS];
	size_t n;
	SB_ARRAY(struct sb_redact_part) seeds; /* of the next bytes */
	uint64_t offset;
};

struct sb_redact_follow *sb_redact_follow_new(void)
{
	return SB_NEW(struct sb_redact_follow);
}

void sb_redact_follow_free(struct sb_redact_follow *follow)
{
	if (follow == NULL)
		return;
	SB_ARRAY_RELEASE(&follow->seeds);
	free(follow);
}

void sb_redact_follow_begin(struct sb_redact_follow *follow)
{
	follow->n = follow->seeds.len = 0;
	follow->offset = 0;
}

void sb_redact_follow_add(struct sb_redact_follow *follow, const struct sb_redact_string *string,
	uint64_t start, uint64_t end)
{
	if (string->at + string->len < string->needle->len)
		*SB_ARRAY_ADD(&follow->seeds) =
			(struct sb_redact_part){.string = string, .start = start, .end = end};
}

/* So that it does not depend on how the stream was cut which ones are followed. */
static int by_end(const void *a, const void *b)
{
	const struct sb_redact_part *x = a;
	const struct sb_redact_part *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	if (x->string->order != y->string->order)
		return x->string->order < y->string->order ? -1 : 1;
	return x->string->at > y->string->at ? 1 : x->string->at < y->string->at ? -1 : 0;
}

/* True when that place of the needle is followed already. */
static bool is_followed(
	struct sb_redact_follow *follow, const struct sb_needle *needle, size_t next)
{
	for (size_t i = 0; i < follow->n; i++) {
		struct trail *trail = &follow->trails[i];
		const size_t tried = trail->where == TRY ? trail->tried : 0;

		if ((trail->where != COVER && trail->where != TRY) ||
			trail->string->needle != needle || trail->next + tried != next)
			continue;
		trail->where = COVER;
		trail->next = next;
		return true;
	}
	return false;
}

static void begin_trail(struct sb_redact_follow *follow, const struct sb_redact_part *seed)
{
	const size_t next = seed->string->at + seed->string->len;

	if (!is_followed(follow, seed->string->needle, next) && follow->n < MAX_TRAILS)
		follow->trails[follow->n++] = (struct trail){
			.string = seed->string, .where = COVER, .next = next, .start = seed->start};
}

/* One speaks for all that cover. Another takes over where it ends. */
static void choose_speaker(struct sb_redact_follow *follow, const struct trail *gone, uint64_t end)
{
	struct trail *first = NULL;

	for (size_t i = 0; i < follow->n; i++) {
		struct trail *trail = &follow->trails[i];

		if (trail->where != COVER)
			continue;
		if (trail->is_speaker)
			return;
		first = first != NULL ? first : trail;
	}
	if (first == NULL)
		return;
	first->is_speaker = true;
	if (gone == NULL)
		return;
	if (gone->string->needle->secret_id == first->string->needle->secret_id)
		first->start = gone->start;
	else if (first->start < end)
		first->start = end;
}

static void add_part(
	struct sb_redact_parts *out, const struct trail *trail, uint64_t start, uint64_t end)
{
	if (start < end)
		*SB_ARRAY_ADD(out) = (struct sb_redact_part){trail->string, start, end};
}

/* Each of these takes one byte, and is false when the needle does not go on. */

static bool gap_byte(struct trail *trail, unsigned char c, uint64_t offset)
{
	if (offset - trail->behind >= SB_LINE_MAX_GAP)
		return false;
	switch (sb_line_gap_step(&trail->gap, c)) {
	case SB_LINE_IN_GAP:
		return true;
	case SB_LINE_NEXT_RUN:
		trail->where = TRY;
		trail->start = offset;
		trail->tried = 0;
		return true;
	case SB_LINE_NO_GAP:
		break;
	}
	trail->is_plain = false;
	if (sb_line_is_run[c])
		trail->where = SKIP;
	return trail->gap.has_newline;
}

static void begin_gap(struct trail *trail, bool has_newline)
{
	trail->where = GAP;
	trail->gap = (struct sb_line_gap){.has_newline = has_newline};
}

static bool cover_byte(struct trail *trail, unsigned char c, uint64_t offset)
{
	const struct sb_needle *needle = trail->string->needle;

	if (sb_line_is_run[c])
		return (unsigned char)needle->bytes[trail->next] == c &&
		       ++trail->next < needle->len;
	begin_gap(trail, false);
	trail->behind = offset;
	trail->is_plain = true;
	return gap_byte(trail, c, offset);
}

static void accept(struct trail *trail, struct sb_redact_parts *out)
{
	if (trail->is_plain || trail->tried >= MIN_BYTES)
		add_part(out, trail, trail->start, trail->start + trail->tried);
}

static bool try_byte(struct trail *trail, unsigned char c, struct sb_redact_parts *out)
{
	const struct sb_needle *needle = trail->string->needle;

	if ((unsigned char)needle->bytes[trail->next + trail->tried] != c) {
		trail->where = SKIP;
		trail->is_plain = false;
		return true;
	}
	trail->tried++;
	if (trail->next + trail->tried == needle->len) {
		accept(trail, out);
		return false;
	}
	if (trail->tried == SURE_BYTES) {
		trail->where = COVER;
		trail->next += SURE_BYTES;
	}
	return true;
}

/* Behind the characters that were tried. */
static bool tried_byte(
	struct trail *trail, unsigned char c, uint64_t offset, struct sb_redact_parts *out)
{
	if (sb_line_gap_step(&trail->gap, c) == SB_LINE_IN_GAP) {
		if (!trail->gap.has_newline)
			return true;
		accept(trail, out);
		if (trail->is_plain || trail->tried >= MIN_BYTES) {
			trail->next += trail->tried;
			trail->behind = trail->start + trail->tried;
			trail->is_plain = true;
		}
		begin_gap(trail, true);
		return true;
	}
	trail->is_plain = false;
	begin_gap(trail, true);
	return gap_byte(trail, c, offset);
}

static bool take_byte(
	struct trail *trail, unsigned char c, uint64_t offset, struct sb_redact_parts *out)
{
	switch (trail->where) {
	case COVER:
		return cover_byte(trail, c, offset);
	case SKIP:
		if (sb_line_is_run[c])
			return offset - trail->behind < SB_LINE_MAX_GAP;
		begin_gap(trail, true);
		return gap_byte(trail, c, offset);
	case TRY:
		if (sb_line_is_run[c])
			return try_byte(trail, c, out);
		trail->where = TRIED;
		trail->gap = (struct sb_line_gap){0};
		return tried_byte(trail, c, offset, out);
	case TRIED:
		return tried_byte(trail, c, offset, out);
	case GAP:
		break;
	}
	if (!gap_byte(trail, c, offset))
		return false;
	return trail->where != TRY || try_byte(trail, c, out);
}

static void take_byte_all(struct sb_redact_follow *follow, unsigned char c, uint64_t offset,
	struct sb_redact_parts *out)
{
	struct trail gone = {0};
	uint64_t end = 0;
	size_t kept = 0;

	for (size_t i = 0; i < follow->n; i++) {
		struct trail *trail = &follow->trails[i];
		const struct trail before = *trail;
		const bool goes_on = take_byte(trail, c, offset, out);

		if (before.is_speaker && (!goes_on || trail->where != COVER)) {
			/* The needle's last byte is its own; any other that ends it is not. */
			end = offset + (trail->next == trail->string->needle->len);
			gone = before;
			trail->is_speaker = false;
			add_part(out, &before, before.start, end);
		}
		if (goes_on)
			follow->trails[kept++] = *trail;
	}
	follow->n = kept;
	choose_speaker(follow, gone.string != NULL ? &gone : NULL, end);
}

void sb_redact_follow_feed(
	struct sb_redact_follow *follow, const void *bytes, size_t len, struct sb_redact_parts *out)
{
	const unsigned char *p = bytes;
	size_t k = 0;

	if (follow->seeds.len > 1)
		qsort(follow->seeds.items, follow->seeds.len, sizeof(follow->seeds.items[0]),
			by_end);
	for (size_t i = 0; i <= len; i++) {
		for (; k < follow->seeds.len && follow->seeds.items[k].end <= follow->offset + i;
			k++)
			begin_trail(follow, &follow->seeds.items[k]);
		if (follow->n == 0) {
			if (k == follow->seeds.len)
				break;
			i = (size_t)(follow->seeds.items[k].end - follow->offset) - 1;
			continue;
		}
		choose_speaker(follow, NULL, 0);
		if (i < len)
			take_byte_all(follow, p[i], follow->offset + i, out);
	}
	follow->seeds.len = 0;
	follow->offset += len;
	for (size_t i = 0; i < follow->n; i++)
		if (follow->trails[i].is_speaker)
			add_part(out, &follow->trails[i], follow->trails[i].start, follow->offset);
}

void sb_redact_follow_end(struct sb_redact_follow *follow, struct sb_redact_parts *out)
{
	for (size_t i = 0; i < follow->n; i++)
		if (follow->trails[i].where == TRY || follow->trails[i].where == TRIED)
			accept(&follow->trails[i], out);
}

uint64_t sb_redact_follow_undecided(const struct sb_redact_follow *follow)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < follow->n; i++)
		if ((follow->trails[i].where == TRY || follow->trails[i].where == TRIED) &&
			follow->trails[i].start < first)
			first = follow->trails[i].start;
	return first;
}
