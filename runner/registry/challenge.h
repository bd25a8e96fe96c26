/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CHALLENGE_H
#define SB_REGISTRY_CHALLENGE_H

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"

/* One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
struct sb_challenge {
	char *scheme;          /* as sent; compared without case */
	struct sb_strv params; /* "name=value", names in lower case, values unquoted */
};
SB_ARRAY_STRUCT(sb_challenges, struct sb_challenge);

void sb_challenges_release(struct sb_challenges *list);

/*
 * Appends the challenges of one header's value. A value may hold several ("Basic realm="a", Bearer
 * realm="b""), and an answer several headers. SB_E_AUTH where it does not follow the grammar; list
 * is then as it was.
 */
int sb_challenges_parse(
	const char *value, struct sb_challenges *list, struct sb_error *err) SB_MUST_USE;

/* The first of a scheme, or NULL; borrowed. */
const struct sb_challenge *sb_challenges_find(const struct sb_challenges *list, const char *scheme);
/* NULL where it has no such parameter; borrowed. */
const char *sb_challenge_param(const struct sb_challenge *challenge, const char *name);

#endif
