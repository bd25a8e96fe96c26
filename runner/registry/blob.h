/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_BLOB_H
#define SB_REGISTRY_BLOB_H

#include "oci/layout.h"
#include "registry/client.h"

/*
 * Brings one blob into a layout, unless it is there. Its digest is computed as it streams by; more
 * bytes than the descriptor's size end the transfer at once, and a broken one is taken up where it
 * broke. The blob appears when all of it was right, or not at all.
 *
 * *done_bytes is kept at what there is of this blob so far; it may go back to 0.
 * SB_E_INTEGRITY for a wrong size or digest, and for a blob that the registry does not have.
 */
int sb_blob_fetch(struct sb_client *client, const struct sb_descriptor *blob, struct sb_layout *to,
	_Atomic uint64_t *done_bytes, struct sb_error *err) SB_MUST_USE;

#endif
