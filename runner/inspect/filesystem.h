/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_FILESYSTEM_H
#define SB_INSPECT_FILESYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * The file system that an image's layers make together, names and sizes only: what is visible at
 * the end, and for each content that is not, what took it away (OCI image layer spec,
 * "Changesets").
 *
 * Paths are cleaned and relative to the root, "." is the root itself. A parent that was never
 * listed is made; one that is a link or a file gives way to a folder and is never followed. A
 * whiteout acts on what lower layers put, wherever it stands in its own. A content lives as long as
 * one of its names does, so a hard link counts once.
 *
 * Each name knows the entry (a number of the caller's, in its layer) that put it last.
 */
struct sb_filesystem;
struct sb_filesystem *sb_filesystem_new(void);
void sb_filesystem_free(struct sb_filesystem *fs);
SB_DEFINE_FREEP(sb_filesystem)

#define SB_NO_ENTRY UINT32_MAX /* of a folder that no entry listed */
#define SB_NO_CONTENT SIZE_MAX

struct sb_name {
	uint32_t layer;
	uint32_t entry;
	char type; /* as struct sb_file_entry has it */
	char was;  /* type of what lower layers had there, of a name that its layer replaced */
	size_t content;
};

/* Everything after this belongs to the layer, counted from 0, in ascending order. */
void sb_filesystem_begin_layer(struct sb_filesystem *fs, size_t layer);
/* From now on, hears of each name that an entry put and that is no more: taken away, or something
 * else is there. */
typedef void sb_gone_fn(void *self, const struct sb_name *name, size_t layer);
void sb_filesystem_on_gone(struct sb_filesystem *fs, sb_gone_fn *on_gone, void *self);

/* What is at the path now; false where there is nothing. */
bool sb_filesystem_find(const struct sb_filesystem *fs, const char *path, struct sb_name *out);

void sb_filesystem_add_folder(struct sb_filesystem *fs, const char *path, uint32_t entry);
/* A regular file; is_same_content: as the lower layer's file there. Gives the content's number,
 * from 0 on. */
size_t sb_filesystem_add_file(struct sb_filesystem *fs, const char *path, uint32_t entry,
	uint64_t size_bytes, bool is_same_content);
/* A link, device, FIFO or socket: a name without content. */
void sb_filesystem_add_other(struct sb_filesystem *fs, const char *path, uint32_t entry, char type);
/* A second name; false where the first one is not there (the name then has no content). */
bool sb_filesystem_add_hard_link(struct sb_filesystem *fs, const char *path, uint32_t entry,
	const char *target, bool is_same_content);
/* A content that no name shows, from the start. The cause is static. */
size_t sb_filesystem_add_hidden(
	struct sb_filesystem *fs, uint32_t entry, uint64_t size_bytes, const char *cause);

/* Takes away what lower layers put at the path, with all below it; false where there was nothing.
 */
bool sb_filesystem_whiteout(struct sb_filesystem *fs, const char *path);
/* The same for all that the folder holds. on_removed (or NULL) hears of each thing in the folder
 * itself that is gone. */
typedef void sb_removed_fn(void *self, const char *name, char type);
void sb_filesystem_opaque(
	struct sb_filesystem *fs, const char *path, sb_removed_fn *on_removed, void *self);

/* How many names there are now, folders included: what memory grows with. */
size_t sb_filesystem_names(const struct sb_filesystem *fs);
/* Each name that there is now, in no order. */
void sb_filesystem_each(const struct sb_filesystem *fs,
	void (*on_name)(void *self, const struct sb_name *name), void *self);

struct sb_content {
	uint64_t size_bytes;
	uint32_t added_layer;
	uint32_t entry;         /* that holds it */
	uint32_t removed_layer; /* when dead: the layer that took the last name away */
	uint32_t n_names;
	const char *cause; /* static; NULL while it is alive */
};
size_t sb_filesystem_count(const struct sb_filesystem *fs);
/* In the order in which they were added. */
const struct sb_content *sb_filesystem_content(const struct sb_filesystem *fs, size_t i);

#endif
