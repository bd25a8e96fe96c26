/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_H
#define SB_BUILD_COPY_H

#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"
#include "build/in_place.h"
#include "buildfile/ignore.h"
#include "buildfile/instruction.h"
#include "leak/secrets.h"
#include "sys/idmap.h"
#include "sys/interrupt.h"

/*
 * COPY and ADD of local files: from an open folder (the build context, or the read-only view of a
 * stage or image) into a root file system that is mounted read-write (an overlay whose upper folder
 * becomes the layer). Sources are resolved inside their root, destinations inside theirs: nothing
 * is read or written outside the two.
 */
struct sb_copy {
	int source_fd;                  /* borrowed */
	bool source_is_context;         /* owners become 0:0; otherwise the image owners are kept */
	const struct sb_ignore *ignore; /* for the context, or NULL */
	const struct sb_ignore *exclude; /* --exclude, or NULL */
	const struct stat *store; /* a folder of the source that is passed over: what is copied
				     is written to it; or NULL */
	const struct sb_secrets *secrets; /* whose source files in the context are passed over,
					     and refused where one is named; or NULL */
	struct sb_interrupt *interrupt;   /* asked between entries; or NULL */
	int root_fd;                      /* the destination's root, borrowed */
	struct sb_idmap ids;           /* of both roots (the context's owners are not looked at) */
	const struct sb_strv *sources; /* expanded; heredocs not among them */
	bool is_literal;               /* sources are paths, not patterns */
	const struct sb_heredoc *heredocs; /* files to make; bodies expanded by the caller */
	size_t n_heredocs;
	size_t n_others;     /* sources that another call copies to the same destination */
	const char *dest;    /* expanded, as written: a trailing slash means something */
	const char *workdir; /* absolute */
	const char *chown;   /* expanded, or NULL */
	const char *chmod;   /* octal or symbols, expanded, or NULL */
	bool is_add;         /* unpack local archives */
	bool has_parents;    /* keep the folders of the sources */
	bool is_link;        /* the destination is a layer of its own, with nothing below it */
	struct sb_in_place *in_place; /* regular files are not copied but stand for the source's;
					 or NULL */
	struct sb_strv *warnings; /* gets a line for each kind of thing that could not be kept */
};

/*
 * A wildcard that matches nothing is passed over where another source is there (`lock.json*`), as
 * in the reference; where nothing at all is to be copied, it is SB_E_NOT_FOUND.
 */
int sb_copy_files(const struct sb_copy *copy, struct sb_error *err) SB_MUST_USE;

#endif
