/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_SURROUNDINGS_H
#define SB_INSPECT_SURROUNDINGS_H

#include "inspect/inspector.h"

/*
 * All that lies with the image and is not its config or one of its layers: indexes, manifests,
 * other platforms' images, attestations, what descriptors hold inline, blobs that nothing refers
 * to, and the bytes of an archive that are in none of its files. All of it is searched, with what
 * is packed in it, and each blob's digest and size are checked.
 */
void sb_inspector_read_surroundings(struct sb_inspector *in, const struct sb_image *image);

#endif
