/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_LINKS_H
#define SB_BUILD_COPY_LINKS_H

#include <stddef.h>
#include <sys/stat.h>

/* Files with several names that were copied already, by the source's device and inode, so that
 * their other names become hard links too. */
struct sb_copied_link {
	dev_t dev;
	ino_t ino;
	char *path; /* in the destination's root, relative and link-free; owned; NULL: free slot */
	dev_t made_dev; /* what was made there, to notice when something else took the name */
	ino_t made_ino;
};

struct sb_copied_links {
	struct sb_copied_link *slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t n_used;
};

void sb_copied_links_release(struct sb_copied_links *links);
/* Borrowed until the next add; NULL where that file was not copied yet. */
const struct sb_copied_link *sb_copied_links_find(
	const struct sb_copied_links *links, const struct stat *source);
/* Replaces what is known of that file. `path` is copied. */
void sb_copied_links_add(struct sb_copied_links *links, const struct stat *source, const char *path,
	const struct stat *made);

#endif
