/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_LAYOUT_H
#define SB_OCI_LAYOUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/strv.h"
#include "oci/manifest.h"
#include "sys/interrupt.h"

/*
 * An OCI image layout folder (image-layout.md): oci-layout, index.json, blobs/sha256/. The store is
 * one; so is an exported folder. Any number of processes may use one at a time: blobs appear whole
 * (written to a temporary name, synced, renamed), and index.json is replaced atomically under a
 * lock (`.lock` in the folder).
 */
struct sb_layout;

/* create: makes the folder's files where they are missing (dir_fd itself must exist). Without it
 * the layout is read only, and nothing is written into the folder. dir_fd is duplicated. */
int sb_layout_open(
	int dir_fd, bool create, struct sb_layout **out, struct sb_error *err) SB_MUST_USE;
void sb_layout_free(struct sb_layout *layout);
SB_DEFINE_FREEP(sb_layout)
/* What ends long work on the layout (copying, writing out) with SB_E_CANCELLED; borrowed, NULL at
 * the start. */
void sb_layout_set_interrupt(struct sb_layout *layout, struct sb_interrupt *interrupt);
struct sb_interrupt *sb_layout_interrupt(const struct sb_layout *layout);
/* Borrowed. */
int sb_layout_fd(const struct sb_layout *layout);

/* In a layout opened with `create`, asking for a blob (and opening it) counts as a use: it is not
 * removed within the next 50 minutes, even if nothing refers to it. */
bool sb_layout_has_blob(struct sb_layout *layout, const struct sb_digest *digest);
/* The same, for a blob that has that size; one of another size is as if it were not there. */
bool sb_layout_has_whole_blob(
	struct sb_layout *layout, const struct sb_digest *digest, uint64_t size_bytes);
/* A blob of the descriptor's size (0 says nothing) that, where it is at most a MiB, is known to
 * have its digest too. One that is there but broken counts as missing: writing it again replaces
 * it. */
bool sb_layout_holds(struct sb_layout *layout, const struct sb_descriptor *d);
/* Removes a blob whose content is not what its digest says, so that it can be written anew. */
int sb_layout_discard_blob(
	struct sb_layout *layout, const struct sb_digest *digest, struct sb_error *err) SB_MUST_USE;
/* Removes a blob, of any age, that no image of the layout needs. */
int sb_layout_discard_unused_blob(
	struct sb_layout *layout, const struct sb_digest *digest, struct sb_error *err) SB_MUST_USE;
/* Digests of all blobs that the layout's images need, each once. */
int sb_layout_used_blobs(
	struct sb_layout *layout, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;
/*
 * Removes blobs that neither an image nor `keep` (hex digits, sorted) needs, and what writers that
 * died left. is_alone: no other process uses the layout, so that young ones are nobody's; else they
 * stay as in sb_layout_remove. min_age_s: younger ones stay in any case. *out_bytes is what they
 * took on disk.
 */
int sb_layout_clear_unused(struct sb_layout *layout, const struct sb_strv *keep, bool is_alone,
	int64_t min_age_s, uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;
/* SB_E_NOT_FOUND names the digest. The content is not verified here. */
int sb_layout_open_blob(struct sb_layout *layout, const struct sb_digest *digest, int *out_fd,
	struct sb_error *err) SB_MUST_USE;
/* Reads a small blob (JSON) and verifies its digest, and size where it is not 0. */
int sb_layout_read_blob(struct sb_layout *layout, const struct sb_descriptor *d, struct sb_buf *out,
	struct sb_error *err) SB_MUST_USE;
/* Stores bytes as a blob, also in place of one that is broken. */
int sb_layout_put_bytes(struct sb_layout *layout, const void *bytes, size_t len,
	struct sb_digest *out, struct sb_error *err) SB_MUST_USE;
/* Stores an image index (image-index.md) of these entries, in their order. *out, the caller's to
 * release, is its descriptor; it is in index.json of the layout no more than a blob is. */
int sb_layout_put_index(struct sb_layout *layout, const struct sb_descriptors *entries,
	struct sb_descriptor *out, struct sb_error *err) SB_MUST_USE;

/*
 * A blob that is being written: write to blob_fd (a file in the layout's tmp folder), then commit
 * under the digest the caller computed; free without commit removes it. Commit syncs, then renames;
 * a blob that is there already is replaced, since nobody has looked at what it holds now.
 */
struct sb_blob_writer;
int sb_blob_writer_new(
	struct sb_layout *layout, struct sb_blob_writer **out, struct sb_error *err) SB_MUST_USE;
int sb_blob_writer_fd(const struct sb_blob_writer *w); /* borrowed */
int sb_blob_writer_commit(
	struct sb_blob_writer *w, const struct sb_digest *digest, struct sb_error *err) SB_MUST_USE;
void sb_blob_writer_free(struct sb_blob_writer *w);
SB_DEFINE_FREEP(sb_blob_writer)

/* index.json: names are org.opencontainers.image.ref.name annotations. All images, in file order.
 */
int sb_layout_list(
	struct sb_layout *layout, struct sb_descriptors *out, struct sb_error *err) SB_MUST_USE;
/* The annotation's value, or NULL. Borrowed from the descriptor. */
const char *sb_descriptor_name(const struct sb_descriptor *d);
/* The image of that exact name; SB_E_NOT_FOUND where there is none. */
int sb_layout_find(struct sb_layout *layout, const char *name, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;
/* Adds an image; a name (may be NULL) is taken from the image that has it, which stays, nameless,
 * where no other name is left to it, as docker does ("<none>"). */
int sb_layout_add(struct sb_layout *layout, const struct sb_descriptor *manifest, const char *name,
	struct sb_error *err) SB_MUST_USE;
/* Removes the name (or, with digest text, all entries of that digest), then every blob that no
 * entry reaches and no running process has pinned (blobs younger than an hour are kept). */
int sb_layout_remove(struct sb_layout *layout, const char *name, struct sb_error *err) SB_MUST_USE;

#endif
