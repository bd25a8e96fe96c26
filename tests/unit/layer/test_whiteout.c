/* SPDX-License-Identifier: MIT */
#include "layer/whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "tarball.h"

#include "base/mem.h"
#include "layer/apply.h"
#include "layer/entry.h"
#include "sys/fd.h"
#include "sys/xattr.h"

/* From here on this process can make no device nodes, as where a filter around us forbids it. */
static int forbid_nodes(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mknodat, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Unpacks a layer into the upper folder, in a process of its own that can make no nodes. */
static void apply_without_nodes(const struct fixture *fixture, const struct tar_entry *entries)
{
	SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
	int status = -1;

	for (const struct tar_entry *entry = entries; entry->type != 0; entry++)
		tarball_add(&tar, entry);
	tarball_end(&tar);

	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct bytes_reader reader = {.bytes = tar.data, .len = tar.len, .piece = 1000};
		const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
		struct sb_applied applied;

		if (forbid_nodes() < 0)
			_exit(2);
		_exit(sb_layer_apply(bytes_reader(&reader), fixture->upper_fd, &options, &applied,
			      NULL, &err) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The attribute's value, "-" where there is none. */
static char *attribute(int dir_fd, const char *name, const char *attr)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *value = NULL;
	size_t len = 0;

	if (sb_xattr_get(dir_fd, name, attr, &value, &len, &err) < 0)
		fail_msg("%s", err.message);
	return value != NULL ? sb_memdup0(value, len) : sb_strdup("-");
}

static void expect_attribute(int dir_fd, const char *name, const char *attr, const char *value)
{
	sb_autofree char *found = attribute(dir_fd, name, attr);

	assert_string_equal(found, value);
}

static const struct tar_entry deletions[] = {
	{"d/.wh.gone", '0', ""}, {"d/new", '0', "1"}, {".wh.top", '0', ""}, {0}};

static void a_whiteout_is_a_file_with_an_attribute(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct fixture *fixture = fixture_new(0);
	struct sb_notes notes = {0};
	struct stat st;
	sb_autofd int d = -1;

	(void)state;
	apply_without_nodes(fixture, deletions);
	d = openat(fixture->upper_fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d >= 0);
	assert_int_equal(fstatat(d, "gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 0);
	expect_attribute(d, "gone", SB_OVERLAY_WHITEOUT, "");
	expect_attribute(d, "new", SB_OVERLAY_WHITEOUT, "-");
	/* Without the folder's mark the kernel would not look for the files'. */
	expect_attribute(fixture->upper_fd, "d", SB_OVERLAY_OPAQUE, "x");
	expect_attribute(fixture->upper_fd, ".", SB_OVERLAY_OPAQUE, "x");

	static const struct {
		const char *name;
		bool is_whiteout;
	} rows[] = {{"gone", true}, {"new", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_entry entry = {0};
		bool exists = false;

		assert_int_equal(sb_entry_read(d, rows[i].name, "d", &fixture->ids, &notes, &entry,
					 &exists, &err),
			0);
		assert_true(exists);
		assert_int_equal(entry.is_whiteout, rows[i].is_whiteout);
		sb_entry_release(&entry);
	}
	fixture_free(fixture);
}

static void an_opaque_folder_has_no_such_files(void **state)
{
	static const struct tar_entry before[] = {{"d/.wh.gone", '0', ""}, {"d/new", '0', "1"},
		{"d/.wh..wh..opq", '0', ""}, {"d/.wh.later", '0', ""}, {0}};
	struct fixture *fixture = fixture_new(0);

	(void)state;
	apply_without_nodes(fixture, before);

	sb_autofree char *list = fixture_list(fixture, fixture->upper_fd, false);

	assert_string_equal(list, "d! d; f d/new=1");
	fixture_free(fixture);
}

static void folders_that_are_to_be_stacked_hide_nothing(void **state)
{
	struct fixture *fixture = fixture_new(0);
	const int upper = fixture->upper_fd;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(mkdirat(upper, "a", 0755), 0);
	assert_int_equal(mkdirat(upper, "b", 0755), 0);
	assert_int_equal(symlinkat("a", upper, "l"), 0);
	assert_int_equal(sb_xattr_set(upper, "a", SB_OVERLAY_OPAQUE, "y", 1, &err), 0);
	assert_int_equal(sb_xattr_set(upper, "a", "user.other", "y", 1, &err), 0);
	assert_int_equal(sb_whiteout_clear_opaque_in(upper, &err), 0);
	assert_int_equal(sb_whiteout_clear_opaque_in(upper, &err), 0);
	expect_attribute(upper, "a", SB_OVERLAY_OPAQUE, "-");
	expect_attribute(upper, "a", "user.other", "y");
	fixture_free(fixture);
}

static void what_comes_after_the_whiteout_takes_its_place(void **state)
{
	static const struct tar_entry entries[] = {{"d/.wh.a", '0', ""}, {"d/a", '0', "2"},
		{"d/.wh.b", '0', ""}, {"d/b/c", '0', "3"}, {0}};
	struct fixture *fixture = fixture_new(0);
	sb_autofd int d = -1;

	(void)state;
	apply_without_nodes(fixture, entries);
	d = openat(fixture->upper_fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect_attribute(d, "a", SB_OVERLAY_WHITEOUT, "-");
	/* What lay below the folder before stays hidden. */
	expect_attribute(d, "b", SB_OVERLAY_OPAQUE, "y");
	fixture_free(fixture);
}

static bool has_kernel(unsigned major, unsigned minor)
{
	struct utsname name;
	unsigned found[2] = {0};

	assert_int_equal(uname(&name), 0);
	return sscanf(name.release, "%u.%u", &found[0], &found[1]) == 2 &&
	       (found[0] > major || (found[0] == major && found[1] >= minor));
}

/* Changes the process's mount namespace: last. */
static void the_kernel_hides_what_they_name(void **state)
{
	struct fixture *fixture = fixture_new(0);
	sb_autofree char *merged = sb_asprintf("%s/merged", fixture->root);
	sb_autofree char *options =
		sb_asprintf("lowerdir=%s/upper:%s/lower,userxattr", fixture->root, fixture->root);
	bool is_mounted = false;

	(void)state;
	fixture_run(fixture, fixture->lower_fd, "d d\nf d/gone 1\nf d/kept 2\nf top 3\nf other 4");
	apply_without_nodes(fixture, deletions);
	assert_int_equal(mkdirat(fixture->root_fd, "merged", 0755), 0);
	is_mounted = has_kernel(6, 7) && unshare(CLONE_NEWNS) == 0 &&
		     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		     mount("overlay", merged, "overlay", MS_RDONLY, options) == 0;
	if (is_mounted) {
		sb_autofd int fd = open(merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		sb_autofree char *list = fixture_list(fixture, fd, false);

		assert_string_equal(list, "d d; f d/kept=2; f d/new=1; f other=4");
		sb_fd_closep(&fd);
		assert_int_equal(umount2(merged, 0), 0);
	}
	fixture_free(fixture);
	/* Not skip(): its TAP line counts as a failure. */
	if (!is_mounted)
		print_message("# can't mount an overlay here, or it has only one form\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whiteout_is_a_file_with_an_attribute),
		cmocka_unit_test(an_opaque_folder_has_no_such_files),
		cmocka_unit_test(folders_that_are_to_be_stacked_hide_nothing),
		cmocka_unit_test(what_comes_after_the_whiteout_takes_its_place),
		cmocka_unit_test(the_kernel_hides_what_they_name),
	};

	fixture_enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
