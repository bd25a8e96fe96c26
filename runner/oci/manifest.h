/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_MANIFEST_H
#define SB_OCI_MANIFEST_H

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "oci/descriptor.h"

SB_ARRAY_STRUCT(sb_descriptors, struct sb_descriptor);
void sb_descriptors_release(struct sb_descriptors *list);

/* OCI manifest.md and Docker image manifest v2 schema 2, told apart by media_type. */
struct sb_manifest {
	char *media_type;
	struct sb_descriptor config;
	struct sb_descriptors layers;
	struct sb_strv annotations;
};

struct sb_manifest *sb_manifest_new(void);
void sb_manifest_free(struct sb_manifest *manifest);
SB_DEFINE_FREEP(sb_manifest)
/* SB_E_UNSUPPORTED for schema 1 and unknown types, SB_E_INTEGRITY for what does not fit the schema.
 */
int sb_manifest_parse(
	const char *json, size_t len, struct sb_manifest **out, struct sb_error *err) SB_MUST_USE;
int sb_manifest_write(
	const struct sb_manifest *manifest, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;

/* True for the media types of an image index or a Docker manifest list. */
bool sb_media_is_index(const char *media_type);
/* The descriptors of an index, in its order. */
int sb_index_parse(
	const char *json, size_t len, struct sb_descriptors *out, struct sb_error *err) SB_MUST_USE;
/* Which of them is the image for a platform (attestations are passed over): SB_E_NOT_FOUND names
 * those that there are. */
int sb_index_choose(const struct sb_descriptors *list, const struct sb_platform *want,
	size_t *out_i, struct sb_error *err) SB_MUST_USE;

#endif
