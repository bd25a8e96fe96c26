/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_RESOLVED_H
#define SB_BUILD_RESOLVED_H

#include <pthread.h>

#include "base/array.h"
#include "oci/manifest.h"
#include "oci/platform.h"

/*
 * What names of images were found to mean: asked once a build, so that all stages and platforms
 * have the same, and by one thread, while others that want the same name wait.
 */
struct sb_resolved_name;
struct sb_resolved {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	SB_ARRAY(struct sb_resolved_name) names;
};
void sb_resolved_init(struct sb_resolved *resolved);
void sb_resolved_release(struct sb_resolved *resolved);

/* What a registry said. */
struct sb_resolved_source {
	char *name; /* whole, as the store has it; owned; NULL: it did not come from a registry */
	struct sb_digest named; /* what it means there: an index's digest, where it is one */
};
void sb_resolved_source_release(struct sb_resolved_source *source);

/* True where it is known: *out is a copy. Else it is the caller's to find out, and to end. */
bool sb_resolved_begin(struct sb_resolved *resolved, const char *text,
	const struct sb_platform *platform, struct sb_descriptor *out);
/* found NULL: the next one that wants it tries again. Takes what source owns. */
void sb_resolved_end(struct sb_resolved *resolved, const char *text,
	const struct sb_platform *platform, const struct sb_descriptor *found,
	struct sb_resolved_source *source);

/* What a registry said of the name for any platform: *out is a copy, its name NULL where it was
 * not asked. */
void sb_resolved_find_source(
	struct sb_resolved *resolved, const char *text, struct sb_resolved_source *out);
/* Adds the images that registries gave for the name, each with the platform that it was wanted for.
 */
void sb_resolved_list_pulled(
	struct sb_resolved *resolved, const char *text, struct sb_descriptors *out);

#endif
