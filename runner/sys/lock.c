/* SPDX-License-Identifier: MIT */
#include "sys/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "sys/fd.h"

/* 1 locked, 0 held by another, -1 error. */
static int lock(int dir_fd, const char *name, int operation, int *out_fd, struct sb_error *err)
{
	for (;;) {
		sb_autofd int fd =
			openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct stat locked;
		struct stat named;
		bool is_named = false;
		int rc = -1;

		if (fd < 0)
			return sb_fail_errno(err, "lock '%s'", name);
		do
			rc = flock(fd, operation);
		while (rc < 0 && errno == EINTR);
		if (rc < 0 && errno == EWOULDBLOCK)
			return 0;
		if (rc < 0 || fstat(fd, &locked) < 0)
			return sb_fail_errno(err, "lock '%s'", name);
		/* Whoever held it before may have removed the file: then ours is a lock that nobody
		 * else sees. */
		is_named = fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0;
		if (!is_named && errno != ENOENT)
			return sb_fail_errno(err, "lock '%s'", name);
		if (is_named && named.st_ino == locked.st_ino && named.st_dev == locked.st_dev) {
			*out_fd = sb_fd_steal(&fd);
			return 1;
		}
	}
}

int sb_lock_take(
	int dir_fd, const char *name, enum sb_lock_kind kind, int *out_fd, struct sb_error *err)
{
	return lock(dir_fd, name, kind == SB_LOCK_SHARED ? LOCK_SH : LOCK_EX, out_fd, err) < 0 ? -1
											       : 0;
}

int sb_lock_try(
	int dir_fd, const char *name, enum sb_lock_kind kind, int *out_fd, struct sb_error *err)
{
	int fd = -1;

	if (lock(dir_fd, name, (kind == SB_LOCK_SHARED ? LOCK_SH : LOCK_EX) | LOCK_NB, &fd, err) <
		0)
		return -1;
	*out_fd = fd;
	return 0;
}

bool sb_lock_upgrade(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	/* The kernel converts by letting go first (flock(2)). */
	sb_lock_downgrade(fd);
	return false;
}

void sb_lock_downgrade(int fd)
{
	int rc = -1;

	do
		rc = flock(fd, LOCK_SH);
	while (rc < 0 && errno == EINTR);
}
