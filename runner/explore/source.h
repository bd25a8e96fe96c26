/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_SOURCE_H
#define SB_EXPLORE_SOURCE_H

#include "safebuild/explore.h"

/* The image that is looked at, as the library gives it (sb_explorer_image, sb_explorer_file). All
 * of it is borrowed, and stays as it is. */
struct sb_explore_source {
	const struct sb_explored_image *image;
	void (*file)(const void *self, size_t layer, size_t i, struct sb_explored_file *out);
	const void *self;
};

#endif
