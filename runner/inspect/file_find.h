/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_FILE_FIND_H
#define SB_INSPECT_FILE_FIND_H

#include <stdint.h>

#include "base/error.h"
#include "oci/image.h"

/* Which layer a person means: its number, from 1, or the beginning (4 hex digits at least) of the
 * digest or diff_id of one, with or without "sha256:". *out_layer is an index. SB_E_USAGE. */
int sb_image_find_layer(const struct sb_image *image, const char *text, size_t *out_layer,
	struct sb_error *err) SB_MUST_USE;

/* Where the content is of a file that a layer has, for sb_image_read_file (file_read.h): of several
 * of one path it is the last one's; a hard link's is that of what it names, maybe in a lower layer.
 * SB_E_NOT_FOUND where the layer has no regular file there; the hint says what it has. */
int sb_image_find_file(struct sb_image *image, size_t layer, const char *path, size_t *out_layer,
	uint64_t *out_offset, struct sb_error *err) SB_MUST_USE;

#endif
