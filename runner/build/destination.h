/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_DESTINATION_H
#define SB_BUILD_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sys/interrupt.h"

/*
 * Where something that is written goes, as the user named it: an open file that appears under its
 * name when it is whole, an open folder, or standard output ("-"). Opened before the work starts,
 * so that a destination that can't be written is known first.
 */
struct sb_destination {
	int dir_fd; /* folder that holds the file, or the folder itself */
	int fd;     /* the file, or -1 */
	char *path; /* as the user wrote it */
	char *name; /* the file's final name in dir_fd, or NULL for stdout, pipes and folders */
	char *tmp;  /* its temporary name, or NULL while it has none */
};
#define SB_DESTINATION_INIT \
	{ \
		.dir_fd = -1, .fd = -1 \
	}

/* *out starts as SB_DESTINATION_INIT; a folder is made where it is missing. */
int sb_destination_open(const char *path, bool is_folder, struct sb_destination *out,
	struct sb_error *err) SB_MUST_USE;
/* Syncs the file and gives it its name. *out_bytes: how large it is, 0 for folders and pipes. */
int sb_destination_finish(struct sb_destination *d, struct sb_interrupt *interrupt,
	uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;
/* What was not finished leaves nothing. */
void sb_destination_release(struct sb_destination *d);

#endif
