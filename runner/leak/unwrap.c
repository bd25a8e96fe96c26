/* SPDX-License-Identifier: MIT */
#include "leak/unwrap.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "leak/lanes.h"
#include "leak/line_gap.h"
#include "leak/secret_memory.h"

enum {
	MIN_WIDTH = 4,
	TAIL_BYTES = 1024,
	ROOM_BYTES = 4096,
	MAX_LINE_END = 5, /* a quote, a comma, a backslash, a carriage return before the newline */
	MIN_SEGMENTS = 256,
};

enum where {
	OUTSIDE, /* until the next line's end */
	GAP,     /* between a line's characters and those of the next */
	RUN,     /* in a line that goes on from the one before */
};

/* From this place in the joined lines on, their bytes are those of the stream from there on. */
struct segment {
	uint64_t at;
	uint64_t offset;
};

struct sb_unwrap {
	const struct sb_needle_tables *tables;
	struct sb_needle_stream *joined;
	struct sb_secret_memory *memory;
	enum where where;
	struct sb_line_gap gap;
	bool is_fed; /* the search of these joined lines has begun */
	uint64_t joined_len;
	SB_ARRAY(struct segment) segments;
	size_t max_segments; /* as many are a reason to look which are of use */
	unsigned char *room; /* of the joined lines, what was not fed yet */
	size_t room_len;
	unsigned char *tail; /* the stream's last bytes */
	size_t tail_len;
	uint64_t offset; /* of the next byte */
	struct sb_unwrap_find found;
	sb_unwrap_fn on_find; /* or NULL */
	void *self;
};

/* What is fed. */
struct piece {
	const unsigned char *bytes;
	size_t len;
};

struct sb_unwrap *sb_unwrap_new(const struct sb_needle_tables *tables)
{
	struct sb_unwrap *unwrap = SB_NEW(struct sb_unwrap);

	unwrap->tables = tables;
	unwrap->joined = sb_needle_stream_new(tables);
	unwrap->memory = sb_secret_memory_new();
	unwrap->room = sb_secret_memory_alloc(unwrap->memory, ROOM_BYTES);
	unwrap->tail = sb_secret_memory_alloc(unwrap->memory, TAIL_BYTES);
	return unwrap;
}

void sb_unwrap_free(struct sb_unwrap *unwrap)
{
	if (unwrap == NULL)
		return;
	sb_needle_stream_free(unwrap->joined);
	sb_secret_memory_free(unwrap->memory);
	SB_ARRAY_RELEASE(&unwrap->segments);
	free(unwrap);
}

static void forget_lines(struct sb_unwrap *unwrap)
{
	unwrap->where = OUTSIDE;
	unwrap->is_fed = false;
	unwrap->joined_len = 0;
	unwrap->room_len = 0;
	unwrap->segments.len = 0;
	unwrap->max_segments = MIN_SEGMENTS;
}

void sb_unwrap_begin(struct sb_unwrap *unwrap)
{
	forget_lines(unwrap);
	unwrap->tail_len = 0;
	unwrap->offset = 0;
	unwrap->found = (struct sb_unwrap_find){0};
}

static uint64_t offset_of(const struct sb_unwrap *unwrap, uint64_t at)
{
	size_t i = unwrap->segments.len - 1;

	while (i > 0 && unwrap->segments.items[i].at > at)
		i--;
	return unwrap->segments.items[i].offset + (at - unwrap->segments.items[i].at);
}

static struct sb_unwrap_find find_at(
	const struct sb_unwrap *unwrap, const struct sb_needle *needle, uint64_t end)
{
	return (struct sb_unwrap_find){
		.needle = needle,
		.start = offset_of(unwrap, end - needle->len),
		.end = offset_of(unwrap, end - 1) + 1,
	};
}

static void on_joined_find(void *self, const struct sb_needle *needle, uint64_t end)
{
	const struct sb_unwrap *unwrap = self;
	const struct sb_unwrap_find find = find_at(unwrap, needle, end);

	unwrap->on_find(unwrap->self, &find);
}

void sb_unwrap_on_find(struct sb_unwrap *unwrap, sb_unwrap_fn on_find, void *self)
{
	unwrap->on_find = on_find;
	unwrap->self = self;
	sb_needle_stream_on_find(unwrap->joined, on_find != NULL ? on_joined_find : NULL, unwrap);
}

