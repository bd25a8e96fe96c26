/* SPDX-License-Identifier: MIT */
#include "sandbox/stage.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"

int sb_stage_make_mountpoint(int dir_fd, const char *path, bool is_file, struct sb_error *err)
{
	sb_autofree char *rest = sb_path_below_root(path);
	sb_autofree char *name = sb_path_base(rest);
	sb_autofree char *dir = sb_path_dir(rest);
	sb_autofd int parent = -1;

	if (!is_file) {
		sb_autofd int made = -1;

		return sb_at_make_dirs(dir_fd, rest, 0755, &made, err);
	}
	if (sb_at_make_dirs(dir_fd, dir, 0755, &parent, err) < 0)
		return -1;

	sb_autofd int fd = openat(parent, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return sb_fail_errno(err, "make mount point '%s'", path);
	return 0;
}

/* Below another mount there is no place for a mount point but in what is mounted there. */
static int fail_mountpoint(const char *target, struct sb_error *err)
{
	const bool is_readonly = err->os_errno == EROFS;

	(void)sb_error_context(err, "mount on '%s'", target);
	return is_readonly ? sb_error_hint(err, "the mount above it is read-only and has no such "
						"folder: make one in its source, or add 'rw' to "
						"that mount")
			   : -1;
}

int sb_stage_attach(
	int root_fd, const char *target, bool is_file, int mount_fd, struct sb_error *err)
{
	sb_autofd int at = sb_at_open_raw(root_fd, target, SB_AT_IN_ROOT, O_PATH, 0);

	/* Only where an opaque folder of the image hides the scaffold. What is made here is not
	 * recorded: it is on the list of mount points that safebuild takes out of the layer. */
	if (at < 0 && errno == ENOENT) {
		if (sb_stage_make_mountpoint(root_fd, target, is_file, err) < 0)
			return fail_mountpoint(target, err);
		at = sb_at_open_raw(root_fd, target, SB_AT_IN_ROOT, O_PATH, 0);
	}
	if (at < 0)
		return sb_fail_errno(err, "mount on '%s'", target);
	if (sb_mount_attach(mount_fd, at, err) < 0) {
		const bool clash = err->os_errno == ENOTDIR || err->os_errno == EINVAL;

		(void)sb_error_context(err, "mount on '%s'", target);
		return clash ? sb_error_hint(err, "a file can't be mounted on a folder, nor a "
						  "folder on a file")
			     : -1;
	}
	return 0;
}

int sb_stage_mount(int root_fd, const char *target, const char *fstype,
	const struct sb_mount_option *options, uint64_t attrs, struct sb_error *err)
{
	sb_autofd int mount_fd = -1;

	if (sb_mount_new(fstype, options, attrs, &mount_fd, err) < 0)
		return sb_error_context(err, "'%s'", target);
	return sb_stage_attach(root_fd, target, false, mount_fd, err);
}

int sb_stage_bind(int dir_fd, const char *name, int root_fd, const char *target, bool is_file,
	uint64_t attrs, struct sb_error *err)
{
	sb_autofd int source = openat(dir_fd, name, O_PATH | O_CLOEXEC);
	sb_autofd int mount_fd = -1;

	if (source < 0)
		return sb_fail_errno(err, "'%s'", name);
	if (sb_mount_clone(source, false, attrs, &mount_fd, err) < 0)
		return sb_error_context(err, "'%s'", target);
	return sb_stage_attach(root_fd, target, is_file, mount_fd, err);
}
