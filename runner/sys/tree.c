/* SPDX-License-Identifier: MIT */
#include "sys/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "sys/fd.h"

static void closedirp(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

int sb_tree_list(int dir_fd, struct sb_strv *out_names, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(closedirp))) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL)
		return sb_fail_errno(err, "list folder");
	(void)sb_fd_steal(&fd); /* dir's own now */
	for (;;) {
		errno = 0;

		const struct dirent *entry = readdir(dir);

		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			sb_strv_add(&names, entry->d_name);
	}
	if (errno != 0)
		return sb_fail_errno(err, "list folder");
	sb_strv_sort(&names);
	*out_names = names;
	names = (struct sb_strv)SB_STRV_INIT;
	return 0;
}

/* Gives the owner of a folder all permissions on it. Through the descriptor, so that a link that
 * takes its place meanwhile is not followed. */
static int open_up(int dir_fd, const char *name)
{
	char path[32];
	sb_autofd int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, 0700);
}

/* A folder whose content is being removed. */
struct level {
	char *name; /* in the folder above */
	struct stat st;
	struct sb_strv names; /* what is in it and not removed yet; the last is next */
};
SB_ARRAY_STRUCT(levels, struct level);

static void level_release(struct level *level)
{
	free(level->name);
	sb_strv_release(&level->names);
}

/*
 * The walk: one descriptor, of the folder that it is in, however deep that is; the way back is
 * `..`. So neither the number of descriptors nor the stack bound the depth of what can be removed.
 */
struct removal {
	int top_fd; /* borrowed: the folder that holds what is removed */
	int fd;     /* the innermost level's folder, or -1 at the top */
	struct levels levels;
};

static void removal_release(struct removal *r)
{
	sb_fd_closep(&r->fd);
	SB_ARRAY_FOREACH (&r->levels, level)
		level_release(level);
	SB_ARRAY_RELEASE(&r->levels);
}

static int current_fd(const struct removal *r)
{
	return r->levels.len > 0 ? r->fd : r->top_fd;
}

static int enter(struct removal *r, const char *name, struct sb_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const int above = current_fd(r);
	sb_autofd int fd = openat(above, name, flags);
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct stat st;

	if (fd < 0 && errno == EACCES && open_up(above, name) == 0)
		fd = openat(above, name, flags);
	if (fd < 0 && errno == ENOENT)
		return 0; /* another process removes the same */
	if (fd < 0 || fstat(fd, &st) < 0)
		return sb_fail_errno(err, "'%s'", name);
	if ((st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700); /* removing below it says what is wrong if this fails */
	if (sb_tree_list(fd, &names, err) < 0)
		return sb_error_context(err, "'%s'", name);
	*SB_ARRAY_ADD(&r->levels) =
		(struct level){.name = sb_strdup(name), .st = st, .names = names};
	names = (struct sb_strv)SB_STRV_INIT;
	sb_fd_closep(&r->fd);
	r->fd = sb_fd_steal(&fd);
	return 0;
}

/* Removes an entry, or enters it where it is a folder that holds something. */
static int remove_or_enter(struct removal *r, const char *name, struct sb_error *err)
{
	const int fd = current_fd(r);

	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return sb_fail_errno(err, "'%s'", name);
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return sb_fail_errno(err, "'%s'", name);
	return enter(r, name, err);
}

/* Goes up from a folder that is empty now, and removes it. */
static int leave(struct removal *r, struct sb_error *err)
{
	struct level *level = &r->levels.items[r->levels.len - 1];
	sb_autofd int above = -1;

	if (r->levels.len > 1 && sb_tree_open_above(r->fd, &level[-1].st, &above, err) < 0)
		return -1;
	sb_fd_closep(&r->fd);
	r->fd = sb_fd_steal(&above);
	r->levels.len--;

	const int rc = unlinkat(current_fd(r), level->name, AT_REMOVEDIR);

	if (rc < 0 && errno != ENOENT)
		(void)sb_fail_errno(err, "'%s'", level->name);
	level_release(level);
	return sb_error_is_set(err) ? -1 : 0;
}

static int step(struct removal *r, struct sb_error *err)
{
	struct sb_strv *names = &r->levels.items[r->levels.len - 1].names;

	if (names->len == 0)
		return leave(r, err);

	sb_autofree char *name = sb_strdup(names->items[names->len - 1]);

	sb_strv_remove_at(names, names->len - 1);
	return remove_or_enter(r, name, err);
}

int sb_tree_remove(int dir_fd, const char *name, struct sb_error *err)
{
	__attribute__((cleanup(removal_release))) struct removal r = {.top_fd = dir_fd, .fd = -1};
	int rc = remove_or_enter(&r, name, err);

	while (rc == 0 && r.levels.len > 0)
		rc = step(&r, err);
	return rc < 0 ? sb_error_context(err, "remove '%s'", name) : 0;
}

int sb_tree_open_above(int dir_fd, const struct stat *expected, int *out_fd, struct sb_error *err)
{
	sb_autofd int fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return sb_fail_errno(err, "open the folder above");
	if (expected != NULL && (st.st_dev != expected->st_dev || st.st_ino != expected->st_ino))
		return sb_fail(err, SB_E_INTEGRITY, "a folder was moved while it was read");
	*out_fd = sb_fd_steal(&fd);
	return 0;
}