/* Searches what was gathered, once it is long enough to hold anything or there is no more room. */
static void flush(struct sb_unwrap *unwrap)
{
	if (!unwrap->is_fed && unwrap->room_len < ROOM_BYTES &&
		unwrap->joined_len < sb_needle_tables_shortest(unwrap->tables))
		return;
	if (!unwrap->is_fed)
		sb_needle_stream_begin(unwrap->joined);
	unwrap->is_fed = true;
	sb_needle_stream_feed(unwrap->joined, unwrap->room, unwrap->room_len);
	unwrap->room_len = 0;

	const struct sb_needle_find find = sb_needle_stream_found(unwrap->joined);

	if (find.needle != NULL)
		unwrap->found = find_at(unwrap, find.needle, find.end);
}

static void end_lines(struct sb_unwrap *unwrap)
{
	flush(unwrap);
	forget_lines(unwrap);
}

/* Segments farther back than the longest needle that is yet to be found are of no use. */
static void forget_segments(struct sb_unwrap *unwrap)
{
	const uint64_t back = sb_needle_tables_longest(unwrap->tables) + unwrap->room_len;
	const uint64_t from = unwrap->joined_len > back ? unwrap->joined_len - back : 0;
	size_t first = 0;

	while (first + 1 < unwrap->segments.len && unwrap->segments.items[first + 1].at <= from)
		first++;
	unwrap->segments.len -= first;
	memmove(unwrap->segments.items, unwrap->segments.items + first,
		unwrap->segments.len * sizeof(unwrap->segments.items[0]));
}

static void add_segment(struct sb_unwrap *unwrap, uint64_t offset)
{
	if (unwrap->segments.len >= unwrap->max_segments) {
		forget_segments(unwrap);
		unwrap->max_segments = MIN_SEGMENTS + 2 * unwrap->segments.len;
	}
	*SB_ARRAY_ADD(&unwrap->segments) =
		(struct segment){.at = unwrap->joined_len, .offset = offset};
}

/* Most newlines, by the bytes around them alone. */
static inline bool is_no_join(const struct piece *piece, size_t at)
{
	const unsigned char *p = piece->bytes + at;

	if (at < MIN_WIDTH || at + 1 >= piece->len)
		return false;

	const unsigned before = sb_line_is_filler[p[-1]] | (p[-1] == '\\') |
				(sb_line_is_run[p[-1]] & sb_line_is_run[p[-2]] &
					sb_line_is_run[p[-3]] & sb_line_is_run[p[-4]]);
	const unsigned after = sb_line_is_filler[p[1]] | (p[1] == '\\') | sb_line_is_run[p[1]];

	return (before & after) == 0;
}

/* Of the 16 bytes that end before p, or begin at it, how many are base64's in a row; p's side. */
static inline unsigned run_before(const unsigned char *p)
{
	const uint32_t others = ~sb_lanes_mask(sb_lanes_base64(sb_lanes_load(p - 16))) << 16;

	return others != 0 ? (unsigned)__builtin_clz(others) : 16;
}

static inline unsigned run_after(const unsigned char *p)
{
	return (unsigned)__builtin_ctz(~sb_lanes_mask(sb_lanes_base64(sb_lanes_load(p))));
}

/* Nearly all lines of prose: begin_lines would find too few characters, as the bytes around the
 * line's end tell. */
static inline bool is_surely_short(size_t shortest, const struct piece *piece, size_t at)
{
	enum { LANES = sizeof(sb_lanes), MAX_FILLERS = 8, AROUND = 2 * (LANES + MAX_FILLERS) };
	const unsigned char *line_end = piece->bytes + at;
	const unsigned char *p = line_end;

	if (at < AROUND || piece->len - at < AROUND)
		return false;
	while (p > line_end - (MAX_LINE_END - 1) && (sb_line_is_filler[p[-1]] || p[-1] == '\\'))
		p--;

	const unsigned before = run_before(p);

	p = line_end + 1;
	while (p < line_end + MAX_FILLERS && sb_line_is_filler[*p])
		p++;

	const unsigned after = run_after(p);

	p += after;
	while (p < line_end + MAX_FILLERS + LANES && sb_line_is_filler[*p])
		p++;
	/* Without branches, as chance decides each. */
	const bool is_told = (before < LANES) & (after < LANES) & (before + after < shortest) &
			     (*p != '\n') & (*p != '\\') & !sb_line_is_filler[*p];

	return (before < MIN_WIDTH) | is_told;
}

