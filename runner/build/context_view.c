/* SPDX-License-Identifier: MIT */
#include "build/context_view.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mutex.h"

struct sb_context_view {
	dev_t dev; /* of the context */
	ino_t ino;
	const struct sb_ignore *ignore;
	char *path;
	int context_fd;
	int skeleton_fd;
	int mount_fd; /* read-only */
	struct sb_in_place files;
};

struct sb_context_views {
	enum sb_data_overlay_way way;
	SB_ARRAY(struct sb_context_view *) items;
};

static void view_free(struct sb_context_view *view)
{
	if (view == NULL)
		return;
	free(view->path);
	sb_fd_closep(&view->context_fd);
	sb_fd_closep(&view->skeleton_fd);
	sb_fd_closep(&view->mount_fd);
	sb_in_place_release(&view->files);
	free(view);
}

static void view_freep(struct sb_context_view **view)
{
	view_free(*view);
}

void sb_context_views_free(struct sb_context_views *views)
{
	if (views == NULL)
		return;
	SB_ARRAY_FOREACH (&views->items, view)
		view_free(*view);
	SB_ARRAY_RELEASE(&views->items);
	free(views);
}

static int get_views(struct sb_build *build, struct sb_context_views **out, struct sb_error *err)
{
	sb_autofd int at = -1;

	if (build->context_views == NULL) {
		if (sb_snapshots_open_mount_point(build->snapshots, &at, err) < 0)
			return -1;
		build->context_views = sb_calloc(1, sizeof(*build->context_views));
		build->context_views->way = sb_data_overlay_probe(at);
	}
	*out = build->context_views;
	return 0;
}

static int mount_view(const struct sb_context_views *views, const struct sb_context_view *view,
	int upper_fd, int work_fd, int *out_fd, struct sb_error *err)
{
	const struct sb_data_overlay overlay = {.way = views->way,
		.skeleton_fd = view->skeleton_fd,
		.data_fd = view->context_fd,
		.upper_fd = upper_fd,
		.work_fd = work_fd};

	return sb_data_overlay_mount(&overlay, out_fd, err);
}

/* The part in a skeleton, and both mounted. */
static int fill_view(struct sb_build *build, const struct sb_mount_source *source,
	const struct sb_context_views *views, struct sb_context_view *view, struct sb_error *err)
{
	if (sb_fd_dup(source->fd, &view->context_fd, err) < 0 ||
		sb_data_overlay_new_skeleton(&view->skeleton_fd, err) < 0 ||
		sb_snapshots_settle(build->snapshots, view->skeleton_fd, err) < 0 ||
		sb_in_place_init(&view->files, view->context_fd, views->way, err) < 0)
		return -1;
	if (sb_mount_source_copy(build, source, view->skeleton_fd, "/tree", &view->files, err) < 0)
		return -1;
	if (mount_view(views, view, -1, -1, &view->mount_fd, err) < 0) {
		err->code = SB_E_UNSUPPORTED;
		return -1;
	}
	return sb_snapshots_settle(build->snapshots, view->mount_fd, err);
}

/* Is it only that it can't be read in place? The memory of a skeleton has its limit too. */
static bool can_be_copied(const struct sb_error *err)
{
	return err->code == SB_E_UNSUPPORTED || err->os_errno == ENOSPC;
}

/* *out is NULL where the part has to be copied. */
static int make_view(struct sb_build *build, const struct sb_mount_source *source,
	const struct stat *st, struct sb_context_views *views, struct sb_context_view **out,
	struct sb_error *err)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	__attribute__((cleanup(view_freep))) struct sb_context_view *view =
		sb_calloc(1, sizeof(*view));

	*view = (struct sb_context_view){.dev = st->st_dev,
		.ino = st->st_ino,
		.ignore = source->ignore,
		.path = sb_strdup(source->path),
		.context_fd = -1,
		.skeleton_fd = -1,
		.mount_fd = -1};
	*out = NULL;
	if (fill_view(build, source, views, view, &failed) < 0) {
		if (!can_be_copied(&failed)) {
			sb_error_move(err, &failed);
			return -1;
		}
		sb_error_ignore(&failed, "copying it tells what else is wrong");
		return 0;
	}
	*out = SB_STEAL(view);
	*SB_ARRAY_ADD(&views->items) = *out;
	return 0;
}

/* The newest view of that part, if the context is still what it was: NULL is no error. */
static int find_view(const struct sb_build *build, const struct sb_mount_source *source,
	const struct stat *st, const struct sb_context_views *views, struct sb_context_view **out,
	struct sb_error *err)
{
	const char *changed = NULL;

	*out = NULL;
	for (size_t i = views->items.len; i-- > 0;) {
		struct sb_context_view *view = views->items.items[i];

		if (view->dev != st->st_dev || view->ino != st->st_ino ||
			view->ignore != source->ignore || strcmp(view->path, source->path) != 0)
			continue;
		if (sb_in_place_check(
			    &view->files, view->context_fd, build->interrupt, &changed, err) < 0)
			return -1;
		*out = changed == NULL ? view : NULL;
		return 0;
	}
	return 0;
}

static int mount_writable(struct sb_build *build, const struct sb_context_views *views,
	const struct sb_context_view *view, const struct sb_upper *upper, int *out_fd,
	struct sb_error *err)
{
	const int snapshots = sb_snapshots_fd(build->snapshots);
	sb_autofd int upper_fd = -1;
	sb_autofd int work_fd = -1;
	sb_autofd int mount_fd = -1;

	if (sb_at_open_dir(snapshots, upper->diff, SB_AT_NO_LINKS, &upper_fd, err) < 0 ||
		sb_at_open_dir(snapshots, upper->work, SB_AT_NO_LINKS, &work_fd, err) < 0 ||
		mount_view(views, view, upper_fd, work_fd, &mount_fd, err) < 0 ||
		sb_snapshots_settle(build->snapshots, mount_fd, err) < 0)
		return -1;
	*out_fd = sb_fd_steal(&mount_fd);
	return 0;
}

int sb_context_view_open(struct sb_build *build, const struct sb_mount_source *source,
	const struct sb_upper *upper, int *out_mount_fd, const struct sb_context_view **out_view,
	struct sb_error *err)
{
	struct sb_context_views *views = NULL;
	struct sb_context_view *view = NULL;
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&build->contexts_lock);
	struct stat st;

	*out_view = NULL;
	if (get_views(build, &views, err) < 0)
		return -1;
	if (views->way == SB_DATA_OVERLAY_NONE)
		return 0;
	if (fstat(source->fd, &st) < 0)
		return sb_fail_errno(err, "the build context");
	if (find_view(build, source, &st, views, &view, err) < 0 ||
		(view == NULL && make_view(build, source, &st, views, &view, err) < 0))
		return -1;
	if (view == NULL)
		return 0;
	if (upper != NULL ? mount_writable(build, views, view, upper, out_mount_fd, err) < 0
			  : sb_fd_dup(view->mount_fd, out_mount_fd, err) < 0)
		return -1;
	*out_view = view;
	return 0;
}

int sb_context_view_check(
	const struct sb_context_view *view, struct sb_interrupt *interrupt, struct sb_error *err)
{
	const char *changed = NULL;

	if (sb_in_place_check(&view->files, view->context_fd, interrupt, &changed, err) < 0)
		return -1;
	if (changed == NULL)
		return 0;
	(void)sb_fail(err, SB_E_INTEGRITY,
		"'%s' of the build context was changed while the step could read it", changed);
	return sb_error_hint(
		err, "build again when nothing writes to it, or exclude it by .dockerignore");
}
