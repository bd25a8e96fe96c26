/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_IMPORT_H
#define SB_BUILD_CACHE_IMPORT_H

#include "build/build.h"
#include "oci/shared_cache.h"
#include "safebuild.h"

/*
 * The caches that a build looks in for what its own store does not have (--cache-from). They are no
 * more trusted than a base image is: what comes from them is read with limits, and is what its
 * digests say. Whatever is wrong with one is a warning that names it, and then the step runs.
 *
 * Loaded once, then only read: any thread may ask.
 *
 * A layer of a stage that is no part of the image is often needed by nothing but the keys of other
 * steps: it is deferred, which means promised (build/stack.h) and not even fetched.
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
 * its state and text; with_blob: the blob too is wanted, for the image, and, where lowers is NULL,
 * that alone. The build's secrets are not looked for here.
 */
int sb_imports_take(struct sb_build *build, const struct sb_strv *lowers, bool with_blob,
	struct sb_cache_record *record, bool *out_is_taken, struct sb_error *err) SB_MUST_USE;
/*
 * Finds it as sb_imports_take does, but brings nothing. False where it is not to be deferred: the
 * folder is there, or what was deferred could not be had before.
 */
bool sb_imports_find_deferred(struct sb_build *build, struct sb_cache_record *record);
/* Such a record, now with state and text, is used by a stage, whose layer has the name "layers/…".
 * Takes what the record owns. is_link: the layer is one of COPY --link. */
void sb_imports_defer(struct sb_build *build, struct sb_cache_record *record, bool is_link);

/* What a cache has of a step, for one who writes it out again: where its layer lies (borrowed) and
 * when it was made. NULL where none has it. */
struct sb_cache_source;
const struct sb_shared_layer *sb_imports_layer(const struct sb_imports *imports,
	const struct sb_digest *key, const char **out_created, struct sb_cache_source **out_source);

/* A layer's form by its media type; false for one that is no layer's. */
bool sb_compression_of_media_type(const char *media_type, enum sb_compression *out);

/* Is there one? For a plan: nothing is fetched. *out gets its layer's diff_id. */
bool sb_imports_has(const struct sb_imports *imports, const struct sb_digest *key,
	struct sb_digest *out_diff_id);
/* Is something there that was made of the files of that state (plan/key.h)? */
bool sb_imports_has_state(const struct sb_imports *imports, const struct sb_digest *state);
/* The digest of files that an image has (build/from.h), where a cache knows it. */
bool sb_imports_content(
	const struct sb_imports *imports, const struct sb_digest *key, struct sb_digest *out);

#endif
