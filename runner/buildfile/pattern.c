/* SPDX-License-Identifier: MIT */
#include "buildfile/pattern.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/chars.h"

/*
 * A pattern is runs of single characters with a star between each two. The first run is tied to
 * where a match begins, the last one to where it ends; a run may be empty. As stars match anything,
 * taking the first place for each run in turn finds a match wherever there is one.
 */
enum { ANY = UINT32_MAX };

struct run {
	size_t first; /* in chars */
	size_t len;
};

struct sb_pattern {
	SB_ARRAY(uint32_t) chars; /* code points, or ANY */
	SB_ARRAY(struct run) runs;
};

void sb_pattern_free(struct sb_pattern *pattern)
{
	if (pattern == NULL)
		return;
	SB_ARRAY_RELEASE(&pattern->chars);
	SB_ARRAY_RELEASE(&pattern->runs);
	free(pattern);
}

static void add_char(struct sb_pattern *pattern, uint32_t c)
{
	*SB_ARRAY_ADD(&pattern->chars) = c;
	pattern->runs.items[pattern->runs.len - 1].len++;
}

static void add_star(struct sb_pattern *pattern)
{
	*SB_ARRAY_ADD(&pattern->runs) = (struct run){pattern->chars.len, 0};
}

int sb_pattern_parse(const char *text, size_t len, struct sb_pattern **out, struct sb_error *err)
{
	if (len > SB_MAX_EXPANSION_PATTERN)
		return sb_fail(err, SB_E_LIMIT, "a pattern is longer than %d bytes",
			SB_MAX_EXPANSION_PATTERN);

	SB_AUTO(sb_pattern) pattern = SB_NEW(struct sb_pattern);

	add_star(pattern);
	for (size_t i = 0; i < len;) {
		uint32_t c;

		i += sb_utf8_next(text + i, len - i, &c);
		if (c == '*') {
			add_star(pattern);
			continue;
		}
		if (c == '?') {
			add_char(pattern, ANY);
			continue;
		}
		if (c == '\\') {
			/* `}` and `/` are escaped for the sake of the expansion around. */
			if (i == len || strchr("*?\\}/", text[i]) == NULL)
				return sb_fail(err, SB_E_SYNTAX, "invalid escape '\\%.*s'",
					i < len ? 1 : 0, text + i);
			i += sb_utf8_next(text + i, len - i, &c);
		}
		add_char(pattern, c);
	}
	*out = SB_STEAL(pattern);
	return 0;
}

/* Does the run match at `at`? *end is then where it ends. */
static bool run_matches(const struct sb_pattern *p, const struct run *run, const char *value,
	size_t len, size_t at, size_t *end)
{
	for (size_t i = 0; i < run->len; i++) {
		uint32_t c;

		if (at >= len)
			return false;
		at += sb_utf8_next(value + at, len - at, &c);
		if (p->chars.items[run->first + i] != ANY && p->chars.items[run->first + i] != c)
			return false;
	}
	*end = at;
	return true;
}

/* The first place from `at` on where the run matches. */
static bool find_run(const struct sb_pattern *p, const struct run *run, const char *value,
	size_t len, size_t at, size_t *begin, size_t *end)
{
	while (!run_matches(p, run, value, len, at, end)) {
		uint32_t ignored;

		if (at >= len)
			return false;
		at += sb_utf8_next(value + at, len - at, &ignored);
	}
	*begin = at;
	return true;
}

/* All runs from the second on, behind the first one, which ends at `at`. */
static bool match_rest(const struct sb_pattern *p, const char *value, size_t len, size_t at,
	bool is_longest, size_t *end)
{
	size_t begin = at;

	*end = at;
	for (size_t i = 1; i < p->runs.len; i++)
		if (!find_run(p, &p->runs.items[i], value, len, *end, &begin, end))
			return false;
	if (!is_longest || p->runs.len == 1)
		return true;

	const struct run *last = &p->runs.items[p->runs.len - 1];
	size_t later_end;

	if (last->len == 0) {
		*end = len;
		return true;
	}
	for (size_t from = begin; from < len;) {
		uint32_t ignored;

		if (run_matches(p, last, value, len, from, &later_end))
			*end = later_end;
		from += sb_utf8_next(value + from, len - from, &ignored);
	}
	return true;
}

bool sb_pattern_prefix(const struct sb_pattern *pattern, const char *value, size_t len,
	bool is_longest, size_t *out_len)
{
	size_t end;

	return run_matches(pattern, &pattern->runs.items[0], value, len, 0, &end) &&
	       match_rest(pattern, value, len, end, is_longest, out_len);
}

static void reverse(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t ignored;
		const size_t n = sb_utf8_next(from + i, len - i, &ignored);

		memcpy(to + len - i - n, from + i, n);
		i += n;
	}
}

static struct sb_pattern *reversed(const struct sb_pattern *pattern)
{
	struct sb_pattern *back = SB_NEW(struct sb_pattern);

	for (size_t i = pattern->runs.len; i > 0; i--) {
		const struct run *run = &pattern->runs.items[i - 1];

		add_star(back);
		for (size_t j = run->len; j > 0; j--)
			add_char(back, pattern->chars.items[run->first + j - 1]);
	}
	return back;
}

bool sb_pattern_suffix(const struct sb_pattern *pattern, const char *value, size_t len,
	bool is_longest, size_t *out_len)
{
	SB_AUTO(sb_pattern) back = reversed(pattern);
	sb_autofree char *mirrored = sb_malloc(len + 1);

	reverse(mirrored, value, len);
	return sb_pattern_prefix(back, mirrored, len, is_longest, out_len);
}

/* The leftmost match from `at` on, the longest there. */
static bool find(const struct sb_pattern *p, const char *value, size_t len, size_t at,
	size_t *begin, size_t *end)
{
	size_t first_end;

	return find_run(p, &p->runs.items[0], value, len, at, begin, &first_end) &&
	       match_rest(p, value, len, first_end, true, end);
}

int sb_pattern_replace(const struct sb_pattern *pattern, const char *value, size_t len,
	const char *replacement, bool all, struct sb_buf *out, struct sb_error *err)
{
	size_t copied = 0;
	size_t at = 0;
	size_t begin;
	size_t end;

	while (at <= len && find(pattern, value, len, at, &begin, &end)) {
		/* No empty match right behind the one before. */
		const bool is_new = end > begin || begin > copied || copied == 0;

		if (is_new) {
			if (sb_buf_add(out, value + copied, begin - copied, err) < 0 ||
				sb_buf_add_str(out, replacement, err) < 0)
				return -1;
			copied = end;
		}
		if (!all)
			break;
		at = end;
		if (end == begin) {
			uint32_t ignored;

			at += end < len ? sb_utf8_next(value + end, len - end, &ignored) : 1;
		}
	}
	return sb_buf_add(out, value + copied, len - copied, err);
}
