/* SPDX-License-Identifier: MIT */
#include "temp.h"

#include <sys/mman.h>

#include "sys/atomic.h"
#include "sys/lock.h"
#include "sys/xattr.h"

static void a_file_appears_whole_and_leaves_no_temporary_one(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct stat st;
	TEMP t;

	(void)state;
	temp_init(&t);
	assert_int_equal(sb_atomic_write(t.fd, "f", 0640, "one", 3, &err), 0);
	assert_int_equal(sb_atomic_write(t.fd, "f", 0600, "second", 6, &err), 0);
	assert_string_equal(temp_text(t.fd, "f"), "second");
	assert_int_equal(sb_atomic_write(t.fd, "empty", 0600, "", 0, &err), 0);
	assert_int_equal(fstatat(t.fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	temp_dir(t.fd, "dir");
	assert_int_equal(sb_atomic_write(t.fd, "dir", 0600, "x", 1, &err), -1);
	sb_error_release(&err);
	assert_int_equal(sb_atomic_write(t.fd, "none/f", 0600, "x", 1, &err), -1);
	assert_int_equal(sb_tree_list(t.fd, &names, &(struct sb_error)SB_ERROR_INIT), 0);

	sb_autofree char *joined = sb_strv_join(&names, " ");

	assert_string_equal(joined, "dir empty f");
}

static void an_atomic_write_replaces_a_link_and_not_its_target(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "target", "old");
	assert_int_equal(symlinkat("target", t.fd, "f"), 0);
	assert_int_equal(sb_atomic_write(t.fd, "f", 0600, "new", 3, &err), 0);
	assert_string_equal(temp_text(t.fd, "target"), "old");
	assert_string_equal(temp_text(t.fd, "f"), "new");
}

static void unique_names_differ(void **state)
{
	sb_autofree char *a = sb_unique_name("p");
	sb_autofree char *b = sb_unique_name("p");

	(void)state;
	assert_string_not_equal(a, b);
	assert_int_equal(strncmp(a, "p-", 2), 0);
}

/* Holds a lock until its standard input... the pipe it was given ends. */
struct holder {
	const struct temp *t;
	enum sb_lock_kind kind;
	int ready_write;
	int end_read;
};

static int hold(void *data)
{
	struct holder *h = data;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int fd = -1;
	char byte = 0;

	if (sb_lock_take(h->t->fd, "lock", h->kind, &fd, &err) < 0 ||
		write(h->ready_write, "x", 1) != 1)
		return 1;
	return read(h->end_read, &byte, 1) == 1 ? 0 : 2;
}

static bool can_lock(const struct temp *t, enum sb_lock_kind kind)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	assert_int_equal(sb_lock_try(t->fd, "lock", kind, &fd, &err), 0);
	return fd >= 0;
}

static void locks_hold_between_processes_and_end_with_them(void **state)
{
	static const struct {
		enum sb_lock_kind held;
		bool shared;
		bool exclusive;
	} cases[] = {{SB_LOCK_SHARED, true, false}, {SB_LOCK_EXCLUSIVE, false, false}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		int ready[2];
		int end[2];
		char byte = 0;
		int status = 0;
		TEMP t;

		temp_init(&t);
		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		assert_int_equal(pipe2(end, O_CLOEXEC), 0);

		struct holder h = {&t, cases[i].held, ready[1], end[0]};
		const pid_t pid = fork();

		if (pid == 0)
			_exit(hold(&h));
		assert_int_equal(read(ready[0], &byte, 1), 1);
		assert_int_equal(can_lock(&t, SB_LOCK_SHARED), cases[i].shared);
		assert_int_equal(can_lock(&t, SB_LOCK_EXCLUSIVE), cases[i].exclusive);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(can_lock(&t, SB_LOCK_EXCLUSIVE));
		for (size_t j = 0; j < 2; j++)
			(void)!(close(ready[j]) + close(end[j]));
	}
}

static int wait_for_lock(const struct temp *t, int held_fd)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	/* A lock belongs to the open file: this process must not keep the other's. */
	(void)close(held_fd);
	if (sb_lock_take(t->fd, "lock", SB_LOCK_EXCLUSIVE, &fd, &err) < 0)
		return 1;
	return temp_has(t->fd, "released") ? 0 : 2;
}

