/* SPDX-License-Identifier: MIT */
#include "namespaces.h"

#include <limits.h>
#include <sys/mount.h>

#include "base/mem.h"
#include "sys/data_overlay.h"
#include "sys/mount.h"

/* Files of the skeleton, the path that each stands for, and what is read: NULL for an error. */
static const struct {
	const char *name;
	const char *path;
	const char *content;
	int error;
} files[] = {
	{"same", "same", "same", 0},
	{"below", "folder/below", "below", 0},
	{"private", "private", "private", 0},
	{"renamed", "folder/below", "below", 0},
	{"missing", "missing", NULL, ENOENT},
	{"folder-itself", "folder", NULL, ENOENT},
	{"link", "link", NULL, ENOENT},
	{"through-a-link", "up/outside", NULL, ELOOP},
	{"dots", "../outside", NULL, EXDEV},
	{"other-mount", "mounted/file", NULL, ENOENT},
};

static void make(int at, const char *name, mode_t mode, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);

	CHECK(fd >= 0);
	CHECK_OK(sb_fd_write_all(fd, text, strlen(text), &err), &err);
}

static int open_folder(int at, const char *name)
{
	const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static int make_data(const char *path)
{
	sb_autofree char *mounted = sb_asprintf("%s/data/mounted", path);
	sb_autofd int top = open_folder(AT_FDCWD, path);

	make(top, "outside", 0644, "outside");
	CHECK(mkdirat(top, "data", 0755) == 0 && mkdirat(top, "data/folder", 0755) == 0 &&
		mkdirat(top, "data/mounted", 0755) == 0);

	const int data = open_folder(top, "data");

	make(data, "same", 0644, "same");
	make(data, "private", 0600, "private");
	make(data, "folder/below", 0644, "below");
	CHECK(symlinkat("../outside", data, "link") == 0 && symlinkat("..", data, "up") == 0);
	CHECK(mount("tmpfs", mounted, "tmpfs", 0, NULL) == 0);
	make(data, "mounted/file", 0644, "on another mount");
	return data;
}

static int fill_skeleton(enum sb_data_overlay_way way, int skeleton, struct sb_error *err)
{
	for (size_t i = 0; i < N_OF(files); i++) {
		sb_autofd int fd = openat(
			skeleton, files[i].name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);

		CHECK(fd >= 0);
		if (sb_data_overlay_mark(way, fd, 7, files[i].path, err) < 0)
			return -1;
	}
	return 0;
}

static void check_files(int view)
{
	for (size_t i = 0; i < N_OF(files); i++) {
		sb_autofd int fd = openat(view, files[i].name, O_RDONLY | O_CLOEXEC);
		const int open_error = errno;
		struct stat st;

		CHECK(fstatat(view, files[i].name, &st, 0) == 0);
		CHECK((st.st_mode & 07777) == 0640 && st.st_size == 7);
		if (files[i].content == NULL) {
			CHECK(fd < 0 && open_error == files[i].error);
			continue;
		}

		char text[32] = "";

		CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
		CHECK(strcmp(text, files[i].content) == 0);
	}
}

struct trial {
	const char *path;
	enum sb_data_overlay_way way;
};

static int mount_trial(const struct trial *trial, int data_fd, int *out_fd, struct sb_error *err)
{
	sb_autofree char *skeleton_path = sb_asprintf("%s/skeleton", trial->path);
	sb_autofd int skeleton = -1;
	sb_autofd int at = -1;

	CHECK(mkdir(skeleton_path, 0755) == 0);
	at = open_folder(AT_FDCWD, skeleton_path);
	CHECK_OK(sb_data_overlay_new_skeleton(&skeleton, err), err);
	CHECK_OK(sb_mount_attach(skeleton, at, err), err);

	const struct sb_data_overlay overlay = {.way = trial->way,
		.skeleton_fd = skeleton,
		.data_fd = data_fd,
		.upper_fd = -1,
		.work_fd = -1};

	return fill_skeleton(trial->way, skeleton, err) < 0
		       ? -1
		       : sb_data_overlay_mount(&overlay, out_fd, err);
}

/* A way that this kernel or user does not have is one that the probe does not choose. */
static int read_through(void *data)
{
	const struct trial *trial = data;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	namespaces_just_enter();

	sb_autofd int data_fd = make_data(trial->path);
	sb_autofd int view = -1;

	if (mount_trial(trial, data_fd, &view, &err) < 0) {
		CHECK(sb_data_overlay_probe(data_fd) != trial->way);
		return NAMESPACES_REFUSED;
	}
	check_files(view);
	CHECK(openat(view, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644) < 0 && errno == EROFS);
	return 0;
}

static void content_is_read_where_it_lies_and_nowhere_else(void **state)
{
	(void)state;
	namespaces_need();
	for (enum sb_data_overlay_way way = SB_DATA_OVERLAY_USER; way <= SB_DATA_OVERLAY_TRUSTED;
		way++) {
		TEMP t;

		temp_init(&t);
		namespaces_test(read_through, &(struct trial){.path = t.path, .way = way});
	}
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char path[PATH_MAX];
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", "");
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';

	sb_autofd int fd = openat(t.fd, "file", O_WRONLY | O_CLOEXEC);

	assert_int_equal(sb_data_overlay_mark(SB_DATA_OVERLAY_USER, fd, 1, path, &err), -1);
	assert_int_equal(err.code, SB_E_UNSUPPORTED);
}

static void a_folder_is_opened_again_only_where_it_is_the_same(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "a");
	temp_dir(t.fd, "b");

	int fd = openat(t.fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sb_autofree char *path = sb_fd_path(fd);
	struct stat before;
	struct stat after;

	assert_non_null(path);
	assert_int_equal(fstat(fd, &before), 0);
	sb_fd_reopen_dir(&fd, path);
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(renameat(t.fd, "a", t.fd, "c"), 0);
	assert_int_equal(renameat(t.fd, "b", t.fd, "a"), 0);
	sb_fd_reopen_dir(&fd, path);
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	sb_fd_closep(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_read_where_it_lies_and_nowhere_else),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(a_folder_is_opened_again_only_where_it_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
