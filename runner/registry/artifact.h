/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_ARTIFACT_H
#define SB_REGISTRY_ARTIFACT_H

#include "oci/layout.h"
#include "oci/reference.h"

/*
 * Whatever a reference names in a registry, an image or not: its manifest or index, and a way to
 * the blobs that this lists, taken one by one where they are wanted.
 */
struct sb_artifact;

struct sb_artifact_options {
	const char *auth_file; /* or NULL: see auth.h; borrowed, as is all that follows */
	struct sb_interrupt *interrupt;
	/* While a blob moves, some ten times a second, on the thread that asked for it; done and
	 * total are bytes. May be NULL. */
	void (*on_progress)(void *data, const char *what, uint64_t done, uint64_t total);
	void *data;
};

/*
 * Asks for the manifest, of the mirrors that registries.conf names and then of the registry itself,
 * and reads no more than SB_MAX_JSON of it. Not the whole of it takes longer than half a minute for
 * each place that is asked. Errors as for sb_registry_pull, without the reference's name.
 */
int sb_artifact_open(const struct sb_reference *ref, const struct sb_artifact_options *options,
	struct sb_artifact **out, struct sb_error *err) SB_MUST_USE;
void sb_artifact_free(struct sb_artifact *artifact);
SB_DEFINE_FREEP(sb_artifact)
/* Borrowed; its digest is the one in the reference, where there is one. */
const struct sb_buf *sb_artifact_manifest(const struct sb_artifact *artifact);

/* A small blob, of at most SB_MAX_JSON, verified; within half a minute. */
int sb_artifact_read(struct sb_artifact *artifact, const struct sb_descriptor *blob,
	struct sb_buf *out, struct sb_error *err) SB_MUST_USE;
/* A blob into a layout, verified as it is read, unless it is there. Any thread; several at once. */
int sb_artifact_fetch(struct sb_artifact *artifact, const struct sb_descriptor *blob,
	struct sb_layout *to, struct sb_error *err) SB_MUST_USE;

#endif
