/* SPDX-License-Identifier: MIT */
#include "temp.h"

#include "sys/at.h"

/* root/ with links of all kinds, and a secret beside it. */
static int plant(const struct temp *t)
{
	temp_file(t->fd, "secret", "outside");
	temp_dir(t->fd, "root");

	const int root = openat(t->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(root >= 0);
	temp_dir(root, "dir");
	temp_dir(root, "dir/sub");
	temp_file(root, "dir/file", "inside");
	temp_file(root, "secret", "the root's own");
	assert_int_equal(symlinkat("dir", root, "link"), 0);
	assert_int_equal(symlinkat("/dir", root, "absolute"), 0);
	assert_int_equal(symlinkat("../secret", root, "up"), 0);
	assert_int_equal(symlinkat("../../secret", root, "dir/up"), 0);
	assert_int_equal(symlinkat("/proc/self/root", root, "magic"), 0);
	assert_int_equal(symlinkat("b", root, "a"), 0);
	assert_int_equal(symlinkat("a", root, "b"), 0);
	assert_int_equal(symlinkat("/missing/deep", root, "dangling"), 0);
	return root;
}

static void nothing_is_opened_outside(void **state)
{
	static const struct {
		const char *path;
		const char *beneath; /* the text read, or the code's name */
		const char *in_root;
		const char *no_links;
	} cases[] = {
		{"dir/file", "inside", "inside", "inside"},
		{"./dir/./file", "inside", "inside", "inside"},
		{"dir/../dir/file", "inside", "inside", "inside"},
		{"link/file", "inside", "inside", "denied"},
		{"/dir/file", "denied", "inside", "denied"},
		{"absolute/file", "denied", "inside", "denied"},
		{"../secret", "denied", "the root's own", "denied"},
		{"dir/../../secret", "denied", "the root's own", "denied"},
		{"up", "denied", "the root's own", "denied"},
		{"dir/up", "denied", "the root's own", "denied"},
		{"magic/etc/passwd", "denied", "not-found", "denied"},
		{"/proc/self/root/etc/passwd", "denied", "not-found", "denied"},
		{"missing", "not-found", "not-found", "not-found"},
		{"dir/file/x", "not-found", "not-found", "not-found"},
		{"a", "system", "system", "denied"},
		{"dangling", "denied", "not-found", "denied"},
		{"", "not-found", "not-found", "not-found"},
	};
	TEMP t;

	(void)state;
	temp_init(&t);

	sb_autofd int root = plant(&t);

	for (size_t i = 0; i < N_OF(cases); i++) {
		for (int how = SB_AT_BENEATH; how <= SB_AT_NO_LINKS; how++) {
			SB_AUTO_ERROR err = SB_ERROR_INIT;
			SB_AUTO_BUF buf = SB_BUF_INIT(100);
			const char *expected = how == SB_AT_BENEATH   ? cases[i].beneath
					       : how == SB_AT_IN_ROOT ? cases[i].in_root
								      : cases[i].no_links;
			const int rc = sb_at_read_file(
				root, cases[i].path, (enum sb_at_how)how, 100, &buf, &err);

			assert_string_equal(rc == 0 ? buf.data : sb_code_name(err.code), expected);
		}
	}
}

static void files_are_read_up_to_their_maximum(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF buf = SB_BUF_INIT(0);
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "f", "12345");
	assert_int_equal(sb_at_read_file(t.fd, "f", SB_AT_NO_LINKS, 4, &buf, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	sb_error_release(&err);
	assert_int_equal(sb_at_read_file(t.fd, "f", SB_AT_NO_LINKS, 5, &buf, &err), 0);
	assert_string_equal(buf.data, "12345");
	sb_buf_release(&buf);
	/* A FIFO must not hang. */
	assert_int_equal(mkfifoat(t.fd, "p", 0600), 0);
	assert_int_equal(sb_at_read_file(t.fd, "p", SB_AT_NO_LINKS, 5, &buf, &err), 0);
	sb_buf_release(&buf);
	assert_int_equal(sb_at_read_file(t.fd, ".", SB_AT_NO_LINKS, 5, &buf, &err), -1);
}

static void paths_are_resolved_as_inside_the_root(void **state)
{
	static const struct {
		const char *path;
		const char *canonical; /* NULL: refused */
	} cases[] = {
		{"/", "/"},
		{"", "/"},
		{"../..", "/"},
		{"dir//sub/", "/dir/sub"},
		{"link/sub", "/dir/sub"},
		{"/absolute/new/file", "/dir/new/file"},
		{"up", "/secret"},
		{"dir/up", "/secret"},
		{"link/..", "/"}, /* the folder above what the link leads to */
		{"link/sub/../..", "/"},
		{"missing/../x", "/x"},
		{"dangling", "/missing/deep"},
		{"dangling/er", "/missing/deep/er"},
		{"magic/etc", "/proc/self/root/etc"},
		{"a", NULL},
		{"a/x", NULL},
		{"b/../dir", NULL},
	};
	TEMP t;

	(void)state;
	temp_init(&t);

	sb_autofd int root = plant(&t);

	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *canonical = NULL;
		const int rc = sb_at_canonical(root, cases[i].path, &canonical, &err);

		assert_int_equal(rc, cases[i].canonical != NULL ? 0 : -1);
		if (rc == 0)
			assert_string_equal(canonical, cases[i].canonical);
		else
			assert_int_equal(err.code, SB_E_LIMIT);
	}
}

static void a_chain_of_links_is_followed_up_to_the_kernels_limit(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "l0");
	for (unsigned i = 1; i <= 41; i++) {
		char target[16];
		char name[16];

		(void)snprintf(target, sizeof(target), "l%u", i - 1);
		(void)snprintf(name, sizeof(name), "l%u", i);
		assert_int_equal(symlinkat(target, t.fd, name), 0);
	}

	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *canonical = NULL;

	assert_int_equal(sb_at_canonical(t.fd, "l40/x", &canonical, &err), 0);
	assert_string_equal(canonical, "/l0/x");
	assert_int_equal(sb_at_canonical(t.fd, "l41/x", &canonical, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

static void folders_are_made_without_following_links(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);

	sb_autofd int root = plant(&t);
	sb_autofd int made = -1;
	sb_autofd int again = -1;

	assert_int_equal(sb_at_make_dirs(root, "x/y//z/", 0700, &made, &err), 0);
	assert_true(temp_has(root, "x/y/z"));
	temp_file(made, "here", "");
	assert_true(temp_has(root, "x/y/z/here"));
	assert_int_equal(sb_at_make_dirs(root, "/../x/y", 0700, &again, &err), 0);
	sb_fd_closep(&again);
	assert_int_equal(sb_at_make_dirs(root, ".", 0700, &again, &err), 0);
	sb_fd_closep(&again);
	assert_int_equal(sb_at_make_dirs(root, "link/new", 0700, &again, &err), -1);
	assert_int_equal(again, -1);
	assert_false(temp_has(root, "dir/new"));
	sb_error_release(&err);
	assert_int_equal(sb_at_make_dirs(root, "secret/new", 0700, &again, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
}

static void a_parent_is_opened_with_the_last_name_beside_it(void **state)
{
	static const struct {
		const char *path;
		enum sb_code code;
		const char *name;
	} cases[] = {{"dir/up", SB_OK, "up"}, {"up", SB_OK, "up"}, {"absolute/file", SB_OK, "file"},
		{"dir/new", SB_OK, "new"}, {".", SB_E_USAGE, NULL}, {"/", SB_E_USAGE, NULL},
		{"dir/..", SB_E_USAGE, NULL}, {"..", SB_E_USAGE, NULL},
		{"none/x", SB_E_NOT_FOUND, NULL}, {"secret/x", SB_E_NOT_FOUND, NULL}};
	TEMP t;

	(void)state;
	temp_init(&t);

	sb_autofd int root = plant(&t);

	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *name = NULL;
		sb_autofd int parent = -1;

		(void)!sb_at_open_parent(root, cases[i].path, SB_AT_IN_ROOT, &parent, &name, &err);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(parent >= 0, cases[i].code == SB_OK);
		if (parent >= 0)
			assert_string_equal(name, cases[i].name);
	}
}

static void lstat_tells_what_is_not_there_from_what_fails(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct stat st;
	bool exists = false;
	TEMP t;

	(void)state;
	temp_init(&t);

	sb_autofd int root = plant(&t);

	assert_int_equal(sb_at_lstat(root, "up", SB_AT_NO_LINKS, &st, &exists, &err), 0);
	assert_true(exists && S_ISLNK(st.st_mode));
	assert_int_equal(sb_at_lstat(root, "none/x", SB_AT_NO_LINKS, &st, &exists, &err), 0);
	assert_false(exists);
	assert_int_equal(sb_at_lstat(root, "dir/file/x", SB_AT_NO_LINKS, &st, &exists, &err), 0);
	assert_false(exists);
	assert_int_equal(sb_at_lstat(root, "link/file", SB_AT_NO_LINKS, &st, &exists, &err), -1);
	assert_int_equal(err.code, SB_E_DENIED);
}

static void create_takes_only_new_names(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);

	sb_autofd int root = plant(&t);
	sb_autofd int fd = -1;

	assert_int_equal(sb_at_create(root, "new", SB_AT_NO_LINKS, 0600, &fd, &err), 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	sb_fd_closep(&fd);
	assert_int_equal(sb_at_create(root, "dangling", SB_AT_IN_ROOT, 0600, &fd, &err), -1);
	assert_int_equal(err.os_errno, EEXIST);
	assert_int_equal(fd, -1);
}

static void link_targets_are_read_whole(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *target = NULL;
	char path[4096];
	TEMP t;

	(void)state;
	temp_init(&t);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(symlinkat(path, t.fd, "long"), 0);
	assert_int_equal(sb_at_read_link(t.fd, "long", &target, &err), 0);
	assert_string_equal(target, path);
	assert_int_equal(sb_at_read_link(t.fd, "none", &target, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_opened_outside),
		cmocka_unit_test(files_are_read_up_to_their_maximum),
		cmocka_unit_test(paths_are_resolved_as_inside_the_root),
		cmocka_unit_test(a_chain_of_links_is_followed_up_to_the_kernels_limit),
		cmocka_unit_test(folders_are_made_without_following_links),
		cmocka_unit_test(a_parent_is_opened_with_the_last_name_beside_it),
		cmocka_unit_test(lstat_tells_what_is_not_there_from_what_fails),
		cmocka_unit_test(create_takes_only_new_names),
		cmocka_unit_test(link_targets_are_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
