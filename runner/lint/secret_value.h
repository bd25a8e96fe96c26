/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_SECRET_VALUE_H
#define SB_LINT_SECRET_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Values that look like secrets: by the marks that their issuers put on them, or as long strings
 * that are too random to be anything else.
 */
struct sb_secret_value {
	const char *kind; /* "an AWS access key id"; static */
	size_t at;
	size_t len;
};

/* The first value with an issuer's mark from byte `from` on. */
bool sb_secret_value_find(const char *text, size_t len, size_t from, struct sb_secret_value *out);

/* Is the whole of it one random string? Hex alone counts only where is_named: digests and commits
 * look the same as keys. Hex in capitals is a fingerprint. */
bool sb_secret_value_is_random(const char *text, size_t len, bool is_named);

/* A copy in which each value is "[hidden]"; caller frees. */
char *sb_secret_value_hide(const char *text);

#endif
