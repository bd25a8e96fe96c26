/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_SSH_OPTION_H
#define SB_CLI_SSH_OPTION_H

#include "safebuild.h"

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * The --ssh options of one command line: `ID[=SOCKET|=KEY[,KEY…]][,raw=true]`. An id alone means
 * the agent of $SSH_AUTH_SOCK. Which of the two a path is, is seen when the build looks at it.
 */
struct sb_ssh_list {
	SB_ARRAY_FIELDS(struct sb_ssh_option); /* strings are owned by `text` */
	struct sb_strv text;
	SB_ARRAY(const char **) paths; /* the options' lists; owned */
};

/* An sb_option_fn for a field of struct sb_ssh_list. */
int sb_ssh_option_parse(void *data, const char *value, struct sb_error *err) SB_MUST_USE;
void sb_ssh_list_release(struct sb_ssh_list *list);

#endif
