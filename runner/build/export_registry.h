/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_EXPORT_REGISTRY_H
#define SB_BUILD_EXPORT_REGISTRY_H

#include "build/build.h"

/* Names that an image is pushed to, separated by commas. SB_E_USAGE where one is none. */
int sb_export_names_check(const char *names, struct sb_error *err) SB_MUST_USE;

/* Pushes the image to all of them, or, where names is NULL, to the tags (whole names). */
int sb_export_registry(struct sb_build *build, const struct sb_descriptor *manifest,
	const char *names, const struct sb_strv *tags, struct sb_error *err) SB_MUST_USE;
/* Pushes a cache to one name. may_lack_blobs: as in sb_push_options. */
int sb_export_cache(struct sb_build *build, const struct sb_descriptor *manifest, const char *name,
	bool may_lack_blobs, struct sb_error *err) SB_MUST_USE;

#endif
