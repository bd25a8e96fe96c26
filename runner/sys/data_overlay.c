/* SPDX-License-Identifier: MIT */
#include "sys/data_overlay.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"

/* Each file of a skeleton is an inode, a name and two attributes: about 1.5 KiB of memory. */
enum { MEMORY_PER_ENTRY = 16 << 10 };

static const char content[] = "in place";

static const char *prefix(enum sb_data_overlay_way way)
{
	return way == SB_DATA_OVERLAY_TRUSTED ? "trusted.overlay" : "user.overlay";
}

int sb_data_overlay_new_skeleton(int *out_fd, struct sb_error *err)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return sb_fail_errno(err, "sysinfo");

	const unsigned long long entries =
		(unsigned long long)info.totalram * info.mem_unit / MEMORY_PER_ENTRY;
	sb_autofree char *max = sb_asprintf("%llu", entries);
	const struct sb_mount_option options[] = {
		{"mode", "0755"}, {"nr_inodes", max}, {NULL, NULL}};

	return sb_mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, out_fd, err);
}

int sb_data_overlay_mark(enum sb_data_overlay_way way, int file_fd, uint64_t size_bytes,
	const char *path, struct sb_error *err)
{
	sb_autofree char *redirect = sb_asprintf("/%s", path);
	sb_autofree char *redirect_name = sb_asprintf("%s.redirect", prefix(way));
	sb_autofree char *metacopy_name = sb_asprintf("%s.metacopy", prefix(way));

	if (strlen(redirect) >= PATH_MAX)
		return sb_fail(err, SB_E_UNSUPPORTED, "the path is too long");
	if (ftruncate(file_fd, (off_t)size_bytes) < 0)
		return sb_fail_errno(err, "write");
	if (fsetxattr(file_fd, redirect_name, redirect, strlen(redirect), 0) < 0 ||
		fsetxattr(file_fd, metacopy_name, "", 0, 0) < 0)
		return sb_fail(err, SB_E_UNSUPPORTED, "%s", strerror(errno));
	return 0;
}

/* As paths: descriptors can be given from Linux 6.13 on only. */
int sb_data_overlay_mount(
	const struct sb_data_overlay *overlay, int *out_mount_fd, struct sb_error *err)
{
	char paths[4][32];
	const int fds[] = {
		overlay->skeleton_fd, overlay->data_fd, overlay->upper_fd, overlay->work_fd};
	struct sb_mount_option options[8] = {{"lowerdir+", paths[0]}, {"datadir+", paths[1]}};
	size_t n = 2;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		(void)snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d", fds[i]);
	if (overlay->way == SB_DATA_OVERLAY_TRUSTED) {
		options[n++] = (struct sb_mount_option){"metacopy", "on"};
		options[n++] = (struct sb_mount_option){"redirect_dir", "follow"};
	} else {
		options[n++] = (struct sb_mount_option){"userxattr", NULL};
	}
	if (overlay->upper_fd >= 0) {
		options[n++] = (struct sb_mount_option){"upperdir", paths[2]};
		options[n++] = (struct sb_mount_option){"workdir", paths[3]};
		options[n++] = (struct sb_mount_option){"volatile", NULL};
	}
	return sb_mount_new(
		"overlay", options, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, out_mount_fd, err);
}

int sb_data_overlay_mount_id(int fd, uint64_t *out, struct sb_error *err)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
		return sb_fail_errno(err, "statx");
	if ((st.stx_mask & STATX_MNT_ID) == 0)
		return sb_fail(err, SB_E_UNSUPPORTED, "the kernel does not tell mounts apart");
	*out = st.stx_mnt_id;
	return 0;
}

/* Two folders in one tmpfs: a file without content, and the content. */
static int fill_trial(
	int trial_fd, enum sb_data_overlay_way way, int out_fds[2], struct sb_error *err)
{
	static const char *const names[] = {"skeleton", "data"};
	sb_autofd int empty = -1;
	sb_autofd int full = -1;

	for (size_t i = 0; i < 2; i++) {
		if (mkdirat(trial_fd, names[i], 0755) < 0)
			return sb_fail_errno(err, "make a folder");
		if (sb_at_open_dir(trial_fd, names[i], SB_AT_NO_LINKS, &out_fds[i], err) < 0)
			return -1;
	}
	if (sb_at_create(out_fds[0], "shown", SB_AT_NO_LINKS, 0644, &empty, err) < 0 ||
		sb_at_create(out_fds[1], "kept", SB_AT_NO_LINKS, 0600, &full, err) < 0 ||
		sb_fd_write_all(full, content, sizeof(content), err) < 0)
		return -1;
	return sb_data_overlay_mark(way, empty, sizeof(content), "kept", err);
}

static int try_way(int mount_point_fd, enum sb_data_overlay_way way, struct sb_error *err)
{
	int fds[2] = {-1, -1};
	char found[sizeof(content)] = "";
	sb_autofd int trial = -1;
	sb_autofd int view = -1;
	sb_autofd int file = -1;
	int rc = -1;

	if (sb_data_overlay_new_skeleton(&trial, err) < 0 ||
		sb_mount_attach(trial, mount_point_fd, err) < 0)
		return -1;
	if (fill_trial(trial, way, fds, err) == 0) {
		const struct sb_data_overlay overlay = {.way = way,
			.skeleton_fd = fds[0],
			.data_fd = fds[1],
			.upper_fd = -1,
			.work_fd = -1};

		rc = sb_data_overlay_mount(&overlay, &view, err);
	}
	sb_fd_closep(&fds[0]);
	sb_fd_closep(&fds[1]);
	if (rc < 0 || sb_at_open(view, "shown", SB_AT_NO_LINKS, O_RDONLY, &file, err) < 0 ||
		sb_fd_pread_all(file, found, sizeof(found), 0, err) < 0)
		return -1;
	return memcmp(found, content, sizeof(content)) == 0
		       ? 0
		       : sb_fail(err, SB_E_UNSUPPORTED, "the content is not found");
}

enum sb_data_overlay_way sb_data_overlay_probe(int mount_point_fd)
{
	for (enum sb_data_overlay_way way = SB_DATA_OVERLAY_USER; way <= SB_DATA_OVERLAY_TRUSTED;
		way++) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (try_way(mount_point_fd, way, &failed) == 0)
			return way;
		sb_error_ignore(&failed, "then the next way, or none");
	}
	return SB_DATA_OVERLAY_NONE;
}
