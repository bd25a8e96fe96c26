/* SPDX-License-Identifier: MIT */
#include "sys/mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mutex.h"

/* What the kernel wrote into the context's log ("e overlay: …"), to end an error with. */
static char *context_log(int fs_fd)
{
	char line[512];
	const ssize_t n = read(fs_fd, line, sizeof(line) - 1);

	if (n <= 2)
		return sb_strdup("");
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return sb_asprintf(" (%s)", line + 2);
}

static int fail_context(int fs_fd, const char *what, struct sb_error *err)
{
	const int os_errno = errno;
	sb_autofree char *log = context_log(fs_fd);

	errno = os_errno;
	return sb_fail_errno(err, "mount %s%s", what, log);
}

static int finish(
	int fs_fd, const char *fstype, uint64_t attrs, int *out_mount_fd, struct sb_error *err)
{
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_context(fs_fd, fstype, err);

	const int fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned)attrs);

	if (fd < 0)
		return fail_context(fs_fd, fstype, err);
	*out_mount_fd = fd;
	return 0;
}

int sb_mount_new(const char *fstype, const struct sb_mount_option *options, uint64_t attrs,
	int *out_mount_fd, struct sb_error *err)
{
	sb_autofd int fs_fd = fsopen(fstype, FSOPEN_CLOEXEC);

	if (fs_fd < 0)
		return sb_fail_errno(err, "mount %s", fstype);
	for (const struct sb_mount_option *o = options; o != NULL && o->key != NULL; o++)
		if (fsconfig(fs_fd, o->value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			    o->key, o->value, 0) < 0)
			return fail_context(fs_fd, fstype, err);
	return finish(fs_fd, fstype, attrs, out_mount_fd, err);
}

int sb_mount_set_attrs(int mount_fd, bool recursive, uint64_t attrs, struct sb_error *err)
{
	struct mount_attr attr = {.attr_set = attrs};

	if (mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
		    sizeof(attr)) < 0)
		return sb_fail_errno(err, "set mount attributes");
	return 0;
}

int sb_mount_clone(int fd, bool recursive, uint64_t attrs, int *out_mount_fd, struct sb_error *err)
{
	sb_autofd int mount_fd = open_tree(fd, "",
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			(recursive ? AT_RECURSIVE : 0));

	if (mount_fd < 0)
		return sb_fail_errno(err, "bind mount");
	if (attrs != 0 && sb_mount_set_attrs(mount_fd, recursive, attrs, err) < 0)
		return -1;
	*out_mount_fd = sb_fd_steal(&mount_fd);
	return 0;
}

