/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_META_H
#define SB_BUILD_COPY_META_H

#include <stdbool.h>
#include <sys/stat.h>

#include "build/copy.h"
#include "build/copy_content.h"
#include "build/copy_links.h"
#include "build/copy_losses.h"
#include "buildfile/mode_change.h"

/* One COPY or ADD at work: what its flags mean, and what was learnt on the way. */
struct sb_copy_work {
	const struct sb_copy *copy;
	bool has_owner; /* --chown was given: image ids */
	uid_t uid;
	gid_t gid;
	struct sb_mode_change mode;
	struct sb_losses losses;
	struct sb_copied_links links;
	struct sb_content_copier contents;
};

/* Resolves --chown (in the destination's root) and --chmod. */
int sb_copy_work_init(
	struct sb_copy_work *work, const struct sb_copy *copy, struct sb_error *err) SB_MUST_USE;
void sb_copy_work_release(struct sb_copy_work *work);

/* One entry in an open folder ("." is the folder itself); nothing is followed. */
struct sb_copy_entry {
	int dir_fd;
	const char *name;
};

/*
 * Gives an entry that was just made (or a folder that was there before) the owner, attributes, mode
 * and times of its source, as --chown and --chmod change them. In this order: a change of owner
 * takes setuid bits and capabilities away. `path` is for messages.
 */
int sb_copy_metadata(struct sb_copy_work *work, struct sb_copy_entry from, const struct stat *st,
	struct sb_copy_entry to, const char *path, struct sb_error *err) SB_MUST_USE;

/* Is an attribute of that name copied? */
bool sb_copy_takes_attribute(const char *name);

/* For what has no source (parents, heredocs): 0:0 or --chown, and this mode. */
int sb_copy_own_new(struct sb_copy_work *work, struct sb_copy_entry to, mode_t mode,
	const char *path, struct sb_error *err) SB_MUST_USE;

/* The source's mode, without --chmod. */
int sb_copy_mode(struct sb_copy_entry to, const struct stat *st, const char *path,
	struct sb_error *err) SB_MUST_USE;

/* The source's modification time. */
int sb_copy_times(struct sb_copy_entry to, const struct stat *st, const char *path,
	struct sb_error *err) SB_MUST_USE;

#endif
