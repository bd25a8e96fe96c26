/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_PATTERN_RULE_H
#define SB_LEAK_PATTERN_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/pattern.h"

/*
 * What the rules are made of. A rule has marks, literals that are searched for all at once. Where
 * one is found, the rule's verify looks at the text around it and says where the value is; without
 * a verify, the value is the mark and `min` to `max` characters of `set` behind it, as random as
 * issued tokens are. Rules for files look at the beginning of files with certain names.
 */
enum sb_charset {
	SB_CHARS_NONE,
	SB_CHARS_HEX,          /* lower case */
	SB_CHARS_UPPER_BASE32, /* A-Z 2-7 */
	SB_CHARS_BECH32,       /* in capitals */
	SB_CHARS_UPPER,        /* capitals and digits */
	SB_CHARS_UPPER_DASH,
	SB_CHARS_ALNUM,
	SB_CHARS_ALNUM_DASH,
	SB_CHARS_WORD,  /* and _ */
	SB_CHARS_URL64, /* and _ - */
	SB_CHARS_URL64_DOT,
	SB_CHARS_BASE64, /* and + / = */
	SB_CHARS_ANY64,  /* of both base64 */
};

/* The text around a mark. */
struct sb_pattern_view {
	const char *text;
	size_t len;
	bool is_start; /* the first byte is the stream's first */
	bool is_line;  /* a line of a Buildfile: a token of any length counts, however it looks */
	const char *path; /* or NULL */
};

struct sb_pattern_span {
	size_t at;
	size_t len;
};

struct sb_pattern_mark {
	const char *text;
	enum sb_charset set;
	uint16_t min;
	uint16_t max;      /* 0: min */
	uint16_t alphabet; /* of the entropy's floor; 0: that of the set */
};

/* `at` is where the mark begins. Writes the span of the value on success. */
typedef bool (*sb_pattern_verify_fn)(const struct sb_pattern_view *view,
	const struct sb_pattern_mark *mark, size_t at, struct sb_pattern_span *out);
/* The view begins where the file does. */
typedef bool (*sb_pattern_file_fn)(const struct sb_pattern_view *view, struct sb_pattern_span *out);

enum sb_pattern_flags {
	SB_PATTERN_ANY_CASE = 1 << 0,  /* of the marks */
	SB_PATTERN_TEXT_ONLY = 1 << 1, /* in binary bytes, chance makes too many of these */
	SB_PATTERN_IN_LINES = 1 << 2,  /* also for the lines of a Buildfile */
	SB_PATTERN_GENERIC = 1 << 3,   /* counts only where no other rule matches */
};

enum { SB_PATTERN_MAX_MARKS = 12, SB_PATTERN_MAX_FILES = 10 };

struct sb_pattern_entry {
	struct sb_pattern_rule rule;
	unsigned flags;
	sb_pattern_verify_fn verify;
	struct sb_pattern_mark marks[SB_PATTERN_MAX_MARKS];
	sb_pattern_file_fn verify_file;
	/* For the path's last part, in any case: a name, or '*' and the end of names. */
	const char *files[SB_PATTERN_MAX_FILES];
};

/* pattern_issuers.c and pattern_shapes.c; both end with an entry without an id. */
extern const struct sb_pattern_entry sb_pattern_issuers[];
extern const struct sb_pattern_entry sb_pattern_shapes[];
/* All of both in order; NULL past the last. */
const struct sb_pattern_entry *sb_pattern_entry_at(size_t i);
/* The rule for variables by their names, which has no marks. */
const struct sb_pattern_rule *sb_pattern_variable_rule(void);

/* Is there a value at the mark? By verify, or by the mark's own data. */
bool sb_pattern_verify(const struct sb_pattern_entry *entry, const struct sb_pattern_view *view,
	const struct sb_pattern_mark *mark, size_t at, struct sb_pattern_span *out);
/* Is the last part of the path one of the entry's files? */
bool sb_pattern_has_file(const struct sb_pattern_entry *entry, const char *path);

#endif
