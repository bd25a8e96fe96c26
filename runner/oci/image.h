/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_IMAGE_H
#define SB_OCI_IMAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "oci/config.h"
#include "oci/layout.h"
#include "oci/manifest.h"

/*
 * One image that can be read, wherever it lies: in a layout folder (the store is one), in an OCI
 * archive, or in an archive of `docker save` (old and new form). The form is found by looking at
 * the content, never by the name. What can't seek (a pipe), or is compressed as a whole, is spooled
 * to an unnamed file in tmp_dir_fd first.
 */
struct sb_image {
	struct sb_descriptor descriptor; /* of the manifest; digest unset where the archive has none
					    (old docker form) */
	struct sb_manifest *manifest;    /* made up from manifest.json for the docker forms */
	struct sb_image_config *config;
	struct sb_buf config_json; /* as stored, its digest verified */
	char *form;                /* "oci layout", "oci archive", "docker archive" */
	char *name;                /* ref.name or RepoTag, or NULL */
	void *origin;              /* private: how blobs are reached */
};

void sb_image_free(struct sb_image *image);
SB_DEFINE_FREEP(sb_image)

/* From a layout, by manifest or index descriptor; `want` chooses in an index. The layout must
 * outlive the image. */
int sb_image_from_layout(struct sb_layout *layout, const struct sb_descriptor *d,
	const struct sb_platform *want, struct sb_image **out, struct sb_error *err) SB_MUST_USE;

struct sb_image_open_options {
	const char *name;               /* which of several images, or NULL: the only one */
	const struct sb_platform *want; /* or NULL: the host's */
	int tmp_dir_fd;
	struct sb_interrupt *interrupt; /* ends the spooling; or NULL */
};
/* From an open folder or file (borrowed; duplicated). SB_E_INTEGRITY says what it is not;
 * SB_E_UNSUPPORTED where it is an archive that looks like a root file system, or an artifact. */
int sb_image_open_fd(int fd, const struct sb_image_open_options *options, struct sb_image **out,
	struct sb_error *err) SB_MUST_USE;

/* A blob's bytes as a stream. SB_E_UNSUPPORTED for a foreign layer that is not in the image. Not
 * verified: the reader computes the digest. read returns 0 at the end. */
struct sb_blob_reader;
int sb_image_read_layer(struct sb_image *image, size_t i, struct sb_blob_reader **out,
	struct sb_error *err) SB_MUST_USE;
ssize_t sb_blob_reader_read(
	struct sb_blob_reader *r, void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
void sb_blob_reader_free(struct sb_blob_reader *r);
SB_DEFINE_FREEP(sb_blob_reader)

/*
 * Copies config, manifest and the layers that are missing into a layout, verifying each digest and
 * size on the way; *out is the manifest's descriptor there (not yet in index.json).
 */
int sb_image_copy_to_layout(struct sb_image *image, struct sb_layout *to, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;

/* An image of a layout, by manifest or index, with all its names. */
struct sb_named_image {
	struct sb_descriptor manifest;
	struct sb_strv names; /* as they stand there; may be empty */
};
SB_ARRAY_STRUCT(sb_named_images, struct sb_named_image);
void sb_named_images_release(struct sb_named_images *images);

/*
 * Copies every image that a folder or file (as for sb_image_open_fd) has into a layout, verified as
 * it is read. An image for several platforms stays one where all of them are there; of one that is
 * not whole, and of a docker archive's, the platform that options->want says is taken, and notes
 * gets a line. options->name is not looked at. What is loaded is in no index yet.
 */
int sb_image_load_all(int fd, const struct sb_image_open_options *options, struct sb_layout *to,
	struct sb_named_images *out, struct sb_strv *notes, struct sb_error *err) SB_MUST_USE;

/* Reads all that the images consist of, in a layout that can be written. SB_E_INTEGRITY where
 * something has another digest; that is removed, so that whoever brings the image again writes it
 * anew. */
int sb_images_verify(struct sb_layout *layout, const struct sb_named_images *images,
	struct sb_error *err) SB_MUST_USE;

/* Writing images that lie in a layout as one file. Deterministic. What is in the layout is taken to
 * have the digest that it is named after. */
int sb_image_write_oci_archive(struct sb_layout *layout, const struct sb_named_images *images,
	int out_fd, struct sb_error *err) SB_MUST_USE;
/* As `docker save` since 25: manifest.json, without repositories, with blobs/ and index.json so
 * that OCI tools take it too. Names stand in the short form, as Docker shows them ("alpine:3").
 * Manifests only, no indexes: SB_E_BUG.
 */
int sb_image_write_docker_archive(struct sb_layout *layout, const struct sb_named_images *images,
	int out_fd, struct sb_error *err) SB_MUST_USE;
/* As an OCI layout in a folder (made where missing is the caller's work): adds to what is there. */
int sb_image_write_oci_folder(struct sb_layout *layout, const struct sb_named_images *images,
	int dir_fd, struct sb_error *err) SB_MUST_USE;
/* The same for one manifest or index, which takes the place of what had that name: this is listed
 * no more, and what it alone needed goes when it is an hour old. */
int sb_image_replace_in_oci_folder(struct sb_layout *layout, const struct sb_descriptor *manifest,
	const char *name, int dir_fd, struct sb_error *err) SB_MUST_USE;

#endif
