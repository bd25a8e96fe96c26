/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_FILESYSTEM_H
#define SB_INSPECT_FILESYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/digest.h"

/*
 * The file system that an image's layers make together, names and sizes only: what is visible at
 * the end, and for each content that is not, what took it away (OCI image layer spec,
 * "Changesets").
 *
 * Paths are cleaned and relative to the root, "." is the root itself. A parent that was never
 * listed is made; one that is a link or a file gives way to a folder and is never followed. A
 * whiteout acts on what lower layers put, wherever it stands in its own. A content lives as long as
 * one of its names does, so a hard link counts once.
 */
struct sb_filesystem;
struct sb_filesystem *sb_filesystem_new(void);
void sb_filesystem_free(struct sb_filesystem *fs);
SB_DEFINE_FREEP(sb_filesystem)

/* Everything after this belongs to the layer, counted from 0, in ascending order. */
void sb_filesystem_begin_layer(struct sb_filesystem *fs, size_t layer);
void sb_filesystem_add_folder(struct sb_filesystem *fs, const char *path);
/* A regular file; the digest may be unset. Gives the content's number, from 0 on. */
size_t sb_filesystem_add_file(struct sb_filesystem *fs, const char *path, uint64_t size_bytes,
	const struct sb_digest *digest);
/* A link, device, FIFO or socket: a name without content. */
void sb_filesystem_add_other(struct sb_filesystem *fs, const char *path);
/* A second name; false where the first one is not there (the name then has no content). */
bool sb_filesystem_add_hard_link(struct sb_filesystem *fs, const char *path, const char *target);
/* Takes away what lower layers put at the path, with all below it; false where there was nothing.
 */
bool sb_filesystem_whiteout(struct sb_filesystem *fs, const char *path);
/* The same for all that the folder holds. */
void sb_filesystem_opaque(struct sb_filesystem *fs, const char *path);

/* How many names there are now, folders included: what memory grows with. */
size_t sb_filesystem_names(const struct sb_filesystem *fs);

struct sb_content {
	const char *path; /* its first name; borrowed from the file system */
	uint64_t size_bytes;
	struct sb_digest digest;
	size_t added_layer;
	bool is_dead;
	size_t removed_layer; /* when dead: the layer that took the last name away */
	const char *cause;    /* when dead; static */
};
size_t sb_filesystem_count(const struct sb_filesystem *fs);
/* In the order in which they were added. */
const struct sb_content *sb_filesystem_content(const struct sb_filesystem *fs, size_t i);
/* True if the path now names the content of that number. */
bool sb_filesystem_shows(const struct sb_filesystem *fs, const char *path, size_t content);

#endif
