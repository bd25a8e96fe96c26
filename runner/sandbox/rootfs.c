/* SPDX-License-Identifier: MIT */
#include "sandbox/rootfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/agent_proxy.h"
#include "sandbox/devices.h"
#include "sandbox/stage.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"

/* What there is while the root file system is put together. */
struct stage {
	const struct sb_step_spec *spec;
	int host_fd;    /* the host's root, until we leave it */
	int sys_fd;     /* a clone of its /sys for a step with the host's network, or -1 */
	int tmpfs_fd;   /* ours, with a folder for each thing that has to be somewhere */
	int secrets_fd; /* the secrets' tmpfs, or -1 while no secret was met */
	unsigned n_files;
};

static void stage_release(struct stage *s)
{
	sb_fd_closep(&s->host_fd);
	sb_fd_closep(&s->sys_fd);
	sb_fd_closep(&s->tmpfs_fd);
	sb_fd_closep(&s->secrets_fd);
}

int sb_rootfs_new_secrets_tmpfs(const struct sb_idmap *ids, int *out_mount_fd, struct sb_error *err)
{
	sb_autofree char *uid = sb_asprintf("%u", ids->uid_base);
	sb_autofree char *gid = sb_asprintf("%u", ids->gid_base);
	const struct sb_mount_option options[] = {
		{"mode", "0711"}, {"uid", uid}, {"gid", gid}, {"noswap", NULL}, {NULL, NULL}};
	const struct sb_mount_option swapping[] = {
		{"mode", "0711"}, {"uid", uid}, {"gid", gid}, {NULL, NULL}};
	const uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_mount_new("tmpfs", options, attrs, out_mount_fd, &failed) == 0)
		return 0;
	sb_error_ignore(
		&failed, "noswap is refused in a user namespace; the pages are locked instead");
	return sb_mount_new("tmpfs", swapping, attrs, out_mount_fd, err);
}

/*
 * Puts a mount into our tmpfs: so it belongs to our namespace and can be cloned from, which a
 * detached one can't before Linux 6.15. It goes away with the tmpfs.
 */
static int keep_mounted(const struct stage *s, int mount_fd, const char *name, struct sb_error *err)
{
	sb_autofd int at = -1;

	if (sb_at_open(s->tmpfs_fd, name, SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, &at, err) < 0)
		return -1;
	return sb_mount_attach(mount_fd, at, err);
}

static int open_stage(const struct sb_step_spec *spec, struct stage *out, struct sb_error *err)
{
	static const struct sb_mount_option options[] = {{"mode", "0755"}, {NULL, NULL}};
	static const char *const folders[] = {
		"empty", "files", "layers", "root", "scaffold", "secrets"};
	struct stage s = {
		.spec = spec, .host_fd = -1, .sys_fd = -1, .tmpfs_fd = -1, .secrets_fd = -1};
	int rc = 0;

	s.host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s.host_fd < 0)
		return sb_fail_errno(err, "open /");

	/* Anywhere below the host's root will do, since all of that goes at once; /sys is a folder
	 * on every host, and is cloned before where it is needed. */
	sb_autofd int at = openat(s.host_fd, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		rc = sb_fail_errno(err, "open /sys");
	else if ((spec->network == SB_STEP_NET_HOST &&
			 sb_devices_clone_sys(at, &s.sys_fd, err) < 0) ||
		 sb_mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &s.tmpfs_fd,
			 err) < 0 ||
		 sb_mount_attach(s.tmpfs_fd, at, err) < 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdirat(s.tmpfs_fd, folders[i], 0755) < 0)
			rc = sb_fail_errno(err, "make the scaffold");
	if (rc < 0) {
		stage_release(&s);
		return -1;
	}
	*out = s;
	return 0;
}

