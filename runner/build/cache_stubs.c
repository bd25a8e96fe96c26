/* SPDX-License-Identifier: MIT */
#include "build/cache_stubs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"

void sb_cache_stubs_release(struct sb_cache_stubs *stubs)
{
	SB_ARRAY_FOREACH (stubs, stub)
		free(stub->path);
	SB_ARRAY_RELEASE(stubs);
	SB_ARRAY_FOREACH (&stubs->roots, root) {
		sb_fd_closep(&root->fd);
		free(root->target);
	}
	SB_ARRAY_RELEASE(&stubs->roots);
}

void sb_cache_stubs_add_root(struct sb_cache_stubs *stubs, int *fd, const char *target)
{
	*SB_ARRAY_ADD(&stubs->roots) =
		(struct sb_cache_root){.fd = sb_fd_steal(fd), .target = sb_strdup(target)};
}

/* The part of `path` below `dir`, or NULL where it is not below it. */
static const char *below(const char *path, const char *dir)
{
	const size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The cache in which a mount's target lies, with no other mount between the two. */
static const struct sb_cache_root *root_of(
	const struct sb_cache_stubs *stubs, const struct sb_step_spec *spec, const char *target)
{
	const char *around = "";

	SB_ARRAY_FOREACH (&spec->mounts, mount)
		if (below(target, mount->target) != NULL && strlen(mount->target) > strlen(around))
			around = mount->target;
	SB_ARRAY_FOREACH (&stubs->roots, root)
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
		sb_error_ignore(&ignored, "what can't be reached is no stub of ours");
		return false;
	}
	return !exists;
}

static void note(struct sb_cache_stubs *stubs, const struct sb_cache_root *root, const char *path)
{
	for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
		sb_autofree char *part = sb_memdup0(path, len);

		if (is_missing(root->fd, part))
			*SB_ARRAY_ADD(stubs) =
				(struct sb_cache_stub){.fd = root->fd, .path = SB_STEAL(part)};
		if (path[len] == '\0')
			return;
	}
}

void sb_cache_stubs_find(struct sb_cache_stubs *stubs, const struct sb_step_spec *spec)
{
	SB_ARRAY_FOREACH (&spec->mounts, mount) {
		const struct sb_cache_root *root = root_of(stubs, spec, mount->target);

		if (root != NULL)
			note(stubs, root, below(mount->target, root->target));
	}
}

static void remove_stub(const struct sb_cache_stub *stub)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofree char *name = NULL;
	sb_autofd int dir = -1;
	struct stat st;

	if (sb_at_open_parent(stub->fd, stub->path, SB_AT_NO_LINKS, &dir, &name, &ignored) < 0) {
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

void sb_cache_stubs_remove(const struct sb_cache_stubs *stubs)
{
	for (size_t i = stubs->len; i > 0; i--)
		remove_stub(&stubs->items[i - 1]);
}