/* Of a newline or a backslash: whether a line may end there that goes on in the next. */
static inline bool may_join(const struct piece *piece, size_t at, size_t shortest)
{
	const unsigned char *p = piece->bytes + at;

	if (*p == '\n')
		return !is_no_join(piece, at) && !is_surely_short(shortest, piece, at);
	return at + 1 >= piece->len || p[1] == 'n' || p[1] == 'r' || p[1] == '\\';
}

/* The next such place from `from` on, or SIZE_MAX. */
static size_t next_line_end(const struct piece *piece, size_t from, size_t shortest)
{
	enum { LANES = sizeof(sb_lanes), STEP = 4 * LANES };
	size_t at = from;

	for (; piece->len - at >= STEP; at += STEP) {
		uint64_t places = 0;

		for (size_t i = 0; i < STEP / LANES; i++) {
			const sb_lanes lanes = sb_lanes_load(piece->bytes + at + i * LANES);

			places |= (uint64_t)sb_lanes_mask(
					  (sb_lanes)(lanes == '\n') | (sb_lanes)(lanes == '\\'))
				  << (i * LANES);
		}
		for (; places != 0; places &= places - 1) {
			const size_t place = at + (size_t)__builtin_ctzll(places);

			if (may_join(piece, place, shortest))
				return place;
		}
	}
	for (; at < piece->len; at++)
		if ((piece->bytes[at] == '\n' || piece->bytes[at] == '\\') &&
			may_join(piece, at, shortest))
			return at;
	return SIZE_MAX;
}

/* The byte `back` before the place `at` of the piece, by way of the tail; '\0' past what is kept.
 */
static unsigned char byte_before(
	const struct sb_unwrap *unwrap, const struct piece *piece, size_t at, size_t back)
{
	if (back <= at)
		return piece->bytes[at - back];
	back -= at;
	return back <= unwrap->tail_len ? unwrap->tail[unwrap->tail_len - back] : '\0';
}

/* How many characters stand before the place `at` less `skipped` bytes. */
static size_t count_before(
	const struct sb_unwrap *unwrap, const struct piece *piece, size_t at, size_t skipped)
{
	const size_t here = at >= skipped ? at - skipped + 1 : 0;
	const size_t most = here < TAIL_BYTES ? here : TAIL_BYTES;
	size_t n = 0;

	while (n < most && sb_line_is_run[piece->bytes[here - 1 - n]])
		n++;
	if (n < here)
		return n;
	while (n < TAIL_BYTES && sb_line_is_run[byte_before(unwrap, piece, at, skipped + n)])
		n++;
	return n;
}

/*
 * Nearly all lines of ordinary text end here: with the characters that follow in the next lines,
 * before something that can't go on, they are too short. Only looks at what is in the piece.
 */
static bool is_too_short(
	const struct sb_unwrap *unwrap, const struct piece *piece, size_t at, size_t n_before)
{
	const size_t shortest = sb_needle_tables_shortest(unwrap->tables);
	const unsigned char *p = piece->bytes + at;
	const unsigned char *end = piece->bytes + piece->len;
	size_t n = n_before;

	while (*p == '\n') {
		do
			p++;
		while (p < end && sb_line_is_filler[*p]);
		for (; p < end && sb_line_is_run[*p]; p++)
			if (++n >= shortest)
				return false;
		while (p < end && sb_line_is_filler[*p])
			p++;
		if (p == end)
			return false;
	}
	return *p != '\\';
}

/* Takes the characters before the line's end at `at`, if there are enough. */
static bool begin_lines(struct sb_unwrap *unwrap, const struct piece *piece, size_t at)
{
	size_t skipped = 1;

	while (skipped < MAX_LINE_END &&
		(sb_line_is_filler[byte_before(unwrap, piece, at, skipped)] ||
			byte_before(unwrap, piece, at, skipped) == '\\'))
		skipped++;

	const size_t n = count_before(unwrap, piece, at, skipped);

	if (n < MIN_WIDTH || is_too_short(unwrap, piece, at, n))
		return false;
	add_segment(unwrap, unwrap->offset + at - (skipped + n - 1));
	if (skipped + n - 1 <= at)
		memcpy(unwrap->room, piece->bytes + at - (skipped + n - 1), n);
	else
		for (size_t i = 0; i < n; i++)
			unwrap->room[i] = byte_before(unwrap, piece, at, skipped + n - 1 - i);
	unwrap->room_len = unwrap->joined_len = n;
	unwrap->where = GAP;
	unwrap->gap = (struct sb_line_gap){0};
	return true;
}

