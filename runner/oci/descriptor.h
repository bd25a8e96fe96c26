/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_DESCRIPTOR_H
#define SB_OCI_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/strv.h"
#include "oci/platform.h"

#define SB_MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define SB_MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define SB_MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define SB_MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define SB_MEDIA_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define SB_MEDIA_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define SB_MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define SB_MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define SB_MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define SB_MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define SB_MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define SB_MEDIA_DOCKER_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

/* OCI descriptor.md. Released by sb_descriptor_release. */
struct sb_descriptor {
	char *media_type;
	struct sb_digest digest;
	uint64_t size_bytes;
	struct sb_strv annotations;  /* "key=value" */
	struct sb_platform platform; /* os "" where not given */
	struct sb_strv urls;         /* where a foreign layer lies, if not in the image */
};

void sb_descriptor_release(struct sb_descriptor *d);
void sb_descriptor_copy(struct sb_descriptor *to, const struct sb_descriptor *from);

/* A layer that images may leave out (OCI "nondistributable", Docker "foreign"). */
bool sb_media_is_foreign_layer(const char *media_type);

#endif
