/* SPDX-License-Identifier: MIT */
#include "leak/redact_lines.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "leak/line_gap.h"

enum {
	SIDE_BYTES = SB_REDACT_SEED_MAX - 1, /* of a seed, before a line's end or after it */
	MIN_BEFORE = 4,                      /* of a stream */
	TAIL_BYTES = SB_LINE_MAX_GAP + SIDE_BYTES,
};

enum where {
	OUTSIDE, /* until the next line's end */
	GAP,     /* between a line's characters and those of the next */
	RUN,     /* in characters that go on from the line before */
};

struct sb_redact_lines {
	const struct sb_redact_known *known;
	struct sb_secret_memory *memory;
	enum where where;
	size_t min_before;
	struct sb_line_gap gap;
	/* The joined characters: what is before the last line's end and what is behind it. */
	unsigned char *chars;
	uint64_t offsets[2 * SIDE_BYTES];
	bool begins_line[2 * SIDE_BYTES];
	size_t len;
	size_t run_at;       /* the first one behind the last line's end */
	size_t run_len;      /* of this run, of which the first SIDE_BYTES are joined */
	size_t n_searched;   /* of the joined ones */
	unsigned char *tail; /* the stream's last bytes */
	size_t tail_len;
	uint64_t offset; /* of the piece */
};

/* What is fed, and where in it the next places are at which a line may end. */
struct piece {
	const unsigned char *bytes;
	size_t len;
	size_t newline;
	size_t backslash;
	struct sb_redact_finds *out;
};

struct sb_redact_lines *sb_redact_lines_new(const struct sb_redact_known *known)
{
	struct sb_redact_lines *lines = SB_NEW(struct sb_redact_lines);

	lines->known = known;
	lines->memory = sb_secret_memory_new();
	lines->chars = sb_secret_memory_alloc(lines->memory, (size_t)2 * SIDE_BYTES);
	lines->tail = sb_secret_memory_alloc(lines->memory, TAIL_BYTES);
	lines->min_before = MIN_BEFORE;
	return lines;
}

void sb_redact_lines_free(struct sb_redact_lines *lines)
{
	if (lines == NULL)
		return;
	sb_secret_memory_free(lines->memory);
	free(lines);
}

void sb_redact_lines_begin(struct sb_redact_lines *lines)
{
	lines->where = OUTSIDE;
	lines->min_before = MIN_BEFORE;
	lines->len = lines->run_at = lines->run_len = lines->n_searched = 0;
	lines->tail_len = 0;
	lines->offset = 0;
	explicit_bzero(lines->chars, (size_t)2 * SIDE_BYTES);
	explicit_bzero(lines->tail, TAIL_BYTES);
}

void sb_redact_lines_hide_all(struct sb_redact_lines *lines)
{
	lines->min_before = 1;
}

/* Where the part begins that can be hidden, of the joined characters from `start` to `end`. */
static size_t hidden_from(const struct sb_redact_lines *lines, size_t start, size_t end)
{
	size_t from = start;

	for (size_t i = start + 1; i < end && i - start < lines->min_before; i++)
		if (lines->begins_line[i])
			from = i;
	return from;
}

static void add_find(const struct sb_redact_lines *lines, const struct piece *piece, size_t start,
	size_t end, const struct sb_redact_string *string)
{
	for (size_t from = hidden_from(lines, start, end); from < end;) {
		size_t to = from + 1;

		while (to < end && !lines->begins_line[to])
			to++;
		*SB_ARRAY_ADD(piece->out) = (struct sb_redact_find){
			.string = string,
			.start = lines->offsets[from],
			.end = lines->offsets[to - 1] + 1,
			.is_end = to == end,
		};
		from = to;
	}
}

static void search(struct sb_redact_lines *lines, const struct piece *piece)
{
	struct sb_match match = {0};

	if (lines->len == lines->n_searched)
		return;
	while (lines->len >= lines->known->shortest_seed &&
		sb_matcher_next(lines->known->matcher, lines->chars, lines->len, &match)) {
		const struct sb_redact_string *string = &lines->known->strings.items[match.tag];

		if (string->is_seed && match.end > lines->n_searched && match.start < lines->run_at)
			add_find(lines, piece, match.start, match.end, string);
	}
	lines->n_searched = lines->len;
}

/* The byte that is `back` before place i; there must be one in the piece or the tail. */
static unsigned char byte_before(
	const struct sb_redact_lines *lines, const struct piece *piece, size_t i, size_t back)
{
	return back <= i ? piece->bytes[i - back] : lines->tail[lines->tail_len + i - back];
}

