/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_CONTENT_H
#define SB_BUILD_COPY_CONTENT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "sys/interrupt.h"

/* What is learnt and used again from file to file. Zeroed at the start, but for the interrupt. */
struct sb_content_copier {
	bool no_clone;                  /* the two file systems can't share extents */
	bool no_range;                  /* nor copy inside the kernel */
	char *buffer;                   /* owned */
	struct sb_interrupt *interrupt; /* looked at between pieces of a file; or NULL */
};

void sb_content_copier_release(struct sb_content_copier *copier);

/*
 * Copies the whole of a regular file (`st` is its fstat) into an empty one: by shared extents where
 * the file system has them, else within the kernel, else through a buffer of constant size. Holes
 * stay holes. SB_E_INTEGRITY where the file was changed meanwhile; other errors are of the system
 * and don't say which file.
 */
int sb_content_copy(struct sb_content_copier *copier, int from_fd, const struct stat *st, int to_fd,
	struct sb_error *err) SB_MUST_USE;

#endif
