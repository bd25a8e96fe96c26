/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_OUTPUT_OPTION_H
#define SB_CLI_OUTPUT_OPTION_H

#include <stdbool.h>

#include "safebuild.h"

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * The --output options of one command line:
 *
 *	type=oci|docker|tar|local|store,dest=PATH[,name=NAME][,tar=false]
 *		[,compression=gzip|zstd|uncompressed][,compression-level=N][,force-compression=true]
 *	type=registry[,name=NAME|"NAME,NAME"], and as docker has it type=image,name=NAME,push=true
 *
 * A bare PATH is type=local,dest=PATH, and a bare `-` is type=tar,dest=-, as docker has it.
 */
struct sb_output_list {
	SB_ARRAY_FIELDS(struct sb_output_option); /* strings are owned by `text` */
	struct sb_strv text;
};

/* An sb_option_fn for a field of struct sb_output_list. */
int sb_output_option_parse(void *list, const char *value, struct sb_error *err) SB_MUST_USE;
/* True if one of them goes to stdout. */
bool sb_output_list_has_stdout(const struct sb_output_list *list);
void sb_output_list_release(struct sb_output_list *list);

#endif
