/* SPDX-License-Identifier: MIT */
#include "build/cache_mountpoints.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"

void sb_cache_mountpoints_release(struct sb_cache_mountpoints *mountpoints)
{
	SB_ARRAY_FOREACH (mountpoints, mountpoint)
		free(mountpoint->path);
	SB_ARRAY_RELEASE(mountpoints);
	SB_ARRAY_FOREACH (&mountpoints->roots, root) {
		sb_fd_closep(&root->fd);
		free(root->target);
	}
	SB_ARRAY_RELEASE(&mountpoints->roots);
}

void sb_cache_mountpoints_add_root(
	struct sb_cache_mountpoints *mountpoints, int *fd, const char *target)
{
	*SB_ARRAY_ADD(&mountpoints->roots) =
		(struct sb_cache_root){.fd = sb_fd_steal(fd), .target = sb_strdup(target)};
}

/* The part of `path` below `dir`, or NULL where it is not below it. */
static const char *below(const char *path, const char *dir)
{
	const size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The cache in which a mount's target lies, with no other mount between the two. */
static const struct sb_cache_root *root_of(const struct sb_cache_mountpoints *mountpoints,
	const struct sb_step_spec *spec, const char *target)
{
	const char *around = "";

	SB_ARRAY_FOREACH (&spec->mounts, mount)
		if (below(target, mount->target) != NULL && strlen(mount->target) > strlen(around))
			around = mount->target;
	SB_ARRAY_FOREACH (&mountpoints->roots, root)
		if (strcmp(root->target, around) == 0)
			return root;
	return NULL;
}

static bool is_missing(int fd, const char *path)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	struct stat st;
	bool exists = false;

	if (sb_at_lstat(fd, path, SB_AT_NO_LINKS, &st, &exists, &ignored) < 0) {
		sb_error_ignore(&ignored, "what can't be reached is no mountpoint of ours");
		return false;
	}
	return !exists;
}

static void note(struct sb_cache_mountpoints *mountpoints, const struct sb_cache_root *root,
	const char *path)
{
	for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
		sb_autofree char *part = sb_memdup0(path, len);

		if (is_missing(root->fd, part))
			*SB_ARRAY_ADD(mountpoints) = (struct sb_cache_mountpoint){
				.fd = root->fd, .path = SB_STEAL(part)};
		if (path[len] == '\0')
			return;
	}
}

void sb_cache_mountpoints_find(
	struct sb_cache_mountpoints *mountpoints, const struct sb_step_spec *spec)
{
	SB_ARRAY_FOREACH (&spec->mounts, mount) {
		const struct sb_cache_root *root = root_of(mountpoints, spec, mount->target);

		if (root != NULL)
			note(mountpoints, root, below(mount->target, root->target));
	}
}

static void remove_mountpoint(const struct sb_cache_mountpoint *mountpoint)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofree char *name = NULL;
	sb_autofd int dir = -1;
	struct stat st;

	if (sb_at_open_parent(
		    mountpoint->fd, mountpoint->path, SB_AT_NO_LINKS, &dir, &name, &ignored) < 0) {
		sb_error_ignore(&ignored, "the step did away with it");
		return;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		(void)unlinkat(dir, name, AT_REMOVEDIR); /* fails where something is in it */
	else if (S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlinkat(dir, name, 0);
}

void sb_cache_mountpoints_remove(const struct sb_cache_mountpoints *mountpoints)
{
	for (size_t i = mountpoints->len; i > 0; i--)
		remove_mountpoint(&mountpoints->items[i - 1]);
}
