/* SPDX-License-Identifier: MIT */
#include "buildfile/glob.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/ignore.h"

/*
 * One state of the automaton each. "May be passed" means that the next state is reached without
 * reading anything.
 */
enum op {
	OP_CHAR,     /* reads the character `low` */
	OP_ANY,      /* reads one that is no slash */
	OP_CLASS,    /* reads one of the ranges, or, negated, of no range; never a slash */
	OP_STAR,     /* reads any number that are no slash; may be passed */
	OP_ALL,      /* reads any number; may be passed */
	OP_DIRS,     /* `**` and a slash: may be passed, together with the OP_DIR_TAIL behind it */
	OP_DIR_TAIL, /* reads any number, of which the last one must be a slash */
};

struct range {
	uint32_t low;
	uint32_t high;
};

struct state {
	enum op op;
	uint32_t low;
	bool is_negated;
	size_t first_range;
	size_t n_ranges;
};

struct sb_glob {
	SB_ARRAY(struct state) states;
	SB_ARRAY(struct range) ranges;
};

/* The pattern while it is compiled. */
struct reader {
	const char *text;
	size_t len;
	size_t at;
};

void sb_glob_free(struct sb_glob *glob)
{
	if (glob == NULL)
		return;
	SB_ARRAY_RELEASE(&glob->states);
	SB_ARRAY_RELEASE(&glob->ranges);
	free(glob);
}

static char peek(const struct reader *r)
{
	return r->at < r->len ? r->text[r->at] : '\0';
}

static uint32_t take(struct reader *r)
{
	uint32_t c;

	r->at += sb_utf8_next(r->text + r->at, r->len - r->at, &c);
	return c;
}

static void add_state(struct sb_glob *glob, enum op op, uint32_t low)
{
	*SB_ARRAY_ADD(&glob->states) = (struct state){.op = op, .low = low};
}

/* One end of a range in a class. */
static bool take_range_end(struct reader *r, uint32_t *out)
{
	if (r->at == r->len || peek(r) == '-' || peek(r) == ']')
		return false;
	if (peek(r) == '\\') {
		r->at++;
		if (r->at == r->len)
			return false;
	}
	*out = take(r);
	return r->at < r->len;
}

/* Behind `[`. */
static bool compile_class(struct sb_glob *glob, struct reader *r)
{
	struct state state = {.op = OP_CLASS, .first_range = glob->ranges.len};

	if (peek(r) == '^') {
		state.is_negated = true;
		r->at++;
	}
	while (peek(r) != ']' || state.n_ranges == 0) {
		struct range range;

		if (!take_range_end(r, &range.low))
			return false;
		range.high = range.low;
		if (peek(r) == '-') {
			r->at++;
			if (!take_range_end(r, &range.high))
				return false;
		}
		*SB_ARRAY_ADD(&glob->ranges) = range;
		state.n_ranges++;
	}
	r->at++;
	*SB_ARRAY_ADD(&glob->states) = state;
	return true;
}

static bool is_literal(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("*?[]\\", text[i]) != NULL)
			return false;
	return true;
}

/*
 * Behind `**`. As the reference has it: at the end it is anything; `**` + plain text at the start
 * of a pattern is anything that ends so; everywhere else it is whole folders, also without a slash.
 */
static void compile_double_star(struct sb_glob *glob, struct reader *r)
{
	const bool is_first = glob->states.len == 0;
	const bool has_slash = peek(r) == '/' && r->at < r->len;

	if (has_slash)
		r->at++;
	if (r->at == r->len ||
		(is_first && !has_slash && is_literal(r->text + r->at, r->len - r->at))) {
		add_state(glob, OP_ALL, 0);
		return;
	}
	add_state(glob, OP_DIRS, 0);
	add_state(glob, OP_DIR_TAIL, 0);
}

static bool compile(struct sb_glob *glob, struct reader *r, enum sb_glob_dialect dialect)
{
	while (r->at < r->len) {
		const uint32_t c = take(r);

		if (c == '*' && dialect == SB_GLOB_IGNORE && peek(r) == '*') {
			r->at++;
			compile_double_star(glob, r);
		} else if (c == '*') {
			add_state(glob, OP_STAR, 0);
		} else if (c == '?') {
			add_state(glob, OP_ANY, 0);
		} else if (c == '[') {
			if (!compile_class(glob, r))
				return false;
		} else if (c == '\\') {
			if (r->at == r->len)
				return false;
			add_state(glob, OP_CHAR, take(r));
		} else {
			add_state(glob, OP_CHAR, c);
		}
	}
	return true;
}

struct sb_glob *sb_glob_compile(const char *pattern, enum sb_glob_dialect dialect)
{
	SB_AUTO(sb_glob) glob = SB_NEW(struct sb_glob);
	struct reader r = {.text = pattern, .len = strlen(pattern)};

