/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_SHARED_CACHE_PRIVATE_H
#define SB_OCI_SHARED_CACHE_PRIVATE_H

#include "oci/shared_cache.h"

/* What writing and reading a shared cache have in common: annotations of blobs, and a record's
 * member. */
#define SB_SHARED_CREATED "buildkit/createdat"
#define SB_SHARED_DIFF_ID "containerd.io/uncompressed"
#define SB_SHARED_TAR_SIZE "safebuild.tar-size"
#define SB_SHARED_LEVEL "safebuild.compression-level"
#define SB_SHARED_CONTENT "safebuild.content"

void sb_shared_cache_sort_records(struct sb_shared_cache *cache);

#endif
