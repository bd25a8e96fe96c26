/* SPDX-License-Identifier: MIT */
#include "temp.h"

#include <sys/resource.h>

static void names_are_listed_in_byte_order(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "b", "");
	temp_file(t.fd, "\xc3\xa4", "");
	temp_file(t.fd, "B", "");
	temp_file(t.fd, ".hidden", "");
	temp_dir(t.fd, "a");

	const size_t n_fds = temp_n_open_fds();

	assert_int_equal(sb_tree_list(t.fd, &names, &err), 0);

	sb_autofree char *joined = sb_strv_join(&names, " ");

	assert_string_equal(joined, ".hidden B a b \xc3\xa4");
	assert_int_equal(temp_n_open_fds(), n_fds);
	sb_strv_release(&names);
	/* A second time: the folder's offset was not used. */
	assert_int_equal(sb_tree_list(t.fd, &names, &err), 0);
	assert_int_equal(names.len, 5);
	sb_strv_release(&names);
	assert_int_equal(sb_tree_list(-1, &names, &err), -1);
}

static void a_tree_goes_and_what_its_links_lead_to_stays(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "keep");
	temp_file(t.fd, "keep/file", "x");
	temp_dir(t.fd, "tree");
	temp_dir(t.fd, "tree/a");
	temp_dir(t.fd, "tree/a/b");
	temp_dir(t.fd, "tree/empty");
	temp_file(t.fd, "tree/a/b/file", "x");
	temp_file(t.fd, "tree/a/file", "x");
	assert_int_equal(symlinkat("../keep", t.fd, "tree/link"), 0);
	assert_int_equal(symlinkat("../../../keep", t.fd, "tree/a/b/link"), 0);
	assert_int_equal(mkfifoat(t.fd, "tree/fifo", 0600), 0);
	assert_int_equal(symlinkat("keep", t.fd, "toplink"), 0);
	assert_int_equal(linkat(t.fd, "keep/file", t.fd, "tree/hard", 0), 0);

	const size_t n_fds = temp_n_open_fds();

	assert_int_equal(sb_tree_remove(t.fd, "tree", &err), 0);
	assert_int_equal(sb_tree_remove(t.fd, "toplink", &err), 0);
	assert_int_equal(sb_tree_remove(t.fd, "nothing", &err), 0);
	assert_false(temp_has(t.fd, "tree"));
	assert_false(temp_has(t.fd, "toplink"));
	assert_string_equal(temp_text(t.fd, "keep/file"), "x");
	assert_int_equal(temp_n_open_fds(), n_fds);
}

static void folders_without_permissions_are_opened_up(void **state)
{
	static const mode_t modes[] = {0000, 0100, 0200, 0400, 0500, 0600, 0300};
	TEMP t;

	(void)state;
	temp_init(&t);
	for (size_t i = 0; i < N_OF(modes); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		temp_dir(t.fd, "tree");
		temp_dir(t.fd, "tree/shut");
		temp_dir(t.fd, "tree/shut/sub");
		temp_file(t.fd, "tree/shut/sub/file", "x");
		temp_file(t.fd, "tree/shut/file", "x");
		assert_int_equal(fchmodat(t.fd, "tree/shut/sub", modes[i], 0), 0);
		assert_int_equal(fchmodat(t.fd, "tree/shut", modes[i], 0), 0);
		assert_int_equal(fchmodat(t.fd, "tree", modes[i], 0), 0);
		if (sb_tree_remove(t.fd, "tree", &err) < 0)
			fail_msg("mode %o: %s", modes[i], err.message);
		assert_false(temp_has(t.fd, "tree"));
	}
}

static void make_deep(int top_fd, unsigned depth)
{
	sb_autofd int at = fcntl(top_fd, F_DUPFD_CLOEXEC, 3);

	for (unsigned i = 0; i < depth; i++) {
		temp_dir(at, "folder");
		if (i % 100 == 0)
			temp_file(at, "file", "x");

		const int next = openat(at, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_true(next >= 0);
		sb_fd_closep(&at);
		at = next;
	}
}

static int remove_with_little(void *data)
{
	const struct temp *t = data;
	const struct rlimit fds = {.rlim_cur = 64, .rlim_max = 64};
	const struct rlimit stack = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (setrlimit(RLIMIT_NOFILE, &fds) < 0 || setrlimit(RLIMIT_STACK, &stack) < 0)
		return 10;
	if (sb_tree_remove(t->fd, "tree", &err) < 0) {
		(void)fprintf(stderr, "%.200s\n", err.message);
		return 1;
	}
	return 0;
}

static void depth_needs_neither_descriptors_nor_stack(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "tree");

	sb_autofd int tree = openat(t.fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	make_deep(tree, 5000);
	assert_int_equal(temp_in_child(remove_with_little, &t), 0);
	assert_false(temp_has(t.fd, "tree"));
}

static void what_cannot_be_removed_is_named(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;

	sb_autofd int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(sb_tree_remove(proc, "version", &err), -1);
	assert_non_null(strstr(err.message, "remove 'version'"));
}

static void going_up_finds_a_tree_that_was_moved(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct stat parent;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "a");
	temp_dir(t.fd, "a/b");
	temp_dir(t.fd, "other");

	sb_autofd int b = openat(t.fd, "a/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sb_autofd int above = -1;

	assert_int_equal(fstatat(t.fd, "a", &parent, 0), 0);
	assert_int_equal(sb_tree_open_above(b, &parent, &above, &err), 0);
	assert_true(temp_has(above, "b"));
	sb_fd_closep(&above);
	assert_int_equal(renameat(t.fd, "a/b", t.fd, "other/b"), 0);
	assert_int_equal(sb_tree_open_above(b, &parent, &above, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	assert_int_equal(above, -1);
	sb_error_release(&err);
	assert_int_equal(sb_tree_open_above(b, NULL, &above, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_listed_in_byte_order),
		cmocka_unit_test(a_tree_goes_and_what_its_links_lead_to_stays),
		cmocka_unit_test(folders_without_permissions_are_opened_up),
		cmocka_unit_test(depth_needs_neither_descriptors_nor_stack),
		cmocka_unit_test(what_cannot_be_removed_is_named),
		cmocka_unit_test(going_up_finds_a_tree_that_was_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
