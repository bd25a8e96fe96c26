/* SPDX-License-Identifier: MIT */
#include "sandbox/devices.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/stage.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"

static const uint64_t locked_down = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

static int link_at(int root_fd, const char *target, const char *path, struct sb_error *err)
{
	if (symlinkat(target, root_fd, path) < 0)
		return sb_fail_errno(err, "make /%s", path);
	return 0;
}

static int mount_devpts(int root_fd, struct sb_error *err)
{
	/* Group 5 is tty, where the id map has it. */
	static const struct sb_mount_option with_group[] = {{"newinstance", NULL},
		{"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}, {NULL, NULL}};
	static const struct sb_mount_option without[] = {
		{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {NULL, NULL}};
	const uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_stage_mount(root_fd, "/dev/pts", "devpts", with_group, attrs, &failed) == 0)
		return 0;
	sb_error_ignore(&failed, "a single-id map has no group 5");
	return sb_stage_mount(root_fd, "/dev/pts", "devpts", without, attrs, err);
}

int sb_devices_mount_dev(
	const struct sb_step_spec *spec, int root_fd, int host_fd, struct sb_error *err)
{
	static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
	static const struct sb_mount_option dev_options[] = {
		{"mode", "0755"}, {"size", "65536k"}, {NULL, NULL}};
	sb_autofree char *shm_size = sb_asprintf("%" PRIu64, spec->shm_bytes);
	const struct sb_mount_option shm_options[] = {
		{"mode", "1777"}, {"size", shm_size}, {NULL, NULL}};

	if (sb_stage_mount(root_fd, "/dev", "tmpfs", dev_options, MOUNT_ATTR_NOSUID, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		sb_autofree char *source = sb_asprintf("dev/%s", devices[i]);
		sb_autofree char *target = sb_asprintf("/dev/%s", devices[i]);

		if (sb_stage_bind(host_fd, source, root_fd, target, true,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err) < 0)
			return -1;
	}
	if (mount_devpts(root_fd, err) < 0 ||
		sb_stage_mount(root_fd, "/dev/shm", "tmpfs", shm_options, locked_down, err) < 0 ||
		sb_stage_mount(root_fd, "/dev/mqueue", "mqueue", NULL, locked_down, err) < 0)
		return -1;

	sb_autofd int dev_fd = -1;

	if (sb_at_open_dir(root_fd, "/dev", SB_AT_IN_ROOT, &dev_fd, err) < 0)
		return -1;
	if (link_at(dev_fd, "pts/ptmx", "ptmx", err) < 0 ||
		link_at(dev_fd, "/proc/self/fd", "fd", err) < 0 ||
		link_at(dev_fd, "/proc/self/fd/0", "stdin", err) < 0 ||
		link_at(dev_fd, "/proc/self/fd/1", "stdout", err) < 0 ||
		link_at(dev_fd, "/proc/self/fd/2", "stderr", err) < 0)
		return -1;
	return 0;
}

/* The second lock on nested user namespaces, beside seccomp; it acts on this namespace and those
 * below it only. */
static int forbid_user_namespaces(int root_fd, struct sb_error *err)
{
	sb_autofd int fd = sb_at_open_raw(
		root_fd, "/proc/sys/user/max_user_namespaces", SB_AT_IN_ROOT, O_WRONLY, 0);

	if (fd < 0 && errno == ENOENT)
		return 0; /* a kernel without user namespaces would not have come here */
	if (fd < 0 || write(fd, "0", 1) != 1)
		return sb_fail_errno(err, "forbid nested user namespaces");
	return 0;
}

/* So that a fork bomb does not take all process numbers of the host. A pid namespace has a limit of
 * its own since Linux 6.14; before that the file is the host's, which we may not write. */
static void limit_processes(int root_fd)
{
	static const char most[] = "16384";
	sb_autofd int fd =
		sb_at_open_raw(root_fd, "/proc/sys/kernel/pid_max", SB_AT_IN_ROOT, O_RDWR, 0);
	char now[16] = "";

	if (fd >= 0 && read(fd, now, sizeof(now) - 1) > 0 &&
		strtoul(now, NULL, 10) > strtoul(most, NULL, 10))
		(void)!pwrite(fd, most, sizeof(most) - 1, 0);
}

int sb_devices_mount_proc(int root_fd, struct sb_error *err)
{
	if (sb_stage_mount(root_fd, "/proc", "proc", NULL, locked_down, err) < 0) {
		/* mount_too_revealing: the kernel gives a fresh /proc only to who can see all of
		 * the old one. */
		return err->os_errno == EPERM
			       ? sb_error_hint(err, "this usually means that safebuild itself runs "
						    "in a container whose "
						    "/proc is masked; start that container with "
						    "its masks off (docker: "
						    "--security-opt systempaths=unconfined)")
			       : -1;
	}
	limit_processes(root_fd);
	return forbid_user_namespaces(root_fd, err);
}

int sb_devices_clone_sys(int sys_fd, int *out_mount_fd, struct sb_error *err)
{
	return sb_mount_clone(sys_fd, true, locked_down | MOUNT_ATTR_RDONLY, out_mount_fd, err);
}

int sb_devices_mount_sys(int root_fd, int host_sys_fd, struct sb_error *err)
{
	const uint64_t attrs = locked_down | MOUNT_ATTR_RDONLY;

	if (host_sys_fd >= 0)
		return sb_stage_attach(root_fd, "/sys", false, host_sys_fd, err);
	if (sb_stage_mount(root_fd, "/sys", "sysfs", NULL, attrs, err) < 0)
		return -1;

	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	/* Programs look there for their limits; a host with version 1 only has nothing to show. */
	if (sb_stage_mount(root_fd, "/sys/fs/cgroup", "cgroup2", NULL, attrs, &failed) < 0)
		sb_error_ignore(&failed, "no cgroup version 2 on this host");
	return 0;
}

/* What of this does not exist on a kernel needs no mask. */
static int open_if_there(int root_fd, const char *path, int *out_fd, struct sb_error *err)
{
	*out_fd = sb_at_open_raw(root_fd, path, SB_AT_IN_ROOT, O_PATH, 0);
	if (*out_fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != EACCES)
		return sb_fail_errno(err, "open '%s'", path);
	return 0;
}

static int hide(int root_fd, const char *path, int null_fd, int empty_fd, struct sb_error *err)
{
	sb_autofd int at = -1;
	sb_autofd int cover = -1;
	struct stat st;

	if (open_if_there(root_fd, path, &at, err) < 0)
		return -1;
	if (at < 0)
		return 0;
	if (fstat(at, &st) < 0)
		return sb_fail_errno(err, "'%s'", path);
	if (sb_mount_clone(S_ISDIR(st.st_mode) ? empty_fd : null_fd, false,
		    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, &cover, err) < 0 ||
		sb_mount_attach(cover, at, err) < 0)
		return sb_error_context(err, "hide '%s'", path);
	return 0;
}

static int make_readonly(int root_fd, const char *path, struct sb_error *err)
{
	sb_autofd int at = -1;
	sb_autofd int cover = -1;

	if (open_if_there(root_fd, path, &at, err) < 0)
		return -1;
	if (at < 0)
		return 0;
	if (sb_mount_clone(at, true, MOUNT_ATTR_RDONLY | locked_down, &cover, err) < 0 ||
		sb_mount_attach(cover, at, err) < 0)
		return sb_error_context(err, "make '%s' read-only", path);
	return 0;
}

int sb_devices_mask(int root_fd, int host_fd, int empty_fd, struct sb_error *err)
{
	static const char *const readonly[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
	static const char *const hidden[] = {"/proc/acpi", "/proc/asound", "/proc/interrupts",
		"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
		"/sys/devices/virtual/powercap"};
	sb_autofd int null_fd = openat(host_fd, "dev/null", O_PATH | O_CLOEXEC);

	if (null_fd < 0)
		return sb_fail_errno(err, "open /dev/null");
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++)
		if (make_readonly(root_fd, readonly[i], err) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (hide(root_fd, hidden[i], null_fd, empty_fd, err) < 0)
			return -1;
	return 0;
}