int sb_mount_attach(int mount_fd, int target_fd, struct sb_error *err)
{
	if (move_mount(mount_fd, "", target_fd, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return sb_fail_errno(err, "attach a mount");
	return 0;
}

/* The overlay's folders as descriptors, top layer first as overlayfs wants them. */
struct opened {
	SB_ARRAY(int) lowers;
	int upper;
	int work;
};

static void opened_release(struct opened *o)
{
	SB_ARRAY_FOREACH (&o->lowers, fd)
		sb_fd_closep(fd);
	SB_ARRAY_RELEASE(&o->lowers);
	sb_fd_closep(&o->upper);
	sb_fd_closep(&o->work);
}

static int open_layer(
	const struct sb_overlay *overlay, const char *name, struct opened *o, struct sb_error *err)
{
	int fd = -1;

	if (sb_at_open_dir(overlay->layers_fd, name, SB_AT_NO_LINKS, &fd, err) < 0)
		return sb_error_context(err, "open layer");
	*SB_ARRAY_ADD(&o->lowers) = fd;
	return 0;
}

/* The kernel looks at this everywhere but at the root of a layer. */
static int is_opaque(int fd, bool *out, struct sb_error *err)
{
	char value[2];
	const ssize_t len = fgetxattr(fd, "user.overlay.opaque", value, sizeof(value));

	if (len < 0 && errno != ENODATA && errno != ENOTSUP && errno != ERANGE)
		return sb_fail_errno(err, "read the attributes of a layer");
	*out = len == 1 && value[0] == 'y';
	return 0;
}

static int open_lowers(const struct sb_overlay *overlay, struct opened *o, struct sb_error *err)
{
	if (overlay->lowers->len > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "%zu layers; at most %d can be stacked",
			overlay->lowers->len, SB_MAX_LAYERS);

	bool is_bottom = false;

	for (size_t i = overlay->lowers->len; i-- > 0 && !is_bottom;)
		if (open_layer(overlay, overlay->lowers->items[i], o, err) < 0 ||
			is_opaque(o->lowers.items[o->lowers.len - 1], &is_bottom, err) < 0)
			return -1;
	return 0;
}

static int open_all(const struct sb_overlay *overlay, struct opened *o, struct sb_error *err)
{
	if (open_lowers(overlay, o, err) < 0)
		return -1;
	if (overlay->scaffold_fd >= 0) {
		int fd = -1;

		if (sb_fd_dup(overlay->scaffold_fd, &fd, err) < 0)
			return -1;
		*SB_ARRAY_ADD(&o->lowers) = fd;
	}
	/* overlayfs wants one lower layer at least, and two where there is no upper one. */
	while (o->lowers.len < (overlay->upper != NULL ? 1U : 2U))
		if (open_layer(overlay, "empty", o, err) < 0)
			return -1;
	if (overlay->upper == NULL)
		return 0;
	if (sb_at_open_dir(overlay->layers_fd, overlay->upper, SB_AT_NO_LINKS, &o->upper, err) <
			0 ||
		sb_at_open_dir(overlay->layers_fd, overlay->work, SB_AT_NO_LINKS, &o->work, err) <
			0)
		return sb_error_context(err, "open snapshot");
	return 0;
}

static int set_folder(int fs_fd, const char *key, int fd, unsigned way)
{
	char path[32];

	if (way == 1)
		return fsconfig(fs_fd, FSCONFIG_SET_FD, key, NULL, fd);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, path, 0);
}

/* What the layers hold was written by others: root must not open a device of the host by its name
 * in an image. In a step, devices of the layers do nothing anyway. */
static const uint64_t overlay_attrs = MOUNT_ATTR_NODEV;

static int overlay_new_api(
	const struct opened *o, unsigned way, int *out_mount_fd, struct sb_error *err)
{
	sb_autofd int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs_fd < 0)
		return sb_fail_errno(err, "mount overlay");
	SB_ARRAY_FOREACH (&o->lowers, fd)
		if (set_folder(fs_fd, "lowerdir+", *fd, way) < 0)
			return fail_context(fs_fd, "overlay", err);
	if (o->upper >= 0 && (set_folder(fs_fd, "upperdir", o->upper, way) < 0 ||
				     set_folder(fs_fd, "workdir", o->work, way) < 0 ||
				     fsconfig(fs_fd, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0))
		return fail_context(fs_fd, "overlay", err);
	/* user.overlay.*, the same for root and user; redirect_dir can't be set with it and is off.
	 */
	if (fsconfig(fs_fd, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return fail_context(fs_fd, "overlay", err);
	return finish(fs_fd, "overlay", overlay_attrs, out_mount_fd, err);
}

/* mount(2) takes one page of options; names relative to /proc/self/fd are the shortest that there
 * are. */
static int overlay_old_api(
	const struct opened *o, int mountpoint_fd, int *out_mount_fd, struct sb_error *err)
{
	SB_AUTO_STRV lowers = SB_STRV_INIT;
	sb_autofd int old_cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	sb_autofree char *target = sb_asprintf("/proc/self/fd/%d", mountpoint_fd);

	if (old_cwd < 0 || chdir("/proc/self/fd") < 0)
		return sb_fail_errno(err, "mount overlay");
	SB_ARRAY_FOREACH (&o->lowers, fd)
		sb_strv_addf(&lowers, "%d", *fd);

	sb_autofree char *joined = sb_strv_join(&lowers, ":");
	sb_autofree char *data =
		o->upper >= 0 ? sb_asprintf("lowerdir=%s,upperdir=%d,workdir=%d,userxattr,volatile",
					joined, o->upper, o->work)
			      : sb_asprintf("lowerdir=%s,userxattr", joined);
	const int rc = mount("overlay", target, "overlay", MS_NODEV, data);
	const int os_errno = errno;

	if (fchdir(old_cwd) < 0)
		return sb_fail_errno(err, "return to the working directory");
	errno = os_errno;
	if (rc < 0)
		return sb_fail_errno(err, "mount overlay");
	*out_mount_fd = mountpoint_fd;
	return 0;
}

static int overlay_by_old_api(const struct sb_overlay *overlay, const struct opened *o,
	int *out_mount_fd, struct sb_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	sb_autofd int mountpoint = -1;
	int unused = -1;
	/* The folder that is mounted on and the working directory are the process's. */
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&lock);

	if (sb_at_open_dir(overlay->layers_fd, "empty", SB_AT_NO_LINKS, &mountpoint, err) < 0 ||
		overlay_old_api(o, mountpoint, &unused, err) < 0)
		return -1;

	/* Opened again, the folder is the overlay's root; a clone of it outlives the mount in the
	 * folder. */
	sb_autofd int mounted = -1;
	int rc = sb_at_open(
		overlay->layers_fd, "empty", SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, &mounted, err);

	if (rc == 0)
		rc = sb_mount_clone(mounted, false, 0, out_mount_fd, err);

	sb_autofree char *path =
		sb_asprintf("/proc/self/fd/%d", mounted >= 0 ? mounted : mountpoint);

	(void)umount2(path, MNT_DETACH);
	return rc;
}

static int overlay_by(const struct sb_overlay *overlay, const struct opened *o, unsigned way,
	int *out_mount_fd, struct sb_error *err)
{
	return way == 3 ? overlay_by_old_api(overlay, o, out_mount_fd, err)
			: overlay_new_api(o, way, out_mount_fd, err);
}

int sb_mount_overlay_by(
	const struct sb_overlay *overlay, unsigned way, int *out_mount_fd, struct sb_error *err)
{
	__attribute__((cleanup(opened_release))) struct opened o = {.upper = -1, .work = -1};

	if (open_all(overlay, &o, err) < 0)
		return -1;
	return overlay_by(overlay, &o, way, out_mount_fd, err);
}

/* A stack of nothing. overlayfs wants two lower layers where there is no upper one, and refuses the
 * same folder twice. */
static int mount_empty(const struct sb_overlay *overlay, int *out_mount_fd, struct sb_error *err)
{
	sb_autofd int empty = -1;

	if (sb_at_open_dir(overlay->layers_fd, "empty", SB_AT_NO_LINKS, &empty, err) < 0)
		return -1;
	return sb_mount_clone(empty, false, MOUNT_ATTR_RDONLY, out_mount_fd, err);
}

int sb_mount_overlay(const struct sb_overlay *overlay, int *out_mount_fd, struct sb_error *err)
{
	if (overlay->lowers->len == 0 && overlay->scaffold_fd < 0 && overlay->upper == NULL)
		return mount_empty(overlay, out_mount_fd, err);

	__attribute__((cleanup(opened_release))) struct opened o = {.upper = -1, .work = -1};

	if (open_all(overlay, &o, err) < 0)
		return -1;
	for (unsigned way = 1; way < 3; way++) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (overlay_by(overlay, &o, way, out_mount_fd, &failed) == 0)
			return 0;
		/* EINVAL is how an older kernel says that it does not know the option. */
		if (failed.os_errno != EINVAL && failed.os_errno != ENOSYS) {
			sb_error_move(err, &failed);
			return -1;
		}
	}
	return overlay_by(overlay, &o, 3, out_mount_fd, err);
}
