/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTEXT_FETCH_H
#define SB_BUILD_CONTEXT_FETCH_H

#include <stdbool.h>

#include "build/build.h"

/*
 * Build contexts that are no folder of the host: brought into folders of the build's own, which are
 * gone when the build ends. Their ignore files are not looked at, as in the reference: who made the
 * archive or the repository has chosen what is in it.
 */

/* True for "-" and for what sb_remote_parse knows. A folder that has such a name is meant by "./".
 */
bool sb_context_is_fetched(const char *word);

/*
 * The main context: a tar (compressed or not) on standard input or behind a URL, or a repository.
 * What is no tar is taken for the Buildfile, with an empty context: *out_buildfile_fd is then open
 * at its start, else -1.
 */
int sb_context_fetch(struct sb_build *build, const char *word, struct sb_context *out,
	int *out_buildfile_fd, struct sb_error *err) SB_MUST_USE;

/* Makes a --build-context of kind REMOTE a FOLDER, or, where a URL gives an image or the tar of a
 * root file system, an IMAGE_FD; does nothing for the others. */
int sb_context_fetch_named(
	struct sb_build *build, struct sb_context *context, struct sb_error *err) SB_MUST_USE;

#endif