/* The characters before place i, less `skipped` ones, become the joined ones. */
static size_t take_before(
	struct sb_redact_lines *lines, const struct piece *piece, size_t i, size_t skipped)
{
	const size_t reach = i + lines->tail_len - skipped;
	const size_t most = reach < SIDE_BYTES ? reach : SIDE_BYTES;
	unsigned char copy[SIDE_BYTES];
	const unsigned char *before = copy;
	size_t n = 0;

	if (skipped + most <= i) /* nearly always all of them are in the piece */
		before = piece->bytes + i - skipped - most;
	else
		for (size_t k = 0; k < most; k++)
			copy[k] = byte_before(lines, piece, i, skipped + most - k);
	while (n < most && sb_line_is_run[before[most - n - 1]])
		n++;
	memcpy(lines->chars, before + most - n, n);
	memset(lines->begins_line, 0, sizeof(lines->begins_line));
	for (size_t k = 0; k < n; k++)
		lines->offsets[k] = lines->offset + i - skipped - n + k;
	lines->len = lines->n_searched = n;
	if (before == copy)
		explicit_bzero(copy, sizeof(copy));
	return n;
}

/* Nearly all lines of ordinary text end here: what they end with and what the next one begins with
 * is too short together. Only looks at what is in the piece. */
static bool is_too_short(
	const struct sb_redact_lines *lines, const struct piece *piece, size_t i, size_t skipped)
{
	const unsigned char *p = piece->bytes;
	size_t before = i - skipped;
	size_t after = i + 1;
	size_t n = 0;

	if (p[i] != '\n')
		return false;
	for (; before > 0 && sb_line_is_run[p[before - 1]]; before--)
		if (++n >= lines->known->shortest_seed)
			return false;
	if (before == 0)
		return false;
	while (after < piece->len && sb_line_is_filler[p[after]])
		after++;
	for (; after < piece->len && sb_line_is_run[p[after]]; after++)
		if (++n >= lines->known->shortest_seed)
			return false;
	if (after + 1 >= piece->len || p[after] == '\n' || p[after] == '\\')
		return false;
	/* A blank may be before another line's end. */
	return !sb_line_is_filler[p[after]] || sb_line_is_run[p[after + 1]];
}

/* A line may end at place i, or what follows the piece may end it. */
static bool begin_gap(struct sb_redact_lines *lines, const struct piece *piece, size_t i)
{
	const size_t reach = i + lines->tail_len;
	size_t skipped = 0;

	while (skipped < SB_LINE_MAX_GAP - 1 && skipped < reach &&
		sb_line_is_filler[byte_before(lines, piece, i, skipped + 1)])
		skipped++;
	if ((i < piece->len && skipped < i && is_too_short(lines, piece, i, skipped)) ||
		take_before(lines, piece, i, skipped) == 0)
		return false;
	lines->where = GAP;
	lines->gap = (struct sb_line_gap){.len = skipped};
	return true;
}

/* Keeps the last of the joined characters, which those of the next line will follow. */
static void end_run(struct sb_redact_lines *lines, const struct piece *piece, size_t i)
{
	search(lines, piece);
	if (!sb_line_is_filler[piece->bytes[i]] && piece->bytes[i] != '\n' &&
		piece->bytes[i] != '\\') {
		lines->where = OUTSIDE;
		return;
	}
	if (lines->run_len > SIDE_BYTES) {
		(void)take_before(lines, piece, i, 0);
	} else if (lines->len > SIDE_BYTES) {
		const size_t gone = lines->len - SIDE_BYTES;

		memmove(lines->chars, lines->chars + gone, SIDE_BYTES);
		memmove(lines->offsets, lines->offsets + gone,
			SIDE_BYTES * sizeof(lines->offsets[0]));
		memmove(lines->begins_line, lines->begins_line + gone,
			SIDE_BYTES * sizeof(lines->begins_line[0]));
		lines->len = lines->n_searched = SIDE_BYTES;
	}
	lines->where = GAP;
	lines->gap = (struct sb_line_gap){0};
}

