/* SPDX-License-Identifier: MIT */
#include "sys/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/fd.h"

static void closedirp(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

int sb_tree_list(int dir_fd, struct sb_strv *out_names, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(closedirp))) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL)
		return sb_fail_errno(err, "list folder");
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

/* Opens a folder for removal, giving its owner the permissions for it first where they are missing.
 */
static int open_for_removal(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const int fd = openat(dir_fd, name, flags);

	if (fd >= 0 || errno != EACCES || fchmodat(dir_fd, name, 0700, 0) < 0)
		return fd;
	return openat(dir_fd, name, flags);
}

/* Depth is bounded by the number of descriptors we may open, so the walk keeps one descriptor a
 * level and no more. */
static int remove_below(int dir_fd, const char *name, struct sb_error *err)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return sb_fail_errno(err, "remove '%s'", name);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return sb_fail_errno(err, "remove '%s'", name);

	sb_autofd int fd = open_for_removal(dir_fd, name);
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct stat st;

	if (fd < 0)
		return sb_fail_errno(err, "remove '%s'", name);
	if (fstat(fd, &st) == 0 && (st.st_mode & 0300) != 0300)
		(void)fchmod(fd, 0700);
	if (sb_tree_list(fd, &names, err) < 0)
		return sb_error_context(err, "remove '%s'", name);
	for (size_t i = 0; i < names.len; i++)
		if (remove_below(fd, names.items[i], err) < 0)
			return sb_error_context(err, "remove '%s'", name);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return sb_fail_errno(err, "remove '%s'", name);
	return 0;
}

int sb_tree_remove(int dir_fd, const char *name, struct sb_error *err)
{
	return remove_below(dir_fd, name, err);
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
