/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_LAYOUT_PRIVATE_H
#define SB_OCI_LAYOUT_PRIVATE_H

#include <sys/stat.h>

#include "oci/json.h"
#include "oci/layout.h"
#include "sys/at.h"

/*
 * What the files of the layout share.
 *
 * Locking: whoever reads and replaces index.json, or removes blobs, holds `.lock` exclusively.
 * Whoever relies on a blob that no index entry reaches yet (has_blob, commit) renews its
 * modification time under the shared lock, so that a removal, which spares young blobs, either sees
 * the new time or is over.
 */
struct sb_layout {
	int fd;
	bool is_writable;
	enum sb_at_how how; /* for reading */
	struct sb_interrupt *interrupt;
};

#define SB_LAYOUT_LOCK ".lock"
#define SB_LAYOUT_TMP "tmp"
#define SB_LAYOUT_BLOBS "blobs/sha256"
#define SB_ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
#define SB_ANNOTATION_IMAGE_NAME "io.containerd.image.name"

enum {
	/* A blob that was used this recently is not removed, referenced or not. */
	SB_LAYOUT_PIN_SECONDS = 3600,
	/* Times are renewed when they are older than this. */
	SB_LAYOUT_RENEW_SECONDS = 600,
};

/* "blobs/sha256/HEX" into a buffer that fits. */
struct sb_blob_path {
	char text[sizeof(SB_LAYOUT_BLOBS) + 1 + 64];
};
struct sb_blob_path sb_blob_path(const struct sb_digest *digest);

/* Without a lock. False where there is none; *out_st is then undefined. */
bool sb_layout_stat_blob(
	const struct sb_layout *layout, const struct sb_digest *digest, struct stat *out_st);
/* SB_E_INTEGRITY where content is not what the descriptor says (a size of 0 says nothing). */
int sb_descriptor_verify(const struct sb_descriptor *d, const struct sb_buf *content,
	struct sb_error *err) SB_MUST_USE;
/* As sb_layout_read_blob, but not counted as a use that keeps the blob. */
int sb_layout_read_blob_aside(const struct sb_layout *layout, const struct sb_descriptor *d,
	struct sb_buf *out, struct sb_error *err) SB_MUST_USE;
int sb_layout_require_writable(const struct sb_layout *layout, struct sb_error *err) SB_MUST_USE;

/* index.json as an object with a 'manifests' list that can be changed. Caller owns *out. */
int sb_layout_load_index(
	const struct sb_layout *layout, json_t **out, struct sb_error *err) SB_MUST_USE;
int sb_layout_store_index(
	const struct sb_layout *layout, const json_t *index, struct sb_error *err) SB_MUST_USE;

/* Removes blobs that no entry of `index` reaches, and what dead writers left. The caller holds the
 * lock. */
int sb_layout_sweep(
	struct sb_layout *layout, const json_t *index, struct sb_error *err) SB_MUST_USE;

/* Does an entry of the index need the blob? */
int sb_layout_is_used(struct sb_layout *layout, const json_t *index, const struct sb_digest *digest,
	bool *out_is_used, struct sb_error *err) SB_MUST_USE;

#endif
