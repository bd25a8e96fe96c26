/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_CACHE_OPTION_H
#define SB_CLI_CACHE_OPTION_H

#include "safebuild.h"

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * The --cache-to and --cache-from options of one command line, as docker buildx has them:
 *
 *	--cache-to    type=registry,ref=REF | type=local,dest=FOLDER[,tag=TAG]
 *	              [,mode=min|max][,image-manifest=true|false][,oci-mediatypes=true|false]
 *	              [,compression=gzip|zstd|uncompressed][,compression-level=N]
 *	              [,force-compression=true][,ignore-error=true]
 *	--cache-from  type=registry,ref=REF | type=local,src=FOLDER[,tag=TAG|,digest=DIGEST]
 *
 * A bare REF is type=registry,ref=REF.
 */
struct sb_cache_list {
	SB_ARRAY_FIELDS(struct sb_cache_option); /* strings are owned by `text` */
	struct sb_strv text;
};

/* Each an sb_option_fn for a field of struct sb_cache_list. */
int sb_cache_to_parse(void *list, const char *value, struct sb_error *err) SB_MUST_USE;
int sb_cache_from_parse(void *list, const char *value, struct sb_error *err) SB_MUST_USE;
void sb_cache_list_release(struct sb_cache_list *list);

#endif
