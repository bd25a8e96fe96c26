/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_TAR_INDEX_H
#define SB_OCI_TAR_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"

/*
 * Where the files of an uncompressed tar archive lie: names and offsets, so that any of them can be
 * read in any order with pread, and nothing is unpacked. Nothing here says that the content is
 * right: whoever reads it verifies digests.
 */
struct sb_tar_entry {
	char *name;   /* cleaned, without leading slash; owned */
	char *link;   /* of a hard or symbolic link: the entry it stands for; else NULL */
	bool is_file; /* a regular file, at offset */
	uint64_t offset;
	uint64_t size_bytes;
	size_t order; /* place in the archive: of two of one name the later one counts */
};

struct sb_tar_index {
	int fd;                                /* owned */
	SB_ARRAY(struct sb_tar_entry) entries; /* sorted by name */
	bool is_cut_short; /* there are more than SB_MAX_ARCHIVE_ENTRIES: the rest was not read */
};

/* fd is a regular file, duplicated. SB_E_INTEGRITY for what is not a tar archive or a broken one.
 */
int sb_tar_index_new(int fd, struct sb_tar_index **out, struct sb_error *err) SB_MUST_USE;
void sb_tar_index_free(struct sb_tar_index *index);
SB_DEFINE_FREEP(sb_tar_index)

/* The regular file of that name, links followed inside the archive; NULL where there is none.
 * Borrowed. */
const struct sb_tar_entry *sb_tar_index_find(const struct sb_tar_index *index, const char *name);
/* Is there anything of that name, or below it? */
bool sb_tar_index_has_below(const struct sb_tar_index *index, const char *name);
/* A whole file of at most max_bytes. *out is overwritten; caller releases it. */
int sb_tar_index_read(const struct sb_tar_index *index, const struct sb_tar_entry *entry,
	size_t max_bytes, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;

#endif
