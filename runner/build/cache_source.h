/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_SOURCE_H
#define SB_BUILD_CACHE_SOURCE_H

#include "build/build.h"
#include "oci/shared_cache.h"
#include "safebuild.h"

/* One cache that a build is told to look in (--cache-from): a folder or a registry. */
struct sb_cache_source;

/* Opens a folder with the rights of the user who asked. What is wrong with the option itself is
 * SB_E_USAGE; a folder that can't be opened is told by the load. The option's strings are borrowed.
 */
int sb_cache_source_open(const struct sb_cache_option *option, struct sb_cache_source **out,
	struct sb_error *err) SB_MUST_USE;
void sb_cache_source_free(struct sb_cache_source *source);
SB_DEFINE_FREEP(sb_cache_source)
/* As the user wrote it; borrowed. */
const char *sb_cache_source_name(const struct sb_cache_source *source);

/* The repository where it lies; NULL for a folder. Borrowed. */
struct sb_reference;
const struct sb_reference *sb_cache_source_reference(const struct sb_cache_source *source);

/* Reads what it has, in bounded time and size; nothing is brought into the store. */
int sb_cache_source_load(
	struct sb_cache_source *source, struct sb_build *build, struct sb_error *err) SB_MUST_USE;
/* Empty until it is loaded; from then on it does not change. */
const struct sb_shared_cache *sb_cache_source_cache(const struct sb_cache_source *source);
/* Brings a blob of it into the build's store, its digest and size verified. Any thread. */
int sb_cache_source_fetch(struct sb_cache_source *source, struct sb_build *build,
	const struct sb_descriptor *blob, struct sb_error *err) SB_MUST_USE;

#endif
