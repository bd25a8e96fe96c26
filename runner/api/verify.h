/* SPDX-License-Identifier: MIT */
#ifndef SB_API_VERIFY_H
#define SB_API_VERIFY_H

#include "build/build.h"
#include "safebuild.h"

/*
 * The proof of a build: its image, layers of the base included, read back from the store and
 * searched for the build's secrets, before it gets a name or leaves the store.
 */
struct sb_proof {
	char *json; /* inspect/verification.h */
	size_t json_len;
};
void sb_proof_release(struct sb_proof *proof);

/*
 * Fails with SB_E_LEAK where the image holds a secret (a base image may), with SB_E_INTEGRITY where
 * the store's blobs are not what they should be. *out is the record in these cases too. Warns of
 * what could not be searched.
 */
int sb_proof_make(struct sb_build *build, const struct sb_descriptor *manifest,
	struct sb_proof *out, struct sb_error *err) SB_MUST_USE;
/* Writes a record where it is asked for: to `file`, or (NULL) DEST.verification.json beside each
 * output that is a file or folder. */
int sb_proof_write(const char *record, const char *file, const struct sb_output_option *outputs,
	size_t n_outputs, struct sb_error *err) SB_MUST_USE;
/* The record as an attestation, for the image's index. Caller releases *out. */
int sb_proof_attest(const struct sb_proof *proof, struct sb_layout *store,
	const struct sb_descriptor *manifest, const char *name, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;

#endif
