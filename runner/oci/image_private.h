/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_IMAGE_PRIVATE_H
#define SB_OCI_IMAGE_PRIVATE_H

#include "base/array.h"
#include "oci/image.h"
#include "oci/tar_index.h"

/* What the files of sb_image share. */

/* How an image's blobs are reached: one of layout and archive is set. */
struct sb_image_origin {
	struct sb_layout *layout;
	struct sb_layout *owned_layout; /* the same, where the image opened it itself */
	struct sb_tar_index *archive;
	struct sb_tar_index *owned_archive;           /* the same, where it is the image's alone */
	SB_ARRAY(const struct sb_tar_entry *) layers; /* docker archives: each layer's file */
	struct sb_buf manifest_json; /* as stored; empty where the manifest was made up */
	struct sb_descriptor root;   /* what the image of a layout was asked for by, or unset */
};

struct sb_image_origin *sb_image_origin_new(void);
void sb_image_origin_free(struct sb_image_origin *origin);
SB_DEFINE_FREEP(sb_image_origin)

enum sb_image_form { SB_FORM_LAYOUT, SB_FORM_OCI_ARCHIVE, SB_FORM_DOCKER_ARCHIVE };
/* "oci layout", "oci archive", "docker archive". Static. */
const char *sb_image_form_name(enum sb_image_form form);
/* From a folder or file, spooled where need be, with its form by its content. */
int sb_image_origin_open(int fd, const struct sb_image_open_options *options,
	struct sb_image_origin **out, enum sb_image_form *out_form,
	struct sb_error *err) SB_MUST_USE;
/* Another one for the same blobs; `from` must outlive it. */
struct sb_image_origin *sb_image_origin_borrow(const struct sb_image_origin *from);
/* The entries of index.json. Not for docker archives. */
int sb_image_origin_index(const struct sb_image_origin *origin, struct sb_descriptors *out,
	struct sb_error *err) SB_MUST_USE;

/* Bytes of a blob, and only they, through pread. */
struct sb_blob_reader {
	int fd; /* owned */
	uint64_t offset;
	uint64_t left;
};
/* SB_E_NOT_FOUND names the digest. */
int sb_image_origin_open_blob(const struct sb_image_origin *origin, const struct sb_digest *digest,
	struct sb_blob_reader **out, struct sb_error *err) SB_MUST_USE;
int sb_blob_reader_of_entry(const struct sb_tar_index *archive, const struct sb_tar_entry *entry,
	struct sb_blob_reader **out, struct sb_error *err) SB_MUST_USE;
/* A JSON blob, its digest and size verified. *out is overwritten. */
int sb_image_origin_read_json(const struct sb_image_origin *origin, const struct sb_descriptor *d,
	struct sb_buf *out, struct sb_error *err) SB_MUST_USE;

/* Takes *origin, on success and failure alike. */
int sb_image_from_descriptor(struct sb_image_origin **origin, const struct sb_descriptor *d,
	const struct sb_platform *want, const char *form, struct sb_image **out,
	struct sb_error *err) SB_MUST_USE;
/* Chooses in an index.json. */
int sb_image_from_index(struct sb_image_origin **origin, const struct sb_descriptors *list,
	const struct sb_image_open_options *options, const char *form, struct sb_image **out,
	struct sb_error *err) SB_MUST_USE;
/* The images that an index.json is about, those in nested indexes that carry the names too; without
 * attestations. */
int sb_image_collect(const struct sb_image_origin *origin, const struct sb_descriptors *list,
	struct sb_descriptors *out, struct sb_error *err) SB_MUST_USE;
/* Is it an index? By its media type, or where that is not given by its content. */
bool sb_image_is_index(const struct sb_descriptor *d, const struct sb_buf *json);
int sb_image_from_docker_archive(struct sb_image_origin **origin,
	const struct sb_image_open_options *options, struct sb_image **out,
	struct sb_error *err) SB_MUST_USE;

/* The digest that a file's name claims: "HEX", "HEX.json", "sha256:HEX", with folders before it. */
bool sb_digest_of_file_name(const char *path, struct sb_digest *out);
/* Reads to the end into a file, with the digest and size of what was read. */
int sb_blob_reader_copy(struct sb_blob_reader *reader, struct sb_interrupt *interrupt, int to,
	struct sb_digest *out_digest, uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;

/* The config belongs to the layers: as many diff_ids as layers. */
int sb_image_check_layers(const struct sb_image *image, struct sb_error *err) SB_MUST_USE;
/* Do two names say the same image: "alpine" and "docker.io/library/alpine:latest"? */
bool sb_image_name_is(const char *have, const char *want);
/* "there are several images": lists the names that could be given. */
int sb_image_fail_choice(
	const char *wanted, const struct sb_strv *names, const char *form, struct sb_error *err);

/* The OCI media type of a layer by its first bytes; SB_E_UNSUPPORTED for bzip2 and xz. Static. */
int sb_layer_media_type_of(
	const struct sb_blob_reader *reader, const char **out, struct sb_error *err) SB_MUST_USE;

#endif
