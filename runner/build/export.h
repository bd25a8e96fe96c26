/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_EXPORT_H
#define SB_BUILD_EXPORT_H

#include "build/build.h"
#include "safebuild.h"

/*
 * Where the outputs of a build go: opened before the build starts, with the rights of the user who
 * asked, so that a destination that can't be written is known before the first step runs. Files
 * appear under their name when they are whole.
 */
struct sb_exports;
int sb_exports_open(const struct sb_output_option *outputs, size_t n, struct sb_exports **out,
	struct sb_error *err) SB_MUST_USE;
void sb_exports_free(struct sb_exports *exports);
SB_DEFINE_FREEP(sb_exports)

/* What is written. */
struct sb_export {
	struct sb_build **builds; /* that have run, one a platform; never empty */
	size_t n_builds;
	const struct sb_descriptor *image;    /* the manifest, or the index of several platforms */
	const struct sb_descriptor *attested; /* the index that has what is attested of them too,
						 for the outputs that want that; or unset */
	const struct sb_strv *tags;           /* whole reference names, may be empty */
};
int sb_exports_write(
	struct sb_exports *exports, const struct sb_export *what, struct sb_error *err) SB_MUST_USE;
/* "docker" and the like where the output holds one platform alone, else NULL. Static. */
const char *sb_export_single_platform(enum sb_output_type type);
/* True if the image is to be kept in the store by name: there is no output, or a `store` one. */
bool sb_exports_has_store(const struct sb_exports *exports);

#endif
