/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_ATTESTATION_H
#define SB_OCI_ATTESTATION_H

#include "oci/layout.h"

/*
 * A statement about an image that travels with it: an in-toto Statement v1 (in-toto/attestation,
 * spec/v1/statement.md) in a manifest of its own, beside the image in one index. The form is
 * BuildKit's ("Image attestation storage"), so that docker buildx imagetools, cosign and scanners
 * find it, and engines that look for the image's platform pass it over.
 */
struct sb_attestation {
	const char *subject;        /* what the statement calls the image; NULL: "_" */
	const char *predicate_type; /* a URI */
	const char *predicate;      /* a JSON object */
	size_t predicate_len;
};

/*
 * Stores the statement and its manifest; *out is the manifest's descriptor as it stands in the
 * image's index, behind the images. The same input gives the same bytes. Caller releases *out.
 */
int sb_attestation_store(struct sb_layout *layout, const struct sb_descriptor *image,
	const struct sb_attestation *attestation, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;

#endif
