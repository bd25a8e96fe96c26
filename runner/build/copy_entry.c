/* SPDX-License-Identifier: MIT */
#include "build/copy_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/at.h"
#include "sys/fd.h"

static int fail_changed(const char *from_path, struct sb_error *err)
{
	(void)sb_fail(err, SB_E_INTEGRITY, "'%s' was changed while it was copied", from_path);
	return sb_error_hint(err, "build again when nothing writes to it");
}

int sb_copy_open_file(struct sb_copy_entry from, const char *from_path, int *out_fd,
	struct stat *out_st, struct sb_error *err)
{
	sb_autofd int fd = sb_at_open_raw(from.dir_fd, from.name, SB_AT_NO_LINKS,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
		return fail_changed(from_path, err);
	if (fd < 0) {
		const bool is_denied = errno == EACCES || errno == EPERM;

		(void)sb_fail_errno(err, "read '%s'", from_path);
		return is_denied ? sb_error_hint(err,
					   "make it readable for the user who builds, or exclude "
					   "it by .dockerignore")
				 : -1;
	}
	if (fstat(fd, out_st) < 0)
		return sb_fail_errno(err, "read '%s'", from_path);
	if (!S_ISREG(out_st->st_mode))
		return fail_changed(from_path, err);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

/* Takes a file of that name away. */
static int clear(struct sb_copy_entry to, const char *to_path, struct sb_error *err)
{
	if (unlinkat(to.dir_fd, to.name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return sb_fail(err, SB_E_STEP_FAILED, "cannot replace the folder '/%s' by a file",
			to_path);
	return sb_fail_errno(err, "replace '/%s'", to_path);
}

int sb_copy_create(struct sb_copy_entry to, const char *to_path, int *out_fd, struct sb_error *err)
{
	const int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
	int fd = sb_at_open_raw(to.dir_fd, to.name, SB_AT_NO_LINKS, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		if (clear(to, to_path, err) < 0)
			return -1;
		fd = sb_at_open_raw(to.dir_fd, to.name, SB_AT_NO_LINKS, flags, 0600);
	}
	if (fd < 0)
		return sb_fail_errno(err, "make '/%s'", to_path);
	*out_fd = fd;
	return 0;
}

/* The file's first name in the copy, if it is still what was made there: *out_fd is the folder that
 * holds it, or -1. */
static void open_first_name(const struct sb_copy_work *work, const struct sb_copied_link *link,
	int *out_fd, char **out_name)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	sb_autofree char *name = NULL;
	struct stat st;

	*out_fd = -1;
	if (sb_at_open_parent(
		    work->copy->root_fd, link->path, SB_AT_NO_LINKS, &fd, &name, &ignored) < 0 ||
		fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != link->made_dev ||
		st.st_ino != link->made_ino)
		return;
	*out_fd = sb_fd_steal(&fd);
	*out_name = SB_STEAL(name);
}

/* Makes a hard link where another name of the file was copied before. Where that can't be done, the
 * content is copied again. */
static int link_to_first(struct sb_copy_work *work, const char *from_path, const struct stat *st,
	struct sb_copy_entry to, const char *to_path, bool *out_is_done, struct sb_error *err)
{
	const struct sb_copied_link *link = sb_copied_links_find(&work->links, st);
	sb_autofd int first_fd = -1;
	sb_autofree char *first = NULL;

	*out_is_done = false;
	if (link == NULL)
		return 0;
	open_first_name(work, link, &first_fd, &first);
	if (first_fd >= 0) {
		int rc = linkat(first_fd, first, to.dir_fd, to.name, 0);

		if (rc < 0 && errno == EEXIST) {
			if (strcmp(link->path, to_path) != 0 && clear(to, to_path, err) < 0)
				return -1;
			rc = linkat(first_fd, first, to.dir_fd, to.name, 0);
		}
		*out_is_done = rc == 0;
	}
	if (!*out_is_done)
		sb_losses_note(&work->losses, SB_LOSS_HARDLINK, from_path);
	return 0;
}

static int copy_content(struct sb_copy_work *work, int from_fd, const struct stat *st,
	const char *from_path, int to_fd, const char *to_path, struct sb_error *err)
{
	if (work->copy->in_place != NULL)
		return sb_in_place_add(work->copy->in_place, from_fd, st, from_path, to_fd, err);
	if (sb_content_copy(&work->contents, from_fd, st, to_fd, err) == 0)
		return 0;

	const bool is_changed = err->code == SB_E_INTEGRITY;

	(void)sb_error_context(err, "copy '%s' to '/%s'", from_path, to_path);
	return is_changed ? sb_error_hint(err, "build again when nothing writes to it") : -1;
}

static int copy_regular(struct sb_copy_work *work, struct sb_copy_entry from, const char *from_path,
	struct sb_copy_entry to, const char *to_path, struct sb_error *err)
{
	sb_autofd int from_fd = -1;
	sb_autofd int to_fd = -1;
	struct stat st;
	struct stat made;
	bool is_linked = false;

	if (sb_copy_open_file(from, from_path, &from_fd, &st, err) < 0)
		return -1;
	if (st.st_nlink > 1 &&
		link_to_first(work, from_path, &st, to, to_path, &is_linked, err) < 0)
		return -1;
	if (is_linked)
		return 0;
	if (sb_copy_create(to, to_path, &to_fd, err) < 0)
		return -1;
	if (copy_content(work, from_fd, &st, from_path, to_fd, to_path, err) < 0)
		return -1;
	if (sb_copy_metadata(work, from, &st, to, from_path, err) < 0)
		return -1;
	if (st.st_nlink > 1 && fstat(to_fd, &made) == 0)
		sb_copied_links_add(&work->links, &st, to_path, &made);
	return 0;
}

static int copy_link(struct sb_copy_work *work, struct sb_copy_entry from, const char *from_path,
	const struct stat *st, struct sb_copy_entry to, const char *to_path, struct sb_error *err)
{
	sb_autofree char *target = NULL;

	if (sb_at_read_link(from.dir_fd, from.name, &target, err) < 0)
		return -1;
	if (symlinkat(target, to.dir_fd, to.name) < 0) {
		if (errno != EEXIST)
			return sb_fail_errno(err, "make the link '/%s'", to_path);
		if (clear(to, to_path, err) < 0)
			return -1;
		if (symlinkat(target, to.dir_fd, to.name) < 0)
			return sb_fail_errno(err, "make the link '/%s'", to_path);
	}
	return sb_copy_metadata(work, from, st, to, from_path, err);
}

/* Device 0/0 is how overlayfs says "removed": it must not appear in an upper folder by a copy. */
static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int copy_special(struct sb_copy_work *work, struct sb_copy_entry from, const char *from_path,
	const struct stat *st, struct sb_copy_entry to, const char *to_path, struct sb_error *err)
{
	const mode_t mode = (st->st_mode & S_IFMT) | 0600;
	const dev_t rdev = S_ISFIFO(st->st_mode) ? 0 : st->st_rdev;
	int rc = 0;

	if (is_whiteout(st)) {
		sb_losses_note(&work->losses, SB_LOSS_DEVICE, from_path);
		return 0;
	}
	rc = mknodat(to.dir_fd, to.name, mode, rdev);
	if (rc < 0 && errno == EEXIST) {
		if (clear(to, to_path, err) < 0)
			return -1;
		rc = mknodat(to.dir_fd, to.name, mode, rdev);
	}
	if (rc < 0 && errno == EPERM && !S_ISFIFO(st->st_mode)) {
		sb_losses_note(&work->losses, SB_LOSS_DEVICE, from_path);
		return 0;
	}
	if (rc < 0)
		return sb_fail_errno(err, "make '/%s'", to_path);
	return sb_copy_metadata(work, from, st, to, from_path, err);
}

int sb_copy_one(struct sb_copy_work *work, struct sb_copy_entry from, const char *from_path,
	const struct stat *st, struct sb_copy_entry to, const char *to_path, struct sb_error *err)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return copy_regular(work, from, from_path, to, to_path, err);
	case S_IFLNK:
		return copy_link(work, from, from_path, st, to, to_path, err);
	case S_IFSOCK:
		/* A socket is of use only to the process that listens on it; an empty file in its
		 * place would be of use to nobody. */
		sb_losses_note(&work->losses, SB_LOSS_SOCKET, from_path);
		return 0;
	default:
		return copy_special(work, from, from_path, st, to, to_path, err);
	}
}

/* Opens, or makes and opens, one folder in another. */
static int step_into(struct sb_copy_work *work, int at, const char *part, mode_t mode,
	const char *path, int *out_fd, struct sb_error *err)
{
	const struct sb_copy_entry entry = {.dir_fd = at, .name = part};
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	int fd = sb_at_open_raw(at, part, SB_AT_NO_LINKS, flags, 0);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(at, part, 0700) < 0)
			return sb_fail_errno(err, "make the folder '%s'", path);
		if (sb_copy_own_new(work, entry, mode, path, err) < 0)
			return -1;
		fd = sb_at_open_raw(at, part, SB_AT_NO_LINKS, flags, 0);
	}
	if (fd < 0 && errno == ENOTDIR)
		return sb_fail(err, SB_E_STEP_FAILED,
			"cannot make the folder '%s': '%s' is there and not a folder", path, part);
	if (fd < 0)
		return sb_fail_errno(err, "open the folder '%s'", path);
	*out_fd = fd;
	return 0;
}

int sb_copy_make_folder(
	struct sb_copy_work *work, const char *path, mode_t mode, int *out_fd, struct sb_error *err)
{
	sb_autofree char *parts = sb_strdup(path);
	sb_autofd int at = -1;

	if (sb_at_open_dir(work->copy->root_fd, ".", SB_AT_NO_LINKS, &at, err) < 0)
		return -1;
	for (char *rest = parts, *part = strsep(&rest, "/"); part != NULL;
		part = strsep(&rest, "/")) {
		int next = -1;

		if (part[0] == '\0')
			continue;
		if (step_into(work, at, part, mode, path, &next, err) < 0)
			return -1;
		sb_fd_closep(&at);
		at = next;
	}
	*out_fd = sb_fd_steal(&at);
	return 0;
}
