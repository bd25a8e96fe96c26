/* SPDX-License-Identifier: MIT */
#include "oci/image.h"
#include "oci/layout_private.h"
#include "oci/reach.h"
#include "sys/fd.h"
#include "sys/transfer.h"

static int fail_broken(
	struct sb_layout *layout, const struct sb_descriptor *d, struct sb_error *err)
{
	if (sb_layout_discard_blob(layout, &d->digest, err) < 0)
		return -1;
	(void)sb_fail(err, SB_E_INTEGRITY,
		"blob %s in the store is broken: its content has another digest", d->digest.text);
	return sb_error_hint(err, "it is removed; build, pull, load or import the image again");
}

static int verify(struct sb_layout *layout, const struct sb_descriptor *d, struct sb_error *err)
{
	sb_autofd int fd = -1;
	struct sb_digest got;
	struct stat st;

	if (sb_media_is_foreign_layer(d->media_type) &&
		!sb_layout_stat_blob(layout, &d->digest, &st))
		return 0;
	if (sb_layout_open_blob(layout, &d->digest, &fd, err) < 0) {
		if (err->code == SB_E_NOT_FOUND)
			(void)sb_error_hint(err, "build, pull, load or import the image again");
		return -1;
	}
	if (sb_transfer_digest(layout->interrupt, fd, &got, err) < 0)
		return sb_error_context(err, "blob %s", d->digest.text);
	return sb_digest_equal(&got, &d->digest) ? 0 : fail_broken(layout, d, err);
}

int sb_images_verify(
	struct sb_layout *layout, const struct sb_named_images *images, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};

	SB_ARRAY_FOREACH (images, image)
		if (sb_layout_reach(layout, &image->manifest, &blobs, err) < 0)
			return -1;
	SB_ARRAY_FOREACH (&blobs, blob)
		if (verify(layout, blob, err) < 0)
			return -1;
	return 0;
}
