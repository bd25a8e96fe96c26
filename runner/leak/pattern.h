/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_PATTERN_H
#define SB_LEAK_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/error.h"

/*
 * Secrets that nobody named: found by the marks that their issuers put on them, by the shape of
 * files that hold credentials, and by how random a value is for its length.
 */
enum sb_pattern_severity { SB_PATTERN_NOTE, SB_PATTERN_WARNING, SB_PATTERN_ERROR };

/* One entry of the table of rules. All texts are static. */
struct sb_pattern_rule {
	const char *id;    /* "github-token" */
	const char *title; /* "a GitHub token" */
	enum sb_pattern_severity severity;
	const char *fix; /* a sentence */
};
/* NULL past the last. */
const struct sb_pattern_rule *sb_pattern_rule_at(size_t i);

struct sb_pattern_hit {
	const struct sb_pattern_rule *rule;
	uint64_t offset; /* of the value in the stream */
	uint64_t line;   /* from 1; 0 where the stream holds NUL bytes */
	size_t len;      /* of the value */
	char shown[24];  /* the public mark and nothing of the value: "ghp_…(40)" */
};

/*
 * Searches streams. Each stream has a path ("etc/app/.npmrc") or none, as some rules are for files
 * of certain names only. Serves one thread, and one stream at a time.
 */
struct sb_pattern_search;
/* Loads the matcher's library. */
int sb_pattern_search_new(struct sb_pattern_search **out, struct sb_error *err) SB_MUST_USE;
void sb_pattern_search_free(struct sb_pattern_search *search);
SB_DEFINE_FREEP(sb_pattern_search)
void sb_pattern_search_begin(struct sb_pattern_search *search, const char *path);
void sb_pattern_search_feed(struct sb_pattern_search *search, const void *bytes, size_t len);
/* The stream's hits, by offset; at most SB_PATTERN_MAX_HITS, *out_more counts the others. Valid
 * until the next begin. */
enum { SB_PATTERN_MAX_HITS = 64 };
size_t sb_pattern_search_end(
	struct sb_pattern_search *search, const struct sb_pattern_hit **out, uint64_t *out_more);
/* begin, feed, end with a named value ("ENV TOKEN", "label x"): rules for variables by name apply.
 * The name may be NULL. */
size_t sb_pattern_search_value(struct sb_pattern_search *search, const char *name,
	const void *bytes, size_t len, const struct sb_pattern_hit **out);

/*
 * The first value from byte `from` on in a line of a Buildfile, by the same table, without the
 * matcher's library: issuers' marks, private keys' first lines, tokens, passwords in URLs. It takes
 * more for a secret than a search does (any length, however it looks): what is hidden by it had
 * better be too much.
 */
struct sb_pattern_found {
	const struct sb_pattern_rule *rule;
	size_t at;
	size_t len;
};
bool sb_pattern_find_in_text(
	const char *text, size_t len, size_t from, struct sb_pattern_found *out);

#endif
