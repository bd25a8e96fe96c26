/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_FETCH_H
#define SB_BUILD_FETCH_H

#include "build/build.h"
#include "plan/remote.h"

/*
 * What a remote word names, brought into a folder of the build's own, which is gone when the build
 * ends, however it ends.
 */
struct sb_fetch_options {
	const char *checksum; /* "sha256:…" of a file, a commit of a repository; or NULL */
	bool keep_git_dir;
	bool by_user; /* named on the command line; see build/git.h */
};

struct sb_fetched {
	int fd;       /* owned: a folder that holds the file, or the repository's */
	char *source; /* what COPY would call it there: the file, or "."; owned */
	struct sb_upper scratch;
};
void sb_fetched_release(struct sb_fetched *fetched);

/* A file has mode 0600 and the server's time or 0. Messages name the word without user name,
 * password and query. SB_E_INTEGRITY for another checksum. */
int sb_fetch(struct sb_build *build, const struct sb_remote *remote,
	const struct sb_fetch_options *options, struct sb_fetched *out,
	struct sb_error *err) SB_MUST_USE;

/* Removes it before the build ends. */
int sb_fetched_remove(
	struct sb_build *build, struct sb_fetched *fetched, struct sb_error *err) SB_MUST_USE;

/* The file alone, into an open one that is empty. */
int sb_fetch_file(struct sb_build *build, const struct sb_remote *remote, const char *checksum,
	int fd, int64_t *out_mtime_s, struct sb_error *err) SB_MUST_USE;

/* An empty folder that goes when the build ends. */
int sb_fetch_scratch(struct sb_build *build, struct sb_upper *out, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

#endif
