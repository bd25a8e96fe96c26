/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_IMPORT_PRIVATE_H
#define SB_BUILD_CACHE_IMPORT_PRIVATE_H

#include <pthread.h>

#include "build/cache_import.h"
#include "build/cache_source.h"

/* What cache_import.c and cache_deferred.c share. */

struct sb_import {
	struct sb_cache_source *source;
	_Atomic bool is_gone; /* it did not answer: it is not asked again */
};

struct sb_deferred {
	char *name; /* of the layer's folder */
	struct sb_cache_record record;
	struct sb_import *import;
	const struct sb_shared_layer *layer;
	bool is_link; /* it is compared with nothing below */
	bool is_there;
};

struct sb_imports {
	struct sb_import *items;
	size_t len;
	pthread_mutex_t bringing; /* one layer at a time; taken before `lock` */
	pthread_mutex_t lock;     /* of all that follows, for short */
	SB_ARRAY(struct sb_deferred *) deferred;
	bool has_failed; /* one of them could not be had */
	bool is_eager;   /* nothing is deferred any more */
};

/* The layer of a step that the cache has, if it can be used; NULL else. */
const struct sb_shared_layer *sb_import_find(const struct sb_import *import,
	const struct sb_digest *key, const struct sb_shared_record **out_record);
/* Its folder and, with_blob, its blob into the store, verified. */
int sb_import_bring(struct sb_build *build, struct sb_import *import, const struct sb_strv *lowers,
	const struct sb_shared_layer *layer, bool with_blob, struct sb_error *err) SB_MUST_USE;
/* Says in the record where the blob is, where the store has it. */
void sb_import_add_blob(const struct sb_build *build, const struct sb_shared_layer *layer,
	struct sb_cache_record *record);
void sb_imports_forget_deferred(struct sb_imports *imports);

#endif
