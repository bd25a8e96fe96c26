/* SPDX-License-Identifier: MIT */
#include "../sys/temp.h"

#include "base/mem.h"
#include "sandbox/workdir.h"

/* Owners other than one's own take root. */
static uid_t owner(void)
{
	return geteuid() == 0 ? 4242 : geteuid();
}

/* What a root file system has before: folders "d", files "f", FIFOs "p", links "l" with targets. */
static void plant(int root_fd)
{
	temp_dir(root_fd, "usr");
	temp_dir(root_fd, "usr/src");
	temp_file(root_fd, "file", "text");
	assert_int_equal(mkfifoat(root_fd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("/usr/src", root_fd, "absolute"), 0);
	assert_int_equal(symlinkat("usr/../usr", root_fd, "relative"), 0);
	assert_int_equal(symlinkat("../../../../../usr", root_fd, "climbing"), 0);
	assert_int_equal(symlinkat("/var/new/place", root_fd, "dangling"), 0);
	assert_int_equal(symlinkat("/file", root_fd, "tofile"), 0);
	assert_int_equal(symlinkat("loop", root_fd, "loop"), 0);
	assert_int_equal(symlinkat("two", root_fd, "one"), 0);
	assert_int_equal(symlinkat("one", root_fd, "two"), 0);
}

static void missing_folders_are_made_where_the_step_will_look(void **state)
{
	static const struct {
		const char *path;
		const char *made;  /* the last folder that is new, and there without links */
		const char *first; /* the first that is new */
	} cases[] = {
		{"/a", "a", "a"},
		{"/b/c/d", "b/c/d", "b"},
		{"/usr/src/x/", "usr/src/x", "usr/src/x"},
		{"//e//f/./g", "e/f/g", "e"},
		{"/absolute/h/i", "usr/src/h/i", "usr/src/h"},
		{"/relative/j", "usr/j", "usr/j"},
		{"/climbing/k", "usr/k", "usr/k"},
		{"/dangling", "var/new/place", "var"},
		{"/dangling/l", "var/new/place/l", "var"},
		{"/../../m", "m", "m"},
		{"/n/../o", "o", "o"},
		{"/with,comma:colon\\back\"quote\nnewline",
			"with,comma:colon\\back\"quote\nnewline",
			"with,comma:colon\\back\"quote\nnewline"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		TEMP t;
		struct stat st;
		const size_t n_fds = temp_n_open_fds();

		temp_init(&t);
		temp_dir(t.fd, "root");

		sb_autofd int root = openat(t.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		const mode_t old_umask = umask(077);

		plant(root);
		assert_int_equal(sb_workdir_make(root, cases[i].path, owner(), owner(), &err), 0);
		(void)umask(old_umask);
		assert_int_equal(fstatat(root, cases[i].made, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0755);
		assert_int_equal(st.st_uid, owner());
		assert_int_equal(st.st_gid, geteuid() == 0 ? owner() : st.st_gid);
		assert_int_equal(fstatat(root, cases[i].first, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0755);
		assert_int_equal(st.st_uid, owner());
		/* The second time there is nothing to do. */
		assert_int_equal(sb_workdir_make(root, cases[i].path, 0, 0, &err), 0);
		assert_int_equal(fstatat(root, cases[i].made, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_uid, owner());
		assert_int_equal(temp_n_open_fds(), n_fds + 2);
	}
}

static void a_folder_that_is_there_stays_as_it_is(void **state)
{
	static const char *const paths[] = {"/", "/usr", "/usr/", "/absolute", "/climbing", "/.."};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;
	struct stat st;

	(void)state;
	temp_init(&t);
	plant(t.fd);
	assert_int_equal(fchmodat(t.fd, "usr", 0711, 0), 0);
	for (size_t i = 0; i < N_OF(paths); i++)
		assert_int_equal(sb_workdir_make(t.fd, paths[i], 4711, 4711, &err), 0);
	assert_int_equal(fstatat(t.fd, "usr", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0711);
	assert_int_equal(st.st_uid, geteuid());
}

static void what_is_no_folder_is_in_the_way(void **state)
{
	static const struct {
		const char *path;
		enum sb_code code;
	} cases[] = {
		{"/file", SB_E_NOT_FOUND},
		{"/file/below", SB_E_NOT_FOUND},
		{"/tofile", SB_E_NOT_FOUND},
		{"/tofile/below", SB_E_NOT_FOUND},
		{"/fifo", SB_E_NOT_FOUND},
		{"/fifo/below", SB_E_NOT_FOUND},
		{"/missing/../file/x", SB_E_NOT_FOUND},
		{"/loop", SB_E_SYSTEM},
		{"/one/x", SB_E_SYSTEM},
	};
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *start = sb_asprintf("working directory '%s'", cases[i].path);

		assert_int_equal(sb_workdir_make(t.fd, cases[i].path, owner(), owner(), &err), -1);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(strncmp(err.message, start, strlen(start)), 0);
	}
	assert_string_equal(temp_text(t.fd, "file"), "text");
	assert_false(temp_has(t.fd, "missing"));
}

static void a_name_that_can_not_be_made_is_an_error(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;
	char path[400] = "/";

	(void)state;
	temp_init(&t);
	memset(path + 1, 'a', 300);
	assert_int_equal(sb_workdir_make(t.fd, path, owner(), owner(), &err), -1);
	assert_true(sb_error_is_set(&err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_folders_are_made_where_the_step_will_look),
		cmocka_unit_test(a_folder_that_is_there_stays_as_it_is),
		cmocka_unit_test(what_is_no_folder_is_in_the_way),
		cmocka_unit_test(a_name_that_can_not_be_made_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
