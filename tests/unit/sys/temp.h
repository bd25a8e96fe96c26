/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_SYS_TEMP_H
#define SB_TESTS_SYS_TEMP_H

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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "sys/fd.h"
#include "sys/tree.h"

#define N_OF(table) (sizeof(table) / sizeof((table)[0]))

/* A temporary folder for one test. */
struct temp {
	char path[64];
	int fd;
};

static inline void temp_init(struct temp *t)
{
	(void)snprintf(t->path, sizeof(t->path), "/tmp/sb-unit-XXXXXX");
	assert_non_null(mkdtemp(t->path));
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
}

static inline void temp_release(struct temp *t)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)close(t->fd);
	if (sb_tree_remove(AT_FDCWD, t->path, &err) < 0)
		(void)fprintf(stderr, "%s\n", err.message);
}
#define TEMP __attribute__((cleanup(temp_release))) struct temp

static inline void temp_dir(int dir_fd, const char *name)
{
	assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
}

static inline void temp_file(int dir_fd, const char *name, const char *content)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(sb_fd_write_all(fd, content, strlen(content), &err), 0);
}

static inline bool temp_has(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The file's text, up to 200 bytes, in a static place; "-" where it can't be read. */
static inline const char *temp_text(int dir_fd, const char *name)
{
	static char text[201];
	sb_autofd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n < 0)
		return "-";
	text[n] = '\0';
	return text;
}

static inline size_t temp_n_open_fds(void)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(sb_tree_list(fd, &names, &err), 0);
	return names.len;
}

/* Runs a function in a child; its status. Where assertions of cmocka can't be used. */
static inline int temp_in_child(int (*function)(void *), void *data)
{
	int status = 0;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(function(data));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
