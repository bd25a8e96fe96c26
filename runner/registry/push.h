/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_PUSH_H
#define SB_REGISTRY_PUSH_H

#include "base/error.h"
#include "oci/layout.h"
#include "oci/reference.h"

struct sb_push_options {
	const char *auth_file; /* or NULL: see auth.h */
	bool may_lack_blobs;   /* the registry should have the blobs that the layout lacks */
	uint64_t chunk_bytes;  /* of a blob in one request, at most; 0: all of it */
	/* As in sb_pull_options. */
	bool (*on_progress)(void *data, const char *what, uint64_t done, uint64_t total);
	void *data;
};

/*
 * Brings an image or index of a layout into registries, under each of the names (n >= 1). Blobs
 * that a registry has are not sent; those that other images of the layout have in the same registry
 * are taken over there (cross-repository mount). Manifests are sent as they are stored, so that
 * their digest stays; the one that gets a name comes last.
 *
 * Foreign layers are not sent. SB_E_NOT_FOUND where the layout lacks a blob or, for an index, an
 * image; SB_E_AUTH; SB_E_NETWORK; SB_E_INTEGRITY where the registry says to have stored something
 * else. Messages begin "push 'NAME'".
 */
int sb_registry_push(struct sb_layout *from, const struct sb_descriptor *image,
	const struct sb_reference *names, size_t n, const struct sb_push_options *options,
	struct sb_error *err) SB_MUST_USE;

#endif
