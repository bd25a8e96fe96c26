/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_SECRET_OPTION_H
#define SB_CLI_SECRET_OPTION_H

#include "safebuild.h"

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * The --secret options of one command line:
 * `id=ID[,src=FILE][,env=VAR][,type=file|env][,rekey=true]`.
 *
 * `type=env` takes src as the variable's name; an id alone means the environment variable or the
 * file of that name, with a type only the one of the two. A value can't be given: argv is readable
 * by every process of the host. No message repeats what was given, since it may be a value.
 */
struct sb_secret_list {
	SB_ARRAY_FIELDS(struct sb_secret_option); /* strings are owned by `text` */
	struct sb_strv text;
};

/* An sb_option_fn for a field of struct sb_secret_list. */
int sb_secret_option_parse(void *list, const char *value, struct sb_error *err) SB_MUST_USE;
void sb_secret_list_release(struct sb_secret_list *list);

#endif
