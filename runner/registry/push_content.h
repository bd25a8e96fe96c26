/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_PUSH_CONTENT_H
#define SB_REGISTRY_PUSH_CONTENT_H

#include "base/buf.h"
#include "oci/layout.h"
#include "oci/reference.h"

/* What a push moves. */
struct sb_push_manifest {
	struct sb_descriptor descriptor;
	struct sb_buf json;
};

struct sb_push_content {
	SB_ARRAY(struct sb_push_manifest) manifests; /* children first; the image's own is last */
	struct sb_descriptors blobs;                 /* each once */
	bool may_lack; /* set before: those that the layout lacks too */
};

void sb_push_content_release(struct sb_push_content *content);
int sb_push_content_collect(struct sb_layout *from, const struct sb_descriptor *image,
	struct sb_push_content *out, struct sb_error *err) SB_MUST_USE;

/* For each blob of the content, in its order: a repository of the registry, other than the
 * reference's own, that has it by the names in the layout; or NULL. Strings are owned by *repos. */
int sb_push_mounts_find(struct sb_layout *from, const struct sb_push_content *content,
	const struct sb_reference *to, struct sb_strv *repos, const char ***out,
	struct sb_error *err) SB_MUST_USE;

#endif
