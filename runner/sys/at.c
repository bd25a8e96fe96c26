/* SPDX-License-Identifier: MIT */
#include "sys/at.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/fd.h"

static uint64_t resolve_flags(enum sb_at_how how)
{
	switch (how) {
	case SB_AT_BENEATH:
		return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	case SB_AT_IN_ROOT:
		return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	case SB_AT_NO_LINKS:
		return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	}
	return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
}

int sb_at_open_raw(int dir_fd, const char *path, enum sb_at_how how, int flags, mode_t mode)
{
	const struct open_how open_how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? mode & 07777
										   : 0,
		.resolve = resolve_flags(how),
	};
	long fd = -1;

	/* EAGAIN: something was renamed or mounted while the kernel checked that the path stays
	 * below (openat2(2)). */
	for (unsigned tries = 0; tries < 64; tries++) {
		fd = syscall(SYS_openat2, dir_fd, path, &open_how, sizeof(open_how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

/* EXDEV and ELOOP are how openat2 says that a path leads out or over a link. */
static int fail_open(int os_errno, const char *path, enum sb_at_how how, struct sb_error *err)
{
	if (os_errno == EXDEV)
		return sb_fail(err, SB_E_DENIED, "'%s' leads out of its folder", path);
	if (os_errno == ELOOP && how == SB_AT_NO_LINKS)
		return sb_fail(err, SB_E_DENIED, "'%s' leads over a symbolic link", path);
	errno = os_errno;
	return sb_fail_errno(err, "'%s'", path);
}

int sb_at_open(int dir_fd, const char *path, enum sb_at_how how, int flags, int *out_fd,
	struct sb_error *err)
{
	const int fd = sb_at_open_raw(dir_fd, path, how, flags, 0);

	if (fd < 0)
		return fail_open(errno, path, how, err);
	*out_fd = fd;
	return 0;
}

int sb_at_create(int dir_fd, const char *path, enum sb_at_how how, mode_t mode, int *out_fd,
	struct sb_error *err)
{
	const int fd =
		sb_at_open_raw(dir_fd, path, how, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);

	if (fd < 0)
		return fail_open(errno, path, how, err);
	*out_fd = fd;
	return 0;
}

int sb_at_open_dir(
	int dir_fd, const char *path, enum sb_at_how how, int *out_fd, struct sb_error *err)
{
	return sb_at_open(dir_fd, path, how, O_RDONLY | O_DIRECTORY, out_fd, err);
}

int sb_at_make_dirs(int dir_fd, const char *path, mode_t mode, int *out_fd, struct sb_error *err)
{
	sb_autofree char *rest = sb_path_below_root(path);
	sb_autofd int at = -1;

	if (sb_at_open_dir(dir_fd, ".", SB_AT_NO_LINKS, &at, err) < 0)
		return -1;
	for (char *saved = NULL, *part = strtok_r(rest, "/", &saved); part != NULL;
		part = strtok_r(NULL, "/", &saved)) {
		if (mkdirat(at, part, mode) < 0 && errno != EEXIST)
			return sb_fail_errno(err, "make folder '%s'", path);

		sb_autofd int next = -1;

		if (sb_at_open_dir(at, part, SB_AT_NO_LINKS, &next, err) < 0)
			return sb_error_context(err, "make folder '%s'", path);
		sb_fd_closep(&at);
		at = sb_fd_steal(&next);
	}
	*out_fd = sb_fd_steal(&at);
	return 0;
}

int sb_at_open_parent(int dir_fd, const char *path, enum sb_at_how how, int *out_parent_fd,
	char **out_name, struct sb_error *err)
{
	sb_autofree char *dir = sb_path_dir(path);
	sb_autofree char *name = sb_path_base(path);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "/") == 0)
		return sb_fail(err, SB_E_USAGE, "'%s' has no last name", path);
	if (sb_at_open_dir(dir_fd, dir, how, out_parent_fd, err) < 0)
		return -1;
	*out_name = SB_STEAL(name);
	return 0;
}

int sb_at_lstat(int dir_fd, const char *path, enum sb_at_how how, struct stat *out,
	bool *out_exists, struct sb_error *err)
{
	sb_autofd int fd = sb_at_open_raw(dir_fd, path, how, O_PATH | O_NOFOLLOW, 0);

	*out_exists = fd >= 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return fail_open(errno, path, how, err);
	if (fstat(fd, out) < 0)
		return sb_fail_errno(err, "'%s'", path);
	return 0;
}

int sb_at_read_link(int dir_fd, const char *name, char **out, struct sb_error *err)
{
	char target[PATH_MAX + 1];
	const ssize_t len = readlinkat(dir_fd, name, target, sizeof(target));

	if (len < 0)
		return sb_fail_errno(err, "read link '%s'", name);
	if (len > PATH_MAX)
		return sb_fail(err, SB_E_LIMIT, "link '%s' is too long", name);
	*out = sb_memdup0(target, (size_t)len);
	return 0;
}

int sb_at_read_file(int dir_fd, const char *path, enum sb_at_how how, size_t max_bytes,
	struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(max_bytes);
	sb_autofd int fd = -1;

	/* O_NONBLOCK: a FIFO of that name must not hang us. */
	if (sb_at_open(dir_fd, path, how, O_RDONLY | O_NONBLOCK, &fd, err) < 0)
		return -1;
	if (sb_fd_read_all(fd, &buf, err) < 0)
		return sb_error_context(err, "'%s'", path);
	*out = buf;
	buf = (struct sb_buf)SB_BUF_INIT(max_bytes);
	return 0;
}

/* What "dir/name" is: a link's target in *out_target, or NULL for anything else, existing or not.
 */
static int link_target(int root_fd, const char *path, char **out_target, struct sb_error *err)
{
	sb_autofd int fd = sb_at_open_raw(root_fd, path, SB_AT_IN_ROOT, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	*out_target = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : fail_open(errno, path, SB_AT_IN_ROOT, err);
	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "'%s'", path);
	return S_ISLNK(st.st_mode) ? sb_at_read_link(fd, "", out_target, err) : 0;
}

int sb_at_canonical(int root_fd, const char *path, char **out, struct sb_error *err)
{
	enum { MAX_LINKS = 40 }; /* the kernel's own limit, path_resolution(7) */
	sb_autofree char *done = sb_strdup("/");
	sb_autofree char *rest = sb_strdup(path);
	unsigned n_links = 0;

	while (rest[strspn(rest, "/")] != '\0') {
		const char *start = rest + strspn(rest, "/");
		const size_t len = strcspn(start, "/");
		sb_autofree char *part = sb_memdup0(start, len);
		sb_autofree char *after = sb_strdup(start + len);
		sb_autofree char *next = sb_path_join(done, part);
		sb_autofree char *target = NULL;

		if (strcmp(part, "..") != 0 && strcmp(part, ".") != 0 &&
			link_target(root_fd, next, &target, err) < 0)
			return -1;
		free(rest);
		if (target == NULL) {
			rest = SB_STEAL(after);
			free(done);
			done = SB_STEAL(next);
			continue;
		}
		if (++n_links > MAX_LINKS || strlen(target) + strlen(after) > PATH_MAX) {
			rest = NULL;
			return sb_fail(
				err, SB_E_LIMIT, "'%s': too many levels of symbolic links", path);
		}
		rest = sb_asprintf("%s%s", target, after);
		if (target[0] == '/') {
			free(done);
			done = sb_strdup("/");
		}
	}
	*out = SB_STEAL(done);
	return 0;
}