	return compile(glob, &r, dialect) ? SB_STEAL(glob) : NULL;
}

static bool class_has(const struct sb_glob *glob, const struct state *state, uint32_t c)
{
	bool found = false;

	for (size_t i = 0; i < state->n_ranges && !found; i++) {
		const struct range *range = &glob->ranges.items[state->first_range + i];

		found = range->low <= c && c <= range->high;
	}
	return found != state->is_negated;
}

static bool has(const uint64_t *set, size_t i)
{
	return (set[i / 64] >> i % 64 & 1) != 0;
}

static void add(uint64_t *set, size_t i)
{
	set[i / 64] |= UINT64_C(1) << i % 64;
}

/* Marks state i, and what is reached from it without reading. */
static void enter(const struct sb_glob *glob, uint64_t *on, size_t i)
{
	while (!has(on, i)) {
		add(on, i);
		if (i == glob->states.len)
			return;

		const enum op op = glob->states.items[i].op;

		if (op == OP_DIRS)
			add(on, i + 1);
		if (op == OP_DIRS)
			i += 2;
		else if (op == OP_STAR || op == OP_ALL)
			i += 1;
		else
			return;
	}
}

/* What reading c leads to from state i. */
static void step(const struct sb_glob *glob, size_t i, uint32_t c, uint64_t *next)
{
	const struct state *state = &glob->states.items[i];

	switch (state->op) {
	case OP_CHAR:
		if (c == state->low)
			enter(glob, next, i + 1);
		break;
	case OP_ANY:
		if (c != '/')
			enter(glob, next, i + 1);
		break;
	case OP_CLASS:
		if (c != '/' && class_has(glob, state, c))
			enter(glob, next, i + 1);
		break;
	case OP_STAR:
		if (c != '/')
			enter(glob, next, i);
		break;
	case OP_ALL:
		enter(glob, next, i);
		break;
	case OP_DIRS:
		break;
	case OP_DIR_TAIL:
		enter(glob, next, i);
		if (c == '/')
			enter(glob, next, i + 1);
		break;
	}
}

size_t sb_glob_words(const struct sb_glob *glob)
{
	return glob->states.len / 64 + 1;
}

void sb_glob_start(const struct sb_glob *glob, uint64_t *set)
{
	memset(set, 0, sb_glob_words(glob) * sizeof(*set));
	enter(glob, set, 0);
}

/* One character; false where no state is left. */
static bool read_char(const struct sb_glob *glob, const uint64_t *now, uint32_t c, uint64_t *next)
{
	const size_t words = sb_glob_words(glob);
	bool is_alive = false;

	memset(next, 0, words * sizeof(*next));
	for (size_t w = 0; w < words; w++)
		for (uint64_t left = now[w]; left != 0; left &= left - 1) {
			const size_t i = w * 64 + (size_t)__builtin_ctzll(left);

			if (i < glob->states.len)
				step(glob, i, c, next);
		}
	for (size_t w = 0; w < words; w++)
		is_alive = is_alive || next[w] != 0;
	return is_alive;
}

bool sb_glob_read(
	const struct sb_glob *glob, uint64_t *set, uint64_t *spare, const char *text, size_t len)
{
	const size_t size = sb_glob_words(glob) * sizeof(*set);
	uint64_t *now = set;
	uint64_t *next = spare;
	bool is_alive = true;

	for (size_t at = 0; at < len && is_alive;) {
		uint32_t c;

		at += sb_utf8_next(text + at, len - at, &c);
		is_alive = read_char(glob, now, c, next);

		uint64_t *last = now;

		now = next;
		next = last;
	}
	if (now != set)
		memcpy(set, now, size);
	return is_alive;
}

struct sb_glob_result sb_glob_result(const struct sb_glob *glob, const uint64_t *set)
{
	const size_t end = glob->states.len;
	struct sb_glob_result result = {.matches = has(set, end)};

	for (size_t w = 0; w < sb_glob_words(glob); w++) {
		const uint64_t is_end = w == end / 64 ? UINT64_C(1) << end % 64 : 0;

		result.may_continue = result.may_continue || (set[w] & ~is_end) != 0;
	}
	return result;
}

int sb_glob_match(const char *pattern, const char *path)
{
	SB_AUTO(sb_glob) glob = sb_glob_compile(pattern, SB_GLOB_PATH);

	if (glob == NULL)
		return -1;

	sb_autofree uint64_t *both = sb_calloc(2 * sb_glob_words(glob), sizeof(*both));

	sb_glob_start(glob, both);
	(void)sb_glob_read(glob, both, both + sb_glob_words(glob), path, strlen(path));
	return sb_glob_result(glob, both).matches ? 1 : 0;
}

bool sb_glob_has_wildcard(const char *pattern)
{
	return strpbrk(pattern, "*?[\\") != NULL;
}
