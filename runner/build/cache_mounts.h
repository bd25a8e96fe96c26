/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_MOUNTS_H
#define SB_BUILD_CACHE_MOUNTS_H

#include "build/inventory.h"
#include "leak/content.h"
#include "oci/image.h"

/*
 * Cache mounts on their way to another store: as an image, so that whatever moves images moves
 * them. Each is a layer, with the owners that the image's processes see, and the config's label
 * safebuild.cache-mount.N (from 0, in the layers' order) is "MODE UID GID KEY" of its folder.
 */
struct sb_cache_mounts {
	struct sb_layout *store;
	struct sb_snapshots *snapshots;
	const struct sb_host_ids *host;
	struct sb_interrupt *interrupt;
	struct sb_content_search *search; /* for secrets: SB_E_LEAK; NULL: none is known */
	struct sb_strv *warnings;
};

/* The mounts ("cache/HEX") as an image in the store, in no index. One that a build has at the time
 * is an error. */
int sb_cache_mounts_write(const struct sb_cache_mounts *mounts, const struct sb_strv *names,
	struct sb_descriptor *out, struct sb_error *err) SB_MUST_USE;
/*
 * Unpacks such an image of the store; each mount takes the place of the one that is there. *out
 * gets their keys. SB_E_UNSUPPORTED for an image that is none, SB_E_INTEGRITY for a layer that is
 * not what its digests say.
 */
int sb_cache_mounts_read(const struct sb_cache_mounts *mounts, struct sb_image *image,
	struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

/* Removes the blobs that were needed on the way, unless another image has them. */
void sb_cache_mounts_clean(
	const struct sb_cache_mounts *mounts, const struct sb_descriptor *manifest);

#endif