static int make_scaffold(const struct stage *s, int *out_fd, struct sb_error *err)
{
	static const char *const folders[] = {"proc", "sys", "dev"};
	sb_autofd int fd = -1;

	if (sb_at_open_dir(s->tmpfs_fd, "scaffold", SB_AT_NO_LINKS, &fd, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (sb_stage_make_mountpoint(fd, folders[i], false, err) < 0)
			return -1;
	SB_ARRAY_FOREACH (&s->spec->mounts, mount)
		if (sb_stage_make_mountpoint(fd, mount->target, mount->is_file, err) < 0)
			return -1;
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

static int mount_overlay(const struct stage *s, int *out_root_fd, struct sb_error *err)
{
	sb_autofd int scaffold = -1;
	sb_autofd int root = -1;

	if (make_scaffold(s, &scaffold, err) < 0 ||
		keep_mounted(s, s->spec->layers_fd, "layers", err) < 0)
		return -1;

	const struct sb_overlay overlay = {
		.layers_fd = s->spec->layers_fd,
		.lowers = &s->spec->lowers,
		.scaffold_fd = scaffold,
		.upper = s->spec->upper,
		.work = s->spec->work,
	};

	if (sb_mount_overlay(&overlay, &root, err) < 0 || keep_mounted(s, root, "root", err) < 0)
		return -1;
	*out_root_fd = sb_fd_steal(&root);
	return 0;
}

/* A new file in a folder of ours, named by a number. */
static int new_file(
	struct stage *s, int dir_fd, char name[static 32], int *out_fd, struct sb_error *err)
{
	(void)snprintf(name, 32, "%u", s->n_files++);
	*out_fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (*out_fd < 0)
		return sb_fail_errno(err, "make a file for a mount");
	return 0;
}

static int mount_file(
	struct stage *s, const struct sb_step_mount *m, int root_fd, struct sb_error *err)
{
	const uint64_t attrs =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	sb_autofd int dir = -1;
	sb_autofd int fd = -1;
	char name[32];

	if (sb_at_open_dir(s->tmpfs_fd, "files", SB_AT_NO_LINKS, &dir, err) < 0 ||
		new_file(s, dir, name, &fd, err) < 0 ||
		sb_fd_write_all(fd, m->content, strlen(m->content), err) < 0)
		return -1;
	if (fchmod(fd, m->mode) < 0)
		return sb_fail_errno(err, "'%s'", m->target);
	/* A script of a heredoc is executed from here. */
	return sb_stage_bind(dir, name, root_fd, m->target, true,
		(m->mode & 0111) != 0 ? attrs & ~(uint64_t)MOUNT_ATTR_NOEXEC : attrs, err);
}

/* Straight from the memfd's pages to the tmpfs's. */
static int copy_secret(
	const struct sb_step_mount *m, int to_fd, uint64_t size, struct sb_error *err)
{
	char *to = NULL;
	int rc = 0;

	if (ftruncate(to_fd, (off_t)size) < 0)
		return sb_fail_errno(err, "write a secret");
	to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to_fd, 0);
	if (to == MAP_FAILED)
		return sb_fail_errno(err, "write a secret");
	rc = sb_fd_pread_all(m->fd, to, size, 0, err);
	(void)munmap(to, size);
	return rc;
}

/* So that the pages are not swapped where noswap is not to be had. The mapping stays for the life
 * of this process: it is what holds the lock. RLIMIT_MEMLOCK may say no. */
static void lock_secret(int fd, uint64_t size)
{
	const char *pages = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (pages != MAP_FAILED)
		(void)mlock(pages, size);
}

static int fill_secret(const struct stage *s, const struct sb_step_mount *m,
	struct sb_secret_file *file, struct sb_error *err)
{
	sb_autofd int readable = openat(s->secrets_fd, file->name, O_RDONLY | O_CLOEXEC);
	uint64_t size = 0;

	if (readable < 0)
		return sb_fail_errno(err, "write a secret");
	if (sb_fd_size(m->fd, &size, err) < 0)
		return -1;
	if (size > 0) {
		lock_secret(readable, size);
		if (copy_secret(m, file->fd, size, err) < 0)
			return -1;
	}
	if (fchown(file->fd, m->uid, m->gid) < 0 || fchmod(file->fd, m->mode & 07777) < 0)
		return sb_fail_errno(err, "secret '%s': owner %u:%u", m->target, m->uid, m->gid);
	(void)close(m->fd); /* from here on it is in the tmpfs alone */
	return 0;
}

static int mount_secret(struct stage *s, const struct sb_step_mount *m, struct sb_rootfs *rootfs,
	struct sb_error *err)
{
	const bool is_program = (m->mode & 0111) != 0;
	const uint64_t attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			       (is_program ? 0 : MOUNT_ATTR_NOEXEC);
	struct sb_secret_file *file = NULL;

	if (s->secrets_fd < 0 &&
		(sb_rootfs_new_secrets_tmpfs(&(struct sb_idmap){0}, &s->secrets_fd, err) < 0 ||
			keep_mounted(s, s->secrets_fd, "secrets", err) < 0))
		return -1;
	file = SB_ARRAY_ADD(&rootfs->secrets);
	file->fd = -1;
	if (new_file(s, s->secrets_fd, file->name, &file->fd, err) < 0 ||
		fill_secret(s, m, file, err) < 0)
		return -1;
	if (is_program)
		sb_fd_closep(&file->fd);
	return sb_stage_bind(
		s->secrets_fd, file->name, rootfs->root_fd, m->target, true, attrs, err);
}

/* Somebody else answers what is said to it: sandbox/agent_proxy.h. */
static int mount_agent(struct stage *s, const struct sb_step_mount *m, struct sb_rootfs *rootfs,
	struct sb_error *err)
{
	const uint64_t attrs =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	sb_autofd int dir = -1;
	sb_autofd int fd = -1;
	char name[32];

	(void)snprintf(name, sizeof(name), "%u", s->n_files++);
	if (sb_at_open_dir(s->tmpfs_fd, "files", SB_AT_NO_LINKS, &dir, err) < 0 ||
		sb_agent_proxy_listen(dir, name, m, &fd, err) < 0)
		return -1;
	*SB_ARRAY_ADD(&rootfs->agent_fds) = sb_fd_steal(&fd);
	return sb_stage_bind(dir, name, rootfs->root_fd, m->target, true, attrs, err);
}

static int mount_tmpfs(const struct sb_step_mount *m, int root_fd, struct sb_error *err)
{
	sb_autofree char *mode = sb_asprintf("%o", m->mode);
	sb_autofree char *size = sb_asprintf("%llu", (unsigned long long)m->size_bytes);
	const struct sb_mount_option options[] = {
		{"mode", mode}, {m->size_bytes != 0 ? "size" : NULL, size}, {NULL, NULL}};

	return sb_stage_mount(root_fd, m->target, "tmpfs", options,
		MOUNT_ATTR_NOSUID | (m->is_readonly ? MOUNT_ATTR_RDONLY : 0), err);
}

static int mount_one(struct stage *s, const struct sb_step_mount *m, struct sb_rootfs *rootfs,
	struct sb_error *err)
{
	switch (m->kind) {
	case SB_STEP_MOUNT_TREE:
		return sb_stage_attach(rootfs->root_fd, m->target, m->is_file, m->fd, err);
	case SB_STEP_MOUNT_TMPFS:
		return mount_tmpfs(m, rootfs->root_fd, err);
	case SB_STEP_MOUNT_SECRET:
		return mount_secret(s, m, rootfs, err);
	case SB_STEP_MOUNT_FILE:
		return mount_file(s, m, rootfs->root_fd, err);
	case SB_STEP_MOUNT_AGENT:
		return mount_agent(s, m, rootfs, err);
	}
	return sb_fail(err, SB_E_BUG, "a mount of no known kind");
}

/* Were /proc a link, an image could choose where it is mounted, and with it what the masks miss. */
static int need_folders(int root_fd, struct sb_error *err)
{
	static const char *const names[] = {"dev", "proc", "sys"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat st;

		if (fstatat(root_fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue; /* hidden by the image, and made when it is mounted */
			return sb_fail_errno(err, "'/%s'", names[i]);
		}
		if (!S_ISDIR(st.st_mode))
			return sb_fail(err, SB_E_UNSUPPORTED,
				"the image's '/%s' is not a folder: a step can't run in it",
				names[i]);
	}
	return 0;
}

static int mount_kernel(const struct stage *s, int root_fd, struct sb_error *err)
{
	sb_autofd int empty = -1;

	if (need_folders(root_fd, err) < 0)
		return -1;
	/* proc while the host's is still to be seen: the kernel compares them. */
	if (sb_devices_mount_proc(root_fd, err) < 0 ||
		sb_devices_mount_sys(root_fd, s->sys_fd, err) < 0 ||
		sb_devices_mount_dev(s->spec, root_fd, s->host_fd, err) < 0 ||
		sb_at_open(s->tmpfs_fd, "empty", SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, &empty,
			err) < 0)
		return -1;
	return sb_devices_mask(root_fd, s->host_fd, empty, err);
}

/*
 * pivot_root(2): with both arguments ".", the old root ends up on top of the new one, and is taken
 * away there with all that is mounted below it. After that "." is nowhere, which the second call
 * checks.
 */
static int leave_host(const struct stage *s, int root_fd, struct sb_error *err)
{
	if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return sb_fail_errno(err, "change the root file system");
	if (fchdir(s->host_fd) < 0 || umount2(".", MNT_DETACH) < 0)
		return sb_fail_errno(err, "leave the host's file system");
	if (umount2(".", MNT_DETACH) == 0 || errno != EINVAL)
		return sb_fail(err, SB_E_BUG, "the host's file system is still there");
	if (chdir("/") < 0)
		return sb_fail_errno(err, "enter the step's file system");
	return 0;
}

int sb_rootfs_enter(const struct sb_step_spec *spec, int *secrets_tmpfs_fd, struct sb_rootfs *out,
	struct sb_error *err)
{
	__attribute__((cleanup(stage_release))) struct stage s = {
		.host_fd = -1, .sys_fd = -1, .tmpfs_fd = -1, .secrets_fd = -1};
	struct sb_rootfs rootfs = {.root_fd = -1, .secrets_fd = -1};

	if (open_stage(spec, &s, err) < 0)
		return -1;
	s.secrets_fd = sb_fd_steal(secrets_tmpfs_fd);
	if ((s.secrets_fd >= 0 && keep_mounted(&s, s.secrets_fd, "secrets", err) < 0) ||
		mount_overlay(&s, &rootfs.root_fd, err) < 0 ||
		mount_kernel(&s, rootfs.root_fd, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&spec->mounts, mount)
		if (mount_one(&s, mount, &rootfs, err) < 0)
			return -1;
	if (leave_host(&s, rootfs.root_fd, err) < 0)
		return -1;
	rootfs.secrets_fd = sb_fd_steal(&s.secrets_fd);
	*out = rootfs;
	return 0;
}

static void empty_file(int fd)
{
	static const char zeros[4096];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zeros)) {
		const off_t left = st.st_size - at;

		if (pwrite(fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros),
			    at) < 0)
			break;
	}
	if (ftruncate(fd, 0) < 0)
		return; /* zeroed, at least */
}

void sb_rootfs_forget_secrets(struct sb_rootfs *rootfs)
{
	SB_ARRAY_FOREACH (&rootfs->secrets, file) {
		/* Fails with ETXTBSY while it runs. */
		if (file->fd < 0)
			file->fd = openat(rootfs->secrets_fd, file->name, O_WRONLY | O_CLOEXEC);
		if (file->fd >= 0)
			empty_file(file->fd);
	}
}
