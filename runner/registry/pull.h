/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_PULL_H
#define SB_REGISTRY_PULL_H

#include "base/error.h"
#include "oci/descriptor.h"
#include "oci/layout.h"
#include "oci/manifest.h"
#include "oci/reference.h"

/* OCI distribution spec v1.1 and Docker registry API v2, pull. */
struct sb_pull_options {
	const struct sb_platform *want; /* or NULL: the host's */
	/* Of an index, all that it lists, and it itself: *out is its descriptor then. */
	bool all_platforms;
	const char *auth_file; /* or NULL: see auth.h */
	/* Some ten times a second: `what` is the image's name or a blob's short digest, done and
	 * total are bytes over all blobs, those that need no fetching included (total is 0 until
	 * the manifest is known; done may go back where a transfer starts anew). May be NULL.
	 * Returning false cancels with SB_E_CANCELLED, within a second also where nothing moves. */
	bool (*on_progress)(void *data, const char *what, uint64_t done, uint64_t total);
	/* The config and the first n layers of the image are in the layout, verified; the others
	 * still come. Once with 0, before any is fetched, and as often as n grows; what fails ends
	 * the pull. `data` as above; or NULL. */
	int (*on_layers)(
		void *data, const struct sb_manifest *manifest, size_t n, struct sb_error *err);
	void *data;
	/* Gets, on success, the digest of what the name itself means, an index's where it is one:
	 * by that digest, other platforms' images are had of the same. Or NULL. */
	struct sb_digest *out_named;
};

/*
 * Brings an image into a layout: manifest (of the wanted platform, chosen in an index), config,
 * layers, several at once; blobs that are there already are not fetched. Every digest and size is
 * verified while streaming, and nothing half-made stays. *out is the manifest's descriptor; nothing
 * is put into index.json.
 *
 * Asked are the mirrors that registries.conf names, then the registry itself: https, and plain
 * http for loopback addresses (unless there is a certificate for them) and where registries.conf
 * allows it.
 *
 * SB_E_NOT_FOUND where the registry does not have the image, or it is not made for the platform;
 * SB_E_AUTH where it is not for everyone; SB_E_DENIED where registries.conf blocks it;
 * SB_E_NETWORK; SB_E_INTEGRITY; SB_E_UNSUPPORTED also where libcurl is not installed. Messages
 * begin "pull 'NAME'".
 */
int sb_registry_pull(const struct sb_reference *ref, const struct sb_pull_options *options,
	struct sb_layout *to, struct sb_descriptor *out, struct sb_error *err) SB_MUST_USE;

/* sb_registry_pull for a name as users write it, which registries.conf may let mean images of
 * several registries: the first that is there. *out_ref is which; the caller's to release. */
int sb_registry_pull_name(const char *name, const struct sb_pull_options *options,
	struct sb_layout *to, struct sb_descriptor *out, struct sb_reference *out_ref,
	struct sb_error *err) SB_MUST_USE;

#endif
