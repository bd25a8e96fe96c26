/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_RESOLVED_H
#define SB_BUILD_RESOLVED_H

#include <pthread.h>

#include "base/array.h"
#include "oci/descriptor.h"
#include "oci/platform.h"

/*
 * What names of images were found to mean: asked once a build, so that all stages have the same,
 * and by one thread, while others that want the same wait.
 */
struct sb_resolved_name;
struct sb_resolved {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	SB_ARRAY(struct sb_resolved_name) names;
};
void sb_resolved_init(struct sb_resolved *resolved);
void sb_resolved_release(struct sb_resolved *resolved);

/* True where it is known: *out is a copy. Else it is the caller's to find out, and to end. */
bool sb_resolved_begin(struct sb_resolved *resolved, const char *text,
	const struct sb_platform *platform, struct sb_descriptor *out);
/* found NULL: the next one that wants it tries again. */
void sb_resolved_end(struct sb_resolved *resolved, const char *text,
	const struct sb_platform *platform, const struct sb_descriptor *found);

#endif
