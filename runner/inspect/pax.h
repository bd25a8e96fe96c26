/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_PAX_H
#define SB_INSPECT_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/tar_reader.h"
#include "inspect/tar_sparse.h"

/* What extended headers said about the entry that they stand before. */
struct sb_pax {
	char *path; /* these two also from GNU's long names; NULL: not said */
	char *link;
	bool has_size;
	uint64_t size;
	bool has_uid;
	uint64_t uid;
	bool has_gid;
	uint64_t gid;
	bool is_sparse;
	bool is_sparse_1; /* the map stands before the content */
	bool has_real_size;
	uint64_t real_size;
	struct sb_extents extents;
	char *sparse_path;
	SB_ARRAY(struct sb_tar_attribute) attributes;
	const char *oddity;
};
void sb_pax_release(struct sb_pax *pax);

/* Reads the records of one extended header. False where a number that reading needs is none. */
bool sb_pax_read(struct sb_pax *pax, const char *records, size_t len);

#endif
