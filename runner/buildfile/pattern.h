/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_PATTERN_H
#define SB_BUILDFILE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"

/*
 * The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*` is any
 * text, `?` one character, a backslash makes either of them, or itself, literal. There are no
 * bracket classes.
 *
 * Matching takes time in the product of the two lengths at most.
 */
struct sb_pattern;

/* Fails with SB_E_SYNTAX at an escape of anything else, with SB_E_LIMIT past
 * SB_MAX_EXPANSION_PATTERN bytes. */
int sb_pattern_parse(
	const char *text, size_t len, struct sb_pattern **out, struct sb_error *err) SB_MUST_USE;
void sb_pattern_free(struct sb_pattern *pattern);
SB_DEFINE_FREEP(sb_pattern)

/* The shortest or longest start (end) of a value that matches; false where none does. */
bool sb_pattern_prefix(const struct sb_pattern *pattern, const char *value, size_t len,
	bool is_longest, size_t *out_len);
bool sb_pattern_suffix(const struct sb_pattern *pattern, const char *value, size_t len,
	bool is_longest, size_t *out_len);

/* Appends the value with the leftmost, longest match replaced, or every one. */
int sb_pattern_replace(const struct sb_pattern *pattern, const char *value, size_t len,
	const char *replacement, bool all, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;

#endif
