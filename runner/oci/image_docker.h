/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_IMAGE_DOCKER_H
#define SB_OCI_IMAGE_DOCKER_H

#include <jansson.h>

#include "base/array.h"
#include "oci/image_private.h"

/* What the manifest.json of a docker archive lists. */

struct sb_saved_image {
	const char *config; /* borrowed from the JSON */
	struct sb_strv tags;
	struct sb_strv layers;
};
SB_ARRAY_STRUCT(sb_saved_images, struct sb_saved_image);
void sb_saved_images_release(struct sb_saved_images *list);

/* *out_json owns what the entries borrow. */
int sb_saved_images_read(const struct sb_tar_index *archive, json_t **out_json,
	struct sb_saved_images *out, struct sb_error *err) SB_MUST_USE;
/* An image's config, held against the digest in its name. */
int sb_saved_read_config(const struct sb_tar_index *archive, const char *path, struct sb_buf *out,
	struct sb_digest *out_digest, struct sb_image_config **out_config,
	struct sb_error *err) SB_MUST_USE;
bool sb_saved_has_same_tags(const struct sb_saved_image *a, const struct sb_saved_image *b);
/* One image saved for several platforms has an entry for each, with the same tags: the one for the
 * wanted platform. NULL with the error set. */
struct sb_saved_image *sb_saved_choose_platform(const struct sb_tar_index *archive,
	struct sb_saved_image **matching, size_t n, const struct sb_platform *want,
	struct sb_error *err);
/* The image that an entry describes; name may be NULL. Takes *origin, on success and failure alike.
 */
int sb_saved_open(struct sb_image_origin **origin, const struct sb_saved_image *saved,
	const char *name, struct sb_image **out, struct sb_error *err) SB_MUST_USE;

#endif
