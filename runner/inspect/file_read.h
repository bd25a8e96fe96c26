/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_FILE_READ_H
#define SB_INSPECT_FILE_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "oci/image.h"

/*
 * One file's content out of a layer, by unpacking the layer's stream up to it: nothing of it is
 * kept, and what stands behind it is not read. So no digest is checked here; the inspection did.
 */
struct sb_file_reader {
	/* The next bytes and where in the file they stand; between two calls there may be a hole,
	 * which reads as zeros. False ends the reading, as success. */
	bool (*on_bytes)(void *self, uint64_t at, const void *bytes, size_t len);
	/* How many bytes of the layer were unpacked so far. False cancels. Or NULL. */
	bool (*on_progress)(void *self, uint64_t tar_bytes);
	void *self;
};

/* layer and offset: content_layer and content_offset of an entry (inspect.h). *out_size is the
 * file's size with its holes. SB_E_NOT_FOUND where no file's header stands there; SB_E_CANCELLED.
 */
int sb_image_read_file(struct sb_image *image, size_t layer, uint64_t offset,
	const struct sb_file_reader *reader, uint64_t *out_size, struct sb_error *err) SB_MUST_USE;

#endif
