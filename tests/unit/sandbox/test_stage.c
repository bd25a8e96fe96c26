/* SPDX-License-Identifier: MIT */
#include "../sys/namespaces.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "sandbox/devices.h"
#include "sandbox/seccomp_policy.h"
#include "sandbox/stage.h"
#include "sys/mount.h"

static void mount_points_are_made_as_they_are_named(void **state)
{
	static const struct {
		const char *path;
		bool is_file;
		const char *made;
	} cases[] = {
		{"/a", false, "a"},
		{"/b/c/d", false, "b/c/d"},
		{"/e/f", true, "e/f"},
		{"/g", true, "g"},
		{"//h//./i/", false, "h/i"},
		{"/../../j", false, "j"},
		{"/k/../../l", true, "l"},
		{"/there/new", false, "there/new"},
		{"/there", false, "there"},
		{"/file", true, "file"},
		{"/", false, "."},
		{"/a,b:c\\d\"e\nf", true, "a,b:c\\d\"e\nf"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		TEMP t;
		struct stat st;
		const size_t n_fds = temp_n_open_fds();

		temp_init(&t);
		temp_dir(t.fd, "there");
		temp_file(t.fd, "file", "text");

		const mode_t old_umask = umask(0);

		assert_int_equal(
			sb_stage_make_mountpoint(t.fd, cases[i].path, cases[i].is_file, &err), 0);
		(void)umask(old_umask);
		assert_int_equal(fstatat(t.fd, cases[i].made, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(S_ISDIR(st.st_mode), !cases[i].is_file);
		if (strcmp(cases[i].made, ".") != 0)
			assert_int_equal(st.st_mode & 0777, cases[i].is_file ? 0644 : 0755);
		assert_string_equal(temp_text(t.fd, "file"), "text");
		assert_int_equal(temp_n_open_fds(), n_fds + 1);
	}
}

static void a_mount_point_is_not_made_through_a_link(void **state)
{
	static const struct {
		const char *path;
		bool is_file;
	} cases[] = {{"/link/x", false}, {"/link/x", true}, {"/dangling", true},
		{"/dangling/x", false}, {"/file/x", false}, {"/file/x", true}, {"/file", false},
		{"/folder", true}};
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "outside");
	temp_dir(t.fd, "root");

	sb_autofd int root = openat(t.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	temp_dir(root, "folder");
	temp_file(root, "file", "");
	assert_int_equal(symlinkat("../outside", root, "link"), 0);
	assert_int_equal(symlinkat("../outside/made", root, "dangling"), 0);
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_stage_make_mountpoint(root, cases[i].path, cases[i].is_file, &err), -1);
		assert_true(sb_error_is_set(&err));
	}
	assert_int_equal(unlinkat(t.fd, "outside", AT_REMOVEDIR), 0); /* still empty */
}

/* A new root file system on `path`, with an image's files, some of them hostile. */
static int new_root(const char *path)
{
	static const struct sb_mount_option options[] = {{"mode", "0755"}, {NULL, NULL}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int root = -1;

	CHECK(at >= 0);
	CHECK_OK(sb_mount_new("tmpfs", options, 0, &root, &err), &err);
	CHECK_OK(sb_mount_attach(root, at, &err), &err);
	CHECK(mkdirat(root, "folder", 0755) == 0 && mkdirat(root, "empty", 0755) == 0);
	CHECK(mknodat(root, "file", S_IFREG | 0644, 0) == 0);
	CHECK(symlinkat("/folder", root, "absolute") == 0);
	CHECK(symlinkat("../../../folder", root, "climbing") == 0);
	CHECK(symlinkat("/proc/self/cwd", root, "magic") == 0);
	return root;
}

static bool is_mounted(int root, const char *path)
{
	struct stat here;
	struct stat st;

	CHECK(fstat(root, &here) == 0);
	return fstatat(root, path, &st, 0) == 0 && st.st_dev != here.st_dev;
}

static int attach_in_root(void *data)
{
	static const struct {
		const char *target;
		const char *mounted; /* without links */
	} cases[] = {{"/folder", "folder"}, {"/absolute", "folder"}, {"/climbing", "folder"},
		{"/new/deep", "new/deep"}, {"/../../up", "up"}, {"/absolute/new", NULL}};
	namespaces_just_enter();

	sb_autofd int root = new_root(data);
	sb_autofd int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const int rc = sb_stage_mount(
			root, cases[i].target, "tmpfs", NULL, MOUNT_ATTR_NOSUID, &err);

		/* Targets come resolved: only where there is no link on the way is one made. */
		CHECK((rc == 0) == (cases[i].mounted != NULL));
		if (rc < 0)
			continue;
		CHECK(is_mounted(root, cases[i].mounted));

		sb_autofree char *path = sb_asprintf("/proc/self/fd/%d/%s", root, cases[i].mounted);

		CHECK(umount2(path, MNT_DETACH) == 0);
		CHECK(!is_mounted(root, cases[i].mounted));
	}

	/* A file on a folder, and a folder on a file. */
	static const struct {
		const char *source;
		const char *target;
		bool is_file;
	} clashes[] = {{"dev/null", "/folder", true}, {"proc", "/file", false}};

	for (size_t i = 0; i < N_OF(clashes); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		CHECK(sb_stage_bind(host, clashes[i].source, root, clashes[i].target,
			      clashes[i].is_file, 0, &err) < 0);
		CHECK(strncmp(err.message, "mount on '/f", 12) == 0);
		CHECK(err.hint != NULL && strstr(err.hint, "can't be mounted on") != NULL);
	}

	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_ERROR bind_err = SB_ERROR_INIT;

	CHECK(sb_stage_mount(root, "/magic/x", "tmpfs", NULL, 0, &err) < 0);
	CHECK(sb_stage_bind(host, "no-such-file", root, "/file", true, 0, &bind_err) < 0);
	CHECK(bind_err.code == SB_E_NOT_FOUND);
	return 0;
}

static void mounts_stay_inside_the_root(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(attach_in_root, t.path);
}

static void check_dev(int root)
{
	static const struct {
		const char *name;
		unsigned major;
		unsigned minor;
	} devices[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
		{"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
	static const struct {
		const char *name;
		const char *target;
	} links[] = {{"dev/ptmx", "pts/ptmx"}, {"dev/fd", "/proc/self/fd"},
		{"dev/stdin", "/proc/self/fd/0"}, {"dev/stdout", "/proc/self/fd/1"},
		{"dev/stderr", "/proc/self/fd/2"}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct stat st;
	struct statvfs vfs;

	for (size_t i = 0; i < N_OF(devices); i++) {
		CHECK(fstatat(root, devices[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		CHECK(S_ISCHR(st.st_mode));
		CHECK(st.st_rdev == makedev(devices[i].major, devices[i].minor));
	}
	for (size_t i = 0; i < N_OF(links); i++) {
		char target[64] = "";

		CHECK(readlinkat(root, links[i].name, target, sizeof(target) - 1) > 0);
		CHECK(strcmp(target, links[i].target) == 0);
	}
	/* And nothing else. */
	sb_autofd int dev = openat(root, "dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_OK(sb_tree_list(dev, &names, &err), &err);
	CHECK(names.len == N_OF(devices) + N_OF(links) + 3);
	CHECK(sb_strv_contains(&names, "mqueue") && sb_strv_contains(&names, "pts"));

	sb_autofd int shm = openat(root, "dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fstat(shm, &st) == 0 && (st.st_mode & 07777) == 01777);
	CHECK(fstatvfs(shm, &vfs) == 0 && vfs.f_blocks * vfs.f_frsize == 1 << 20);
	CHECK((vfs.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
		(ST_NOSUID | ST_NODEV | ST_NOEXEC));

	sb_autofd int ptmx = openat(root, "dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	sb_autofd int null_fd = openat(root, "dev/null", O_RDWR | O_CLOEXEC);

	CHECK(ptmx >= 0);
	CHECK(write(null_fd, "x", 1) == 1);
}

static void check_masks(int root)
{
	static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
		"proc/sys/kernel/hostname", "proc/sysrq-trigger", "sys", "sys/fs/cgroup"};
	static const char *const hidden_files[] = {"proc/kcore", "proc/keys", "proc/timer_list",
		"proc/interrupts", "proc/sched_debug", "proc/latency_stats"};
	static const char *const hidden_folders[] = {"proc/acpi", "proc/scsi", "proc/asound",
		"sys/firmware", "sys/devices/virtual/powercap"};
	char byte = 0;

	for (size_t i = 0; i < N_OF(readonly); i++) {
		sb_autofd int fd = openat(root, readonly[i], O_PATH | O_CLOEXEC);
		struct statvfs st;

		if (fd < 0 && errno == ENOENT)
			continue; /* not in this kernel */
		CHECK(fd >= 0 && fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY) != 0);
	}
	for (size_t i = 0; i < N_OF(hidden_files); i++) {
		sb_autofd int fd = openat(root, hidden_files[i], O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 && errno == ENOENT)
			continue;
		CHECK(fd >= 0 && read(fd, &byte, 1) == 0);
		CHECK(fstat(fd, &st) == 0 && st.st_rdev == makedev(1, 3));
	}
	for (size_t i = 0; i < N_OF(hidden_folders); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV names = SB_STRV_INIT;
		sb_autofd int fd =
			openat(root, hidden_folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		CHECK(fd >= 0);
		CHECK_OK(sb_tree_list(fd, &names, &err), &err);
		CHECK(names.len == 0);
	}
}

/* The first process of a step's namespaces. Its ids must be mapped to unprivileged ones: what the
 * kernel calls root of the host could change settings of the host from here. */
static int mount_kernel(void)
{
	const struct sb_step_spec spec = {.shm_bytes = 1 << 20};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	sb_autofd int root = new_root("/sys");
	sb_autofd int empty = openat(root, "empty", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (sb_devices_mount_proc(root, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		/* In a container whose own /proc has masks there is no new one to be had. */
		return err.os_errno == EPERM && err.hint != NULL ? NAMESPACES_REFUSED : 1;
	}
	CHECK_OK(sb_devices_mount_sys(root, -1, &err), &err);
	CHECK_OK(sb_devices_mount_dev(&spec, root, host, &err), &err);
	CHECK_OK(sb_devices_mask(root, host, empty, &err), &err);
	CHECK(strcmp(temp_text(root, "proc/1/comm"), "-") != 0);
	check_dev(root);
	check_masks(root);
	/* No namespaces of its own for a step. */
	CHECK(unshare(CLONE_NEWUSER) < 0 && errno == ENOSPC);
	return 0;
}

static int enter_and_mount_kernel(void *data)
{
	SB_AUTO_VALUE(sb_host_ids) ids = namespaces_enter();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int ready[2];
	int go[2];
	int status = 0;
	char byte = 0;

	(void)data;
	CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0);

	const pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			      CLONE_NEWIPC | CLONE_NEWCGROUP) == 0);
		CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &byte, 1) == 1);
		CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);

		const pid_t first = fork();

		CHECK(first >= 0);
		if (first == 0)
			_exit(mount_kernel());
		CHECK(waitpid(first, &status, 0) == first);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK_OK(sb_userns_map_child(pid, &ids.ids, &err), &err);
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void a_step_sees_of_the_kernel_what_docker_shows(void **state)
{
	(void)state;
	namespaces_need();
	namespaces_test(enter_and_mount_kernel, NULL);
}

static void check_list(const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		assert_true(list[i][0] != '\0');
		if (i > 0 && strcmp(list[i - 1], list[i]) >= 0)
			fail_msg("%s stands before %s", list[i - 1], list[i]);
	}
}

static void a_system_call_is_on_one_list_and_once(void **state)
{
	/* On neither list: they are told apart by their arguments, or are not there for a step. */
	static const char *const neither[] = {"clone", "clone3", "socket", "personality",
		"io_uring_setup", "io_uring_enter", "io_uring_register"};

	(void)state;
	check_list(sb_seccomp_allowed);
	check_list(sb_seccomp_refused);
	for (const char *const *a = sb_seccomp_allowed; *a != NULL; a++) {
		for (const char *const *r = sb_seccomp_refused; *r != NULL; r++)
			assert_string_not_equal(*a, *r);
		for (size_t i = 0; i < N_OF(neither); i++)
			assert_string_not_equal(*a, neither[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mount_points_are_made_as_they_are_named),
		cmocka_unit_test(a_mount_point_is_not_made_through_a_link),
		cmocka_unit_test(mounts_stay_inside_the_root),
		cmocka_unit_test(a_step_sees_of_the_kernel_what_docker_shows),
		cmocka_unit_test(a_system_call_is_on_one_list_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