static size_t pass_run(struct sb_redact_lines *lines, const struct piece *piece, size_t i)
{
	for (; i < piece->len && sb_line_is_run[piece->bytes[i]]; i++) {
		if (lines->run_len++ >= SIDE_BYTES)
			continue;
		lines->begins_line[lines->len] = lines->run_len == 1;
		lines->offsets[lines->len] = lines->offset + i;
		lines->chars[lines->len++] = piece->bytes[i];
	}
	if (i < piece->len)
		end_run(lines, piece, i);
	return i;
}

static size_t pass_gap(struct sb_redact_lines *lines, const struct piece *piece, size_t i)
{
	switch (sb_line_gap_step(&lines->gap, piece->bytes[i])) {
	case SB_LINE_IN_GAP:
		return i + 1;
	case SB_LINE_NEXT_RUN:
		lines->where = RUN;
		lines->run_at = lines->len;
		lines->run_len = 0;
		return i;
	case SB_LINE_NO_GAP:
		break;
	}
	lines->where = OUTSIDE;
	return i;
}

static size_t find_byte(const struct piece *piece, size_t from, int byte)
{
	const unsigned char *p =
		from < piece->len ? memchr(piece->bytes + from, byte, piece->len - from) : NULL;

	return p != NULL ? (size_t)(p - piece->bytes) : SIZE_MAX;
}

/* Whether the bytes around a newline can't be of lines that adjoin; true for most of a text. */
static bool is_no_join(const struct piece *piece, size_t i)
{
	if (i == 0 || i + 1 >= piece->len || piece->bytes[i] != '\n')
		return false;

	const unsigned char before = piece->bytes[i - 1];
	const unsigned char after = piece->bytes[i + 1];

	return !(sb_line_is_run[before] || sb_line_is_filler[before]) ||
	       !(sb_line_is_run[after] || sb_line_is_filler[after] || after == '\\' ||
		       after == '\n');
}

static size_t pass_outside(struct sb_redact_lines *lines, struct piece *piece, size_t i)
{
	if (piece->newline < i)
		piece->newline = find_byte(piece, i, '\n');
	if (piece->backslash < i)
		piece->backslash = find_byte(piece, i, '\\');
	i = piece->newline < piece->backslash ? piece->newline : piece->backslash;
	if (i == SIZE_MAX)
		return piece->len;
	return !is_no_join(piece, i) && begin_gap(lines, piece, i) ? i : i + 1;
}

static void keep_tail(struct sb_redact_lines *lines, const unsigned char *bytes, size_t len)
{
	const size_t taken = len < TAIL_BYTES ? len : TAIL_BYTES;
	const size_t kept =
		lines->tail_len < TAIL_BYTES - taken ? lines->tail_len : TAIL_BYTES - taken;

	memmove(lines->tail, lines->tail + lines->tail_len - kept, kept);
	memcpy(lines->tail + kept, bytes + len - taken, taken);
	lines->tail_len = kept + taken;
}

void sb_redact_lines_feed(
	struct sb_redact_lines *lines, const void *bytes, size_t len, struct sb_redact_finds *out)
{
	struct piece piece = {.bytes = bytes, .len = len, .out = out};

	if (len == 0 || lines->known->shortest_seed == 0)
		return;
	piece.newline = find_byte(&piece, 0, '\n');
	piece.backslash = find_byte(&piece, 0, '\\');
	for (size_t i = 0; i < len;) {
		if (lines->where == OUTSIDE)
			i = pass_outside(lines, &piece, i);
		else if (lines->where == GAP)
			i = pass_gap(lines, &piece, i);
		else
			i = pass_run(lines, &piece, i);
	}
	if (lines->where == OUTSIDE && sb_line_is_filler[piece.bytes[len - 1]])
		(void)begin_gap(lines, &piece, len);
	if (lines->where == RUN)
		search(lines, &piece);
	keep_tail(lines, bytes, len);
	lines->offset += len;
}

uint64_t sb_redact_lines_undecided(const struct sb_redact_lines *lines)
{
	uint64_t first = UINT64_MAX;
	size_t starts = 0;

	/* What is in one run alone the search of the stream as it is waits for. */
	if (lines->where == GAP && lines->len >= lines->min_before)
		starts = lines->len - lines->min_before + 1;
	else if (lines->where == RUN && lines->run_len <= SIDE_BYTES)
		starts = lines->run_at;
	for (size_t i = 0; i < starts; i++) {
		if (!sb_redact_begins(&lines->known->seeds, lines->chars + i, lines->len - i))
			continue;

		const uint64_t offset = lines->offsets[hidden_from(lines, i, lines->len)];

		first = offset < first ? offset : first;
	}
	return first;
}
