/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_VERIFICATION_H
#define SB_INSPECT_VERIFICATION_H

#include "inspect/inspect.h"

/*
 * The record that an image was searched for the secrets of its build: what was looked at, for which
 * ids, in which forms, and what came of it. It can be published with the image: nothing in it is
 * made from a secret's value, so there is nothing to guess one by. The document is described in
 * verification.c.
 */
enum sb_verification_result {
	SB_VERIFIED_CLEAN,
	SB_VERIFIED_IN_PART, /* nothing found, but something could not be searched or searched for
			      */
	SB_VERIFIED_LEAK,
	SB_VERIFIED_BROKEN, /* a digest or size does not fit: what was searched is not the image */
};
enum sb_verification_result sb_verification_result(const struct sb_inspection *inspection);
/* "clean", "partial", "leak", "broken"; static. */
const char *sb_verification_word(enum sb_verification_result result);

/* A URI for the record as an in-toto predicate. */
#define SB_VERIFICATION_PREDICATE "urn:safebuild:secret-search:v1"

/*
 * The record as JSON, the same bytes for the same image and secrets. `tool` is the program with its
 * version. Caller frees *out.
 */
int sb_verification_json(const struct sb_inspection *inspection, const struct sb_secrets *secrets,
	const char *tool, char **out, struct sb_error *err) SB_MUST_USE;

#endif
