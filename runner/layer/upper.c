/* SPDX-License-Identifier: MIT */
#include "layer/upper.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "layer/whiteout.h"
#include "sys/at.h"
#include "sys/fd.h"

static bool is_deleted(const struct sb_changes *changes, const char *path)
{
	SB_ARRAY_FOREACH (changes, change)
		if (change->kind == SB_CHANGE_DELETE && strcmp(change->path, path) == 0)
			return true;
	return false;
}

/* A socket may have taken the place of something that the layers below have. */
static int remove_socket(
	int upper_fd, const struct sb_changes *changes, const char *path, struct sb_error *err)
{
	sb_autofd int dir = -1;
	sb_autofree char *name = NULL;
	struct stat st;

	if (sb_at_open_parent(upper_fd, path, SB_AT_NO_LINKS, &dir, &name, err) < 0)
		return -1;
	if (fstat(dir, &st) < 0 || unlinkat(dir, name, 0) < 0)
		return sb_fail_errno(err, "remove the socket '/%s'", path);
	if (is_deleted(changes, path) && sb_whiteout_make(dir, name, err) < 0)
		return -1;

	/* The folder's time is in the layer as it was. */
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st.st_mtim};

	if (utimensat(dir, ".", times, 0) < 0)
		return sb_fail_errno(err, "set the time of the folder of '/%s'", path);
	return 0;
}

static int set_time(
	int upper_fd, const struct sb_change *change, int64_t epoch, struct sb_error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = epoch}};
	sb_autofd int dir = -1;
	sb_autofree char *name = NULL;

	if (sb_at_open_parent(upper_fd, change->path, SB_AT_NO_LINKS, &dir, &name, err) < 0)
		return -1;
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "set the time of '/%s'", change->path);
	return 0;
}

int sb_upper_settle(int upper_fd, const struct sb_changes *changes, const struct sb_strv *sockets,
	int64_t source_date_epoch, struct sb_error *err)
{
	for (size_t i = 0; i < sockets->len; i++)
		if (remove_socket(upper_fd, changes, sockets->items[i], err) < 0)
			return -1;
	if (source_date_epoch < 0)
		return 0;
	SB_ARRAY_FOREACH (changes, change)
		if (change->kind != SB_CHANGE_DELETE && change->mtime >= source_date_epoch &&
			set_time(upper_fd, change, source_date_epoch, err) < 0)
			return -1;
	return 0;
}
