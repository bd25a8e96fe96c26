/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_IMAGE_FILES_H
#define SB_OCI_IMAGE_FILES_H

#include "oci/image.h"

/*
 * All that lies with an image in its archive or layout folder, whether it belongs to it or not: for
 * whoever wants to have seen every byte. In a layout that is shared by many images (a store) other
 * files are nobody's business: the list is empty, and blobs are reached from the root.
 */
struct sb_image_file {
	char *name;              /* "blobs/sha256/…", "repositories"; "" for bytes of an archive
				    that are in no file: headers, padding, what stands behind */
	struct sb_digest digest; /* that the name claims, or unset */
	uint64_t size_bytes;
	uint64_t offset; /* in an archive */
	bool is_part;    /* the image's own manifest, config or layer */
};
SB_ARRAY_STRUCT(sb_image_files, struct sb_image_file);

/* By name. Caller releases *out. */
int sb_image_list_files(
	const struct sb_image *image, struct sb_image_files *out, struct sb_error *err) SB_MUST_USE;
void sb_image_files_release(struct sb_image_files *files);
int sb_image_open_file(const struct sb_image *image, const struct sb_image_file *file,
	struct sb_blob_reader **out, struct sb_error *err) SB_MUST_USE;

/* A blob of the same archive or layout; SB_E_NOT_FOUND. Not verified. */
int sb_image_open_blob(const struct sb_image *image, const struct sb_digest *digest,
	struct sb_blob_reader **out, struct sb_error *err) SB_MUST_USE;
/* The manifest or index that the image was found by; its digest is unset where a whole archive or
 * folder was opened. */
const struct sb_descriptor *sb_image_root(const struct sb_image *image);
/* The manifest as stored; empty where the archive has none. */
const struct sb_buf *sb_image_manifest_json(const struct sb_image *image);

#endif
