/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_IMPORT_H
#define SB_BUILD_CACHE_IMPORT_H

#include "build/build.h"
#include "safebuild.h"

/*
 * The caches that a build looks in for what its own store does not have (--cache-from). They are no
 * more trusted than a base image is: what comes from them is read with limits, and is what its
 * digests say. Whatever is wrong with one is a warning that names it, and then the step runs.
 *
 * Loaded once, then only read: any thread may ask.
 */
struct sb_imports;

/* Opens folders, before the process enters its namespaces. SB_E_USAGE for an option that can't be
 * meant. */
int sb_imports_open(const struct sb_cache_option *options, size_t n, struct sb_imports **out,
	struct sb_error *err) SB_MUST_USE;
void sb_imports_free(struct sb_imports *imports);
SB_DEFINE_FREEP(sb_imports)
/* Reads what each has. Only being cancelled is an error. */
int sb_imports_load(
	struct sb_imports *imports, struct sb_build *build, struct sb_error *err) SB_MUST_USE;

/*
 * Looks for the step of record->key. Where a cache has it, its layer is brought into the store,
 * unpacked on `lowers` where no folder of it is there yet, and all of the record is filled in but
 * its state and text; with_blob: the blob too is wanted, for the image. The build's secrets are not
 * looked for here.
 */
int sb_imports_take(struct sb_build *build, const struct sb_strv *lowers, bool with_blob,
	struct sb_cache_record *record, bool *out_is_taken, struct sb_error *err) SB_MUST_USE;
/* Is there one? For a plan: nothing is fetched. *out gets its layer's diff_id. */
bool sb_imports_has(const struct sb_imports *imports, const struct sb_digest *key,
	struct sb_digest *out_diff_id);
/* The digest of files that an image has (build/from.h), where a cache knows it. */
bool sb_imports_content(
	const struct sb_imports *imports, const struct sb_digest *key, struct sb_digest *out);

#endif