/* The characters at the beginning of the bytes, as far as there is room; gives how many. */
static size_t take_run(struct sb_unwrap *unwrap, const unsigned char *bytes, size_t len)
{
	enum { LANES = sizeof(sb_lanes) };
	unsigned char *to = unwrap->room + unwrap->room_len;
	const size_t room = ROOM_BYTES - unwrap->room_len;
	const size_t most = len < room ? len : room;
	unsigned here = LANES;
	size_t n = 0;

	/* Whole lanes are copied: what follows the run is written over later. */
	while (here == LANES && most - n >= LANES) {
		here = run_after(bytes + n);
		memcpy(to + n, bytes + n, LANES);
		n += LANES;
	}
	n -= LANES - here;
	for (; here == LANES && n < most && sb_line_is_run[bytes[n]]; n++)
		to[n] = bytes[n];
	unwrap->room_len += n;
	unwrap->joined_len += n;
	return n;
}

/* The line that goes on at place i of the piece, and those right behind it; gives where it stopped.
 */
static size_t take_lines(struct sb_unwrap *unwrap, const struct piece *piece, size_t i)
{
	for (;;) {
		i += take_run(unwrap, piece->bytes + i, piece->len - i);
		if (unwrap->room_len == ROOM_BYTES) {
			flush(unwrap);
			continue;
		}
		if (piece->len - i < 2 || piece->bytes[i] != '\n' ||
			!sb_line_is_run[piece->bytes[i + 1]])
			return i;
		i++;
		add_segment(unwrap, unwrap->offset + i);
	}
}

/* In lines that adjoin, from place i of the piece on; gives where it stopped. */
static size_t go_on(struct sb_unwrap *unwrap, const struct piece *piece, size_t i)
{
	if (unwrap->where == RUN) {
		i = take_lines(unwrap, piece, i);
		if (i < piece->len) {
			unwrap->where = GAP;
			unwrap->gap = (struct sb_line_gap){0};
		}
		return i;
	}
	switch (sb_line_gap_step(&unwrap->gap, piece->bytes[i])) {
	case SB_LINE_IN_GAP:
		return i + 1;
	case SB_LINE_NEXT_RUN:
		add_segment(unwrap, unwrap->offset + i);
		unwrap->where = RUN;
		return i;
	case SB_LINE_NO_GAP:
		break;
	}
	end_lines(unwrap);
	return i;
}

static void keep_tail(struct sb_unwrap *unwrap, const unsigned char *bytes, size_t len)
{
	if (len >= TAIL_BYTES) {
		memcpy(unwrap->tail, bytes + len - TAIL_BYTES, TAIL_BYTES);
		unwrap->tail_len = TAIL_BYTES;
		return;
	}

	const size_t room = TAIL_BYTES - len;
	const size_t keep = unwrap->tail_len < room ? unwrap->tail_len : room;

	memmove(unwrap->tail, unwrap->tail + unwrap->tail_len - keep, keep);
	memcpy(unwrap->tail + keep, bytes, len);
	unwrap->tail_len = keep + len;
}

void sb_unwrap_feed(struct sb_unwrap *unwrap, const void *bytes, size_t len)
{
	const struct piece piece = {.bytes = bytes, .len = len};
	const size_t shortest = sb_needle_tables_shortest(unwrap->tables);

	if (unwrap->found.needle != NULL || len == 0)
		return;
	for (size_t i = 0; i < len && unwrap->found.needle == NULL;) {
		if (unwrap->where != OUTSIDE) {
			i = go_on(unwrap, &piece, i);
			continue;
		}
		i = next_line_end(&piece, i, shortest);
		if (i == SIZE_MAX)
			break;
		if (!begin_lines(unwrap, &piece, i))
			i++;
	}
	/* So that all that ends in this piece is found with it. */
	if (unwrap->where != OUTSIDE && unwrap->found.needle == NULL)
		flush(unwrap);
	keep_tail(unwrap, bytes, len);
	unwrap->offset += len;
}

struct sb_unwrap_find sb_unwrap_found(const struct sb_unwrap *unwrap)
{
	return unwrap->found;
}
