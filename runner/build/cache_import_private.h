/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_IMPORT_PRIVATE_H
#define SB_BUILD_CACHE_IMPORT_PRIVATE_H

#include "build/cache_import.h"
#include "build/cache_source.h"

/* What cache_import.c and cache_deferred.c share. */

struct sb_import {
	struct sb_cache_source *source;
	_Atomic bool is_gone; /* it did not answer: it is not asked again */
};

struct sb_imports {
	struct sb_import *items;
	size_t len;
};

/* The layer of a step that the cache has, if it can be used; NULL else. */
const struct sb_shared_layer *sb_import_find(const struct sb_import *import,
	const struct sb_digest *key, const struct sb_shared_record **out_record);
/* Its folder and, with_blob, its blob into the store, verified. lowers NULL: only the blob. */
int sb_import_bring(struct sb_build *build, struct sb_import *import, const struct sb_strv *lowers,
	const struct sb_shared_layer *layer, bool with_blob, struct sb_error *err) SB_MUST_USE;
/* Says in the record where the blob is, where the store has it. */
void sb_import_add_blob(const struct sb_build *build, const struct sb_shared_layer *layer,
	struct sb_cache_record *record);

#endif
