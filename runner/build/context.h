/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTEXT_H
#define SB_BUILD_CONTEXT_H

#include "base/array.h"
#include "base/error.h"
#include "base/strv.h"
#include "buildfile/ignore.h"

/*
 * What a build may read from outside: the build context, and the --build-contexts. All are opened
 * with the rights of the user who started the build, before namespaces are entered; nothing is read
 * from them here but ignore files. What is to be fetched is fetched later.
 */
enum sb_context_kind {
	SB_CONTEXT_FOLDER,   /* a folder to copy from */
	SB_CONTEXT_IMAGE_FD, /* a layout folder, an image archive, or a tar of a root file system */
	SB_CONTEXT_REF,      /* docker-image://REF */
	SB_CONTEXT_REMOTE,   /* a URL or repository that was not fetched yet (context_fetch.h) */
};

struct sb_context {
	char *name;
	enum sb_context_kind kind;
	int fd;          /* -1 for REF and REMOTE; owned */
	char *path;      /* FOLDER: where it was when it was opened, or NULL; owned */
	char *reference; /* REF: the reference; REMOTE: the address; IMAGE_FD: which image in it,
			    or NULL; owned */
	struct sb_ignore *ignore; /* FOLDER: its .dockerignore, or NULL; owned */
};

struct sb_contexts {
	struct sb_context main; /* name NULL */
	SB_ARRAY(struct sb_context) named;
};

/* buildfile: its path, for the PATH.dockerignore that goes before the context's own; NULL where it
 * is no file. */
int sb_contexts_open_main(const char *context, const char *buildfile, struct sb_contexts *out,
	struct sb_error *err) SB_MUST_USE;
/* "NAME=VALUE", NULL-ended; or NULL. */
int sb_contexts_open_named(
	const char *const *named, struct sb_contexts *out, struct sb_error *err) SB_MUST_USE;
/* After namespaces were entered: so that the folders are seen with what is mounted in them. */
void sb_contexts_enter(struct sb_contexts *contexts);
void sb_contexts_release(struct sb_contexts *contexts);
/* NULL where there is none. */
struct sb_context *sb_contexts_find(const struct sb_contexts *contexts, const char *name);
void sb_contexts_names(const struct sb_contexts *contexts, struct sb_strv *out);

#endif
