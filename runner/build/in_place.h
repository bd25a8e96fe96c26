/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_IN_PLACE_H
#define SB_BUILD_IN_PLACE_H

#include <sys/stat.h>

#include "base/array.h"
#include "base/buf.h"
#include "sys/data_overlay.h"
#include "sys/interrupt.h"

/*
 * Regular files that a copy did not copy: in the destination, which is a skeleton, they stand for
 * the source's own (sys/data_overlay.h). What they were is kept, to find afterwards that they still
 * are: their content may be read until then.
 */
struct sb_in_place_file {
	dev_t dev;
	ino_t ino;
	off_t size_bytes;
	struct timespec mtime;
	struct timespec ctime;
	size_t path_at; /* in paths, NUL-ended, relative to the source */
};

struct sb_in_place {
	enum sb_data_overlay_way way;
	uint64_t mount_id;    /* of the source: what lies on another mount can't be read in place */
	bool has_lasting_ids; /* a file keeps its inode number when nobody looks */
	SB_ARRAY(struct sb_in_place_file) files;
	struct sb_buf paths;
};

int sb_in_place_init(struct sb_in_place *in_place, int source_fd, enum sb_data_overlay_way way,
	struct sb_error *err) SB_MUST_USE;
void sb_in_place_release(struct sb_in_place *in_place);

/* Makes `to_fd`, a new file of the skeleton, stand for the source's file of that path, which
 * `from_fd` is. SB_E_UNSUPPORTED where it has to be copied. */
int sb_in_place_add(struct sb_in_place *in_place, int from_fd, const struct stat *st,
	const char *path, int to_fd, struct sb_error *err) SB_MUST_USE;

/* *out_changed: the first file that is not what it was (borrowed), or NULL. */
int sb_in_place_check(const struct sb_in_place *in_place, int source_fd,
	struct sb_interrupt *interrupt, const char **out_changed, struct sb_error *err) SB_MUST_USE;

#endif
