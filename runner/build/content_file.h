/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTENT_FILE_H
#define SB_BUILD_CONTENT_FILE_H

#include "build/content.h"
#include "build/copy_meta.h"

/* The entries of a content digest (build/content.h), one after the other. */
struct sb_content_files {
	const struct sb_copy *copy;
	const struct sb_content_options *options;
	bool has_content; /* it is read, or known; else only the stamp is made */
	struct sb_mode_change mode;
	struct sb_hasher *all;
	struct sb_hasher *one;
	struct sb_hasher *stamp;
	char *bytes; /* for reading */
};

/* The first three fields are set. */
int sb_content_files_init(struct sb_content_files *files, struct sb_error *err) SB_MUST_USE;
void sb_content_files_release(struct sb_content_files *files);
void sb_content_files_finish(struct sb_content_files *files, struct sb_digest *out);

/* What follows is of a source of that kind; name may be NULL. */
void sb_content_begin(struct sb_content_files *files, const char *kind, const char *name);
/* The time as it counts: -1 where it does not. */
int64_t sb_content_time(const struct sb_content_files *files, const struct stat *st);
/* st is from lstat; path is the name that it has in the copy. */
int sb_content_add(struct sb_content_files *files, struct sb_copy_entry entry, const char *path,
	const struct stat *st, struct sb_error *err) SB_MUST_USE;

#endif
