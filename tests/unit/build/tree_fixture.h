/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_TREE_FIXTURE_H
#define SB_TESTS_TREE_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/strv.h"
#include "sys/tree.h"

/*
 * A temporary folder with a folder "outside" and one or two roots, and trees as text, one entry a
 * line:
 *
 *	d PATH MODE
 *	f PATH MODE CONTENT…
 *	l PATH TARGET
 *	p PATH MODE
 */
struct fixture {
	char dir[64];
	int dir_fd;
	int source_fd;
	int root_fd;
	int outside_fd;
};

static inline int fixture_make_dir(int dir_fd, const char *name)
{
	assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
	assert_int_equal(fchmodat(dir_fd, name, 0755, 0), 0);

	const int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static inline void fixture_init(struct fixture *f)
{
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/sb-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->dir_fd >= 0);
	f->source_fd = fixture_make_dir(f->dir_fd, "source");
	f->root_fd = fixture_make_dir(f->dir_fd, "root");
	f->outside_fd = fixture_make_dir(f->dir_fd, "outside");
}

static inline void fixture_release(struct fixture *f)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	close(f->source_fd);
	close(f->root_fd);
	close(f->outside_fd);
	assert_int_equal(sb_tree_remove(f->dir_fd, "source", &ignored), 0);
	assert_int_equal(sb_tree_remove(f->dir_fd, "root", &ignored), 0);
	assert_int_equal(sb_tree_remove(f->dir_fd, "outside", &ignored), 0);
	close(f->dir_fd);
	assert_int_equal(rmdir(f->dir), 0);
}

static inline void fixture_write(int dir_fd, const char *path, const void *bytes, size_t len)
{
	const int fd = openat(dir_fd, path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* Makes the entries of a tree's text, in order. */
static inline void fixture_plant(int dir_fd, const char *tree)
{
	sb_autofree char *copy = sb_strdup(tree);
	char *saved = NULL;

	for (char *line = strtok_r(copy, "\n", &saved); line != NULL;
		line = strtok_r(NULL, "\n", &saved)) {
		char *rest = line + 2;
		const char *path = strsep(&rest, " ");

		if (line[0] == 'l') {
			assert_int_equal(symlinkat(rest, dir_fd, path), 0);
			continue;
		}

		const mode_t mode = (mode_t)strtoul(strsep(&rest, " "), NULL, 8);

		if (line[0] == 'd')
			assert_int_equal(mkdirat(dir_fd, path, 0700), 0);
		else if (line[0] == 'p')
			assert_int_equal(mknodat(dir_fd, path, S_IFIFO | 0600, 0), 0);
		else
			fixture_write(dir_fd, path, rest != NULL ? rest : "",
				rest != NULL ? strlen(rest) : 0);
		assert_int_equal(fchmodat(dir_fd, path, mode, 0), 0);
	}
}

static inline void fixture_render(int dir_fd, const char *at, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	const int fd = openat(dir_fd, at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(sb_tree_list(fd, &names, &err), 0);
	close(fd);
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *path = strcmp(at, ".") == 0
						 ? sb_strdup(names.items[i])
						 : sb_asprintf("%s/%s", at, names.items[i]);
		char text[4096] = "";
		struct stat st;
		int rc = 0;

		assert_int_equal(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);

		const unsigned mode = st.st_mode & 07777;

		if (S_ISDIR(st.st_mode)) {
			rc = sb_buf_addf(out, &err, "d %s %o\n", path, mode);
			fixture_render(dir_fd, path, out);
		} else if (S_ISLNK(st.st_mode)) {
			assert_true(readlinkat(dir_fd, path, text, sizeof(text) - 1) >= 0);
			rc = sb_buf_addf(out, &err, "l %s %s\n", path, text);
		} else if (S_ISFIFO(st.st_mode)) {
			rc = sb_buf_addf(out, &err, "p %s %o\n", path, mode);
		} else {
			const int file = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

			assert_true(file >= 0);
			assert_true(read(file, text, sizeof(text) - 1) >= 0);
			close(file);
			rc = sb_buf_addf(out, &err, "f %s %o%s%s\n", path, mode,
				text[0] != '\0' ? " " : "", text);
		}
		assert_int_equal(rc, 0);
	}
}

/* Fails with both texts where the tree is another. */
static inline void fixture_expect(int dir_fd, const char *tree)
{
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);

	fixture_render(dir_fd, ".", &text);
	assert_string_equal(text.data, tree);
}

#endif
