/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_REACH_H
#define SB_OCI_REACH_H

#include "oci/layout.h"

/*
 * All blobs that an image consists of, found by walking from its manifest or index: the blob
 * itself, nested manifests and indexes, configs, layers and subjects. Each is listed once, sorted
 * by digest. Blobs that are not there are listed too, since only their own content is unknown then.
 * SB_E_INTEGRITY where a manifest can't be read.
 */
int sb_layout_reach(struct sb_layout *layout, const struct sb_descriptor *from,
	struct sb_descriptors *inout, struct sb_error *err) SB_MUST_USE;
/* Is the digest in a list that sb_layout_reach made? */
bool sb_reach_has(const struct sb_descriptors *list, const char *hex);

#endif
