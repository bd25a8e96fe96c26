/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTEXT_VIEW_H
#define SB_BUILD_CONTEXT_VIEW_H

#include "build/mount_source.h"

/*
 * Parts of build contexts as steps see them: what the ignore file leaves, without the source files
 * of secrets, all owned by image root. A view is a skeleton of the part, in memory; the files'
 * content is read from the context while the step runs (sys/data_overlay.h). So the context must
 * not change until then, which is checked when the step has ended.
 *
 * A build makes each view once. Before it is used again it is compared with the context, and made
 * anew where a file has changed in between, since a COPY would see that too.
 */
struct sb_context_views;
struct sb_context_view;
void sb_context_views_free(struct sb_context_views *views);

/*
 * *out_mount_fd: a detached mount, in which the part is called "tree"; writable where `upper` is
 * not NULL, to which the changes go. *out_view (borrowed, lives as long as the build) is for
 * sb_context_view_check.
 *
 * *out_view is NULL where the host can't read in place, or not this part, since there is another
 * mount in it: then it has to be copied.
 */
int sb_context_view_open(struct sb_build *build, const struct sb_mount_source *source,
	const struct sb_upper *upper, int *out_mount_fd, const struct sb_context_view **out_view,
	struct sb_error *err) SB_MUST_USE;

/* SB_E_INTEGRITY, with a hint, where a file of the view is not what it was when it was made. */
int sb_context_view_check(const struct sb_context_view *view, struct sb_interrupt *interrupt,
	struct sb_error *err) SB_MUST_USE;

#endif