static void a_lock_that_is_held_is_waited_for_also_when_its_file_is_removed(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	int status = 0;
	TEMP t;

	(void)state;
	temp_init(&t);
	assert_int_equal(sb_lock_take(t.fd, "lock", SB_LOCK_EXCLUSIVE, &fd, &err), 0);

	const pid_t pid = fork();

	if (pid == 0)
		_exit(wait_for_lock(&t, fd));
	(void)usleep(50000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	temp_file(t.fd, "released", "");
	assert_int_equal(unlinkat(t.fd, "lock", 0), 0);
	sb_fd_closep(&fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The file is there again: the waiter did not keep a lock that nobody else sees. */
	assert_true(temp_has(t.fd, "lock"));
}

static void a_lock_file_that_is_a_link_is_not_followed(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	TEMP t;

	(void)state;
	temp_init(&t);
	assert_int_equal(symlinkat("elsewhere", t.fd, "lock"), 0);
	assert_int_equal(sb_lock_try(t.fd, "lock", SB_LOCK_SHARED, &fd, &err), -1);
	assert_false(temp_has(t.fd, "elsewhere"));
}

static void attributes_are_listed_sorted_with_their_bytes(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_xattrs) attrs = {0};
	sb_autofree char *value = NULL;
	size_t len = 0;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "f", "");
	assert_int_equal(symlinkat("f", t.fd, "link"), 0);
	if (sb_xattr_set(t.fd, "f", "user.b", "x\0y", 3, &err) < 0) {
		assert_int_equal(err.os_errno, ENOTSUP);
		skip();
	}
	assert_int_equal(sb_xattr_set(t.fd, "f", "user.a", "", 0, &err), 0);
	assert_int_equal(sb_xattr_list(t.fd, "f", &attrs, &err), 0);
	assert_int_equal(attrs.len, 2);
	assert_string_equal(attrs.items[0].name, "user.a");
	assert_int_equal(attrs.items[0].len, 0);
	assert_int_equal(attrs.items[1].len, 3);
	assert_memory_equal(attrs.items[1].value, "x\0y", 3);
	assert_int_equal(sb_xattr_get(t.fd, "f", "user.b", &value, &len, &err), 0);
	assert_int_equal(len, 3);
	free(value);
	assert_int_equal(sb_xattr_get(t.fd, "f", "user.none", &value, &len, &err), 0);
	assert_null(value);
	/* The link's own attributes, not its target's. */
	assert_int_equal(sb_xattr_get(t.fd, "link", "user.b", &value, &len, &err), 0);
	assert_null(value);
	assert_int_equal(sb_xattr_set(t.fd, "link", "user.b", "x", 1, &err), -1);
	assert_int_not_equal(err.os_errno, 0);
	sb_error_release(&err);
	assert_int_equal(sb_xattr_get(t.fd, "none", "user.b", &value, &len, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
}

static void copies_take_exactly_what_was_asked_for(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int from = -1;
	sb_autofd int to = -1;
	uint64_t copied = 0;
	uint64_t size = 0;
	char bytes[8] = "";
	TEMP t;

	(void)state;
	temp_init(&t);
	assert_int_equal(sb_fd_unnamed(t.fd, &from, &err), 0);
	assert_int_equal(sb_fd_memory("to", &to, &err), 0);
	assert_int_equal(sb_fd_write_all(from, "0123456789", 10, &err), 0);
	assert_int_equal(sb_fd_copy_range(from, 2, 5, to, &err), 0);
	assert_int_equal(sb_fd_size(to, &size, &err), 0);
	assert_int_equal(size, 5);
	assert_int_equal(sb_fd_pread_all(to, bytes, 5, 0, &err), 0);
	assert_string_equal(bytes, "23456");
	assert_int_equal(lseek(from, 7, SEEK_SET), 7);
	assert_int_equal(sb_fd_copy(from, to, &copied, &err), 0);
	assert_int_equal(copied, 3);
	assert_int_equal(sb_fd_copy_range(from, 8, 5, to, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	sb_error_release(&err);
	assert_int_equal(sb_fd_pread_all(from, bytes, 5, 8, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_appears_whole_and_leaves_no_temporary_one),
		cmocka_unit_test(an_atomic_write_replaces_a_link_and_not_its_target),
		cmocka_unit_test(unique_names_differ),
		cmocka_unit_test(locks_hold_between_processes_and_end_with_them),
		cmocka_unit_test(a_lock_that_is_held_is_waited_for_also_when_its_file_is_removed),
		cmocka_unit_test(a_lock_file_that_is_a_link_is_not_followed),
		cmocka_unit_test(attributes_are_listed_sorted_with_their_bytes),
		cmocka_unit_test(copies_take_exactly_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
