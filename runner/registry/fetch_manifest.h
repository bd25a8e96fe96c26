/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_FETCH_MANIFEST_H
#define SB_REGISTRY_FETCH_MANIFEST_H

#include "base/buf.h"
#include "oci/descriptor.h"
#include "oci/layout.h"
#include "registry/client.h"

/*
 * The manifest of the image that the client's reference means for a platform: its bytes in *json
 * and its descriptor in *out (media type, digest and size), both the caller's to release. An index
 * is read on the way; it is not kept, *out_named is its digest (without one, the manifest's). One
 * that the layout has already is taken from there, without the network.
 *
 * Verified: the digest in the reference, the one the registry names in its answer's header, and,
 * for a manifest from an index, digest and size. SB_E_NOT_FOUND where the registry does not have
 * the image or the index not the platform.
 */
int sb_manifest_fetch(struct sb_client *client, const struct sb_platform *want,
	struct sb_layout *layout, struct sb_buf *json, struct sb_descriptor *out,
	struct sb_digest *out_named, struct sb_error *err) SB_MUST_USE;

/* What the client's reference itself means, a manifest or an index, in the same way. */
int sb_manifest_fetch_named(struct sb_client *client, struct sb_layout *layout, struct sb_buf *json,
	struct sb_descriptor *out, struct sb_error *err) SB_MUST_USE;
/* The manifest that an index lists. SB_E_UNSUPPORTED for another index. */
int sb_manifest_fetch_listed(struct sb_client *client, const struct sb_descriptor *listed,
	struct sb_layout *layout, struct sb_buf *json, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;

#endif
