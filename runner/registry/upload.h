/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_UPLOAD_H
#define SB_REGISTRY_UPLOAD_H

#include "oci/layout.h"
#include "registry/client.h"

/* One blob on its way from a layout to a registry. */
struct sb_upload {
	const struct sb_descriptor *blob;
	struct sb_layout *from;
	const char *mount_from;       /* another repository of the registry that has it, or NULL */
	uint64_t chunk_bytes;         /* at most this in one request; 0: all of it */
	_Atomic uint64_t *done_bytes; /* kept at what the registry has; may go back */
};

/*
 * Sees to it that the registry has the blob: it may have it, or take it over from another
 * repository, or is sent it; an upload that breaks is taken up where the registry says that it
 * broke. Where something on the way takes no request of that size (413), in smaller pieces.
 *
 * SB_E_INTEGRITY where the registry names another digest; SB_E_NOT_FOUND where the layout does not
 * have it.
 */
int sb_blob_upload(
	struct sb_client *client, const struct sb_upload *upload, struct sb_error *err) SB_MUST_USE;

/* SB_E_INTEGRITY unless a Docker-Content-Digest header, where there is one, is this digest. */
int sb_digest_header_check(const char *header, const struct sb_digest *expected, const char *what,
	struct sb_error *err) SB_MUST_USE;

#endif
