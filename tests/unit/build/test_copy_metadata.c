/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "build/copy.h"
#include "sys/xattr.h"

/* Root stores owners; anybody else has the one id and records them. */
static struct sb_idmap test_ids(void)
{
	const uint32_t n = geteuid() == 0 ? 65536 : 1;

	return (struct sb_idmap){.uid_count = n, .gid_count = n};
}

static struct sb_idmap single_id(void)
{
	return (struct sb_idmap){.uid_count = 1, .gid_count = 1};
}

struct request {
	const char *source;
	const char *dest;
	const char *chown;
	bool is_stage;
	struct sb_idmap ids;
};

static int copy(
	const struct fixture *f, struct request r, struct sb_strv *warnings, struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;

	sb_strv_add(&sources, r.source);
	return sb_copy_files(
		&(struct sb_copy){
			.source_fd = f->source_fd,
			.source_is_context = !r.is_stage,
			.root_fd = f->root_fd,
			.ids = r.ids.uid_count > 0 ? r.ids : test_ids(),
			.sources = &sources,
			.dest = r.dest,
			.workdir = "/",
			.chown = r.chown,
			.warnings = warnings,
		},
		err);
}

static void copy_ok(const struct fixture *f, struct request r)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;

	if (copy(f, r, &warnings, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(warnings.len, 0);
}

static struct stat stat_of(int dir_fd, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void expect_recorded(const struct fixture *f, const char *path, const char *expected)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *value = NULL;
	size_t len = 0;

	assert_int_equal(sb_xattr_get(f->root_fd, path, SB_OWNER_XATTR, &value, &len, &err), 0);
	if (expected == NULL)
		assert_null(value);
	else
		assert_string_equal(value, expected);
}

/* The owner in the image, stored or recorded. */
static void expect_owner(const struct fixture *f, const char *path, unsigned uid, unsigned gid)
{
	if (geteuid() == 0) {
		const struct stat st = stat_of(f->root_fd, path);

		assert_int_equal(st.st_uid, uid);
		assert_int_equal(st.st_gid, gid);
		return;
	}

	sb_autofree char *expected = sb_asprintf("%u:%u", uid, gid);

	expect_recorded(f, path, uid != 0 || gid != 0 ? expected : NULL);
}

static void times_are_kept_to_the_nanosecond(void **state)
{
	struct fixture f;
	const struct timespec file[2] = {
		{.tv_sec = 1}, {.tv_sec = 1234567890, .tv_nsec = 987654321}};
	const struct timespec dir[2] = {{.tv_sec = 1}, {.tv_sec = 1000000000, .tv_nsec = 5}};

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nd d/e 755\nf d/e/x 644 1\nl d/e/l x\n");
	assert_int_equal(utimensat(f.source_fd, "d/e/x", file, 0), 0);
	assert_int_equal(utimensat(f.source_fd, "d/e/l", file, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(f.source_fd, "d/e", dir, 0), 0);
	assert_int_equal(utimensat(f.source_fd, "d", dir, 0), 0);
	copy_ok(&f, (struct request){.source = "d", .dest = "/x"});
	assert_true(same_time(stat_of(f.root_fd, "x/e/x").st_mtim, file[1]));
	assert_true(same_time(stat_of(f.root_fd, "x/e/l").st_mtim, file[1]));
	assert_true(same_time(stat_of(f.root_fd, "x/e").st_mtim, dir[1]));
	assert_true(same_time(stat_of(f.root_fd, "x").st_mtim, dir[1]));
	fixture_release(&f);
}

static void owners_of_the_context_become_root(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "f x 644 1\n");
	if (geteuid() == 0)
		assert_int_equal(fchownat(f.source_fd, "x", 1234, 1235, 0), 0);
	copy_ok(&f, (struct request){.source = "x", .dest = "/p/x"});
	expect_owner(&f, "p/x", 0, 0);
	expect_owner(&f, "p", 0, 0);
	fixture_release(&f);
}

static void owners_of_a_stage_are_kept(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nf d/x 4755 1\n");
	if (geteuid() == 0) {
		assert_int_equal(fchownat(f.source_fd, "d/x", 1234, 1235, 0), 0);
		assert_int_equal(fchmodat(f.source_fd, "d/x", 04755, 0), 0);
	} else {
		assert_int_equal(
			sb_xattr_set(f.source_fd, "d/x", SB_OWNER_XATTR, "1234:1235", 9, &err), 0);
	}
	copy_ok(&f, (struct request){.source = "d", .dest = "/p", .is_stage = true});
	expect_owner(&f, "p/x", 1234, 1235);
	assert_int_equal(stat_of(f.root_fd, "p/x").st_mode & 07777, 04755);
	expect_owner(&f, "p", 0, 0);
	fixture_release(&f);
}

static void chown_is_for_all_that_is_made(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nd d/e 755\nf d/e/x 6755 1\n");
	fixture_plant(f.root_fd, "d old 755\n");
	copy_ok(&f, (struct request){.source = "d", .dest = "/old/p/q", .chown = "33:44"});
	expect_owner(&f, "old", 0, 0);
	expect_owner(&f, "old/p", 33, 44);
	expect_owner(&f, "old/p/q", 33, 44);
	expect_owner(&f, "old/p/q/e", 33, 44);
	expect_owner(&f, "old/p/q/e/x", 33, 44);
	assert_int_equal(stat_of(f.root_fd, "old/p/q/e/x").st_mode & 07777, 06755);
	fixture_release(&f);
}

static void chown_takes_names_of_the_destination(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "f x 644 1\n");
	fixture_plant(f.root_fd,
		"d etc 755\nf etc/passwd 644 app:x:1000:100::/:\nf etc/group 644 wheel:x:10:\n");
	copy_ok(&f, (struct request){.source = "x", .dest = "/a", .chown = "app"});
	copy_ok(&f, (struct request){.source = "x", .dest = "/b", .chown = "app:wheel"});
	expect_owner(&f, "a", 1000, 100);
	expect_owner(&f, "b", 1000, 10);
	assert_int_equal(copy(&f, (struct request){.source = "x", .dest = "/c", .chown = "ghost"},
				 NULL, &err),
		-1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_non_null(strstr(err.message, "user 'ghost': not found in the image's /etc/passwd"));
	assert_int_equal(faccessat(f.root_fd, "c", F_OK, 0), -1);
	fixture_release(&f);
}

static void a_single_id_records_owners_and_forgets_them(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nd d/e 755\nf d/e/x 600 1\n");
	copy_ok(&f,
		(struct request){.source = "d", .dest = "/p", .chown = "7:8", .ids = single_id()});
	expect_recorded(&f, "p/e", "7:8");
	expect_recorded(&f, "p/e/x", "7:8");
	copy_ok(&f, (struct request){.source = "d", .dest = "/p", .ids = single_id()});
	expect_recorded(&f, "p/e", "0:0");
	expect_recorded(&f, "p/e/x", NULL);
	fixture_release(&f);
}

static void a_record_in_the_context_is_not_believed(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "f x 600 1\n");
	assert_int_equal(sb_xattr_set(f.source_fd, "x", SB_OWNER_XATTR, "5:5", 3, &err), 0);
	copy_ok(&f, (struct request){.source = "x", .dest = "/x", .ids = single_id()});
	expect_recorded(&f, "x", NULL);
	fixture_release(&f);
}

static void attributes_are_kept_but_for_the_overlays(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_xattrs) attrs = {0};

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nd d/e 755\n");
	assert_int_equal(sb_xattr_set(f.source_fd, "d/e", "user.note", "a\0b", 3, &err), 0);
	assert_int_equal(sb_xattr_set(f.source_fd, "d/e", "user.overlay.opaque", "y", 1, &err), 0);
	copy_ok(&f, (struct request){.source = "d", .dest = "/p"});
	assert_int_equal(sb_xattr_list(f.root_fd, "p/e", &attrs, &err), 0);
	for (size_t i = 0; i < attrs.len; i++)
		assert_string_not_equal(attrs.items[i].name, "user.overlay.opaque");

	sb_autofree char *value = NULL;
	size_t len = 0;

	assert_int_equal(sb_xattr_get(f.root_fd, "p/e", "user.note", &value, &len, &err), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "a\0b", 3);
	fixture_release(&f);
}

static void hard_links_stay_together(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nf d/a 644 same\nd d/e 755\nf d/single 644 same\n");
	assert_int_equal(linkat(f.source_fd, "d/a", f.source_fd, "d/e/b", 0), 0);
	fixture_plant(f.root_fd, "d x 755\nd x/e 755\nf x/e/b 644 old\n");
	for (unsigned again = 0; again < 2; again++) {
		copy_ok(&f, (struct request){.source = "d", .dest = "/x"});
		fixture_expect(f.root_fd,
			"d x 755\nf x/a 644 same\nd x/e 755\nf x/e/b 644 same\nf x/single 644 "
			"same\n");
		assert_int_equal(
			stat_of(f.root_fd, "x/a").st_ino, stat_of(f.root_fd, "x/e/b").st_ino);
		assert_int_equal(stat_of(f.root_fd, "x/a").st_nlink, 2);
		assert_int_equal(stat_of(f.root_fd, "x/single").st_nlink, 1);
	}
	/* The source is not joined to the copy. */
	assert_int_equal(stat_of(f.source_fd, "d/a").st_nlink, 2);
	fixture_release(&f);
}

static void holes_and_large_contents_are_kept(void **state)
{
	enum { SIZE = 40 << 20, AT = 30 << 20 };
	struct fixture f;
	char byte = 0;

	(void)state;
	fixture_init(&f);
	fixture_write(f.source_fd, "x", "start", 5);

	const int fd = openat(f.source_fd, "x", O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "Z", 1, AT), 1);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	close(fd);
	copy_ok(&f, (struct request){.source = "x", .dest = "/x"});

	const struct stat st = stat_of(f.root_fd, "x");
	const int made = openat(f.root_fd, "x", O_RDONLY | O_CLOEXEC);

	assert_int_equal(st.st_size, SIZE);
	assert_true(st.st_blocks * 512 < SIZE / 4);
	assert_int_equal(pread(made, &byte, 1, AT), 1);
	assert_int_equal(byte, 'Z');
	assert_int_equal(pread(made, &byte, 1, 4), 1);
	assert_int_equal(byte, 't');
	assert_int_equal(pread(made, &byte, 1, SIZE - 1), 1);
	assert_int_equal(byte, 0);
	close(made);
	fixture_release(&f);
}

/* Makes `depth` folders in one another, without a path that the kernel would find too long. */
static void plant_deep(int dir_fd, unsigned depth)
{
	int at = dup(dir_fd);

	for (unsigned i = 0; i < depth; i++) {
		assert_int_equal(mkdirat(at, "a-folder-name", 0755), 0);

		const int next = openat(at, "a-folder-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_true(next >= 0);
		close(at);
		at = next;
	}
	fixture_write(at, "leaf", "leaf", 4);
	close(at);
}

static unsigned depth_of(int dir_fd)
{
	unsigned depth = 0;
	int at = dup(dir_fd);

	for (;;) {
		const int next = openat(at, "a-folder-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (next < 0)
			break;
		close(at);
		at = next;
		depth++;
	}
	assert_int_equal(faccessat(at, "leaf", F_OK, 0), 0);
	close(at);
	return depth;
}

/* sb_tree_remove keeps a descriptor a level; this one does not need to. */
static void remove_deep(int dir_fd, unsigned depth)
{
	int at = dup(dir_fd);

	for (unsigned i = 0; i < depth; i++) {
		const int next = openat(at, "a-folder-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = next;
	}
	assert_int_equal(unlinkat(at, "leaf", 0), 0);
	for (unsigned i = 0; i < depth; i++) {
		const int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = above;
		assert_int_equal(unlinkat(at, "a-folder-name", AT_REMOVEDIR), 0);
	}
	close(at);
}

static void run_deep(unsigned depth, const char *ignore_text, const char *dest, bool is_in_x)
{
	struct fixture f;
	struct rlimit limit;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO(sb_ignore) ignore = NULL;

	fixture_init(&f);
	plant_deep(f.source_fd, depth);
	assert_int_equal(sb_ignore_parse("i", ignore_text, strlen(ignore_text), &ignore, &err), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);

	const struct rlimit low = {.rlim_cur = 128, .rlim_max = limit.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	sb_strv_add(&sources, ".");

	const struct sb_copy request = {
		.source_fd = f.source_fd,
		.source_is_context = true,
		.ignore = ignore,
		.root_fd = f.root_fd,
		.ids = test_ids(),
		.sources = &sources,
		.dest = dest,
		.workdir = "/",
	};

	if (sb_copy_files(&request, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	const int made = is_in_x ? openat(f.root_fd, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
				 : dup(f.root_fd);

	assert_int_equal(depth_of(made), depth);
	remove_deep(made, depth);
	remove_deep(f.source_fd, depth);
	close(made);
	fixture_release(&f);
}

static void a_deep_tree_needs_few_descriptors(void **state)
{
	(void)state;
	run_deep(1500, "", "/x", true);
}

static void a_deep_tree_of_ignored_folders_needs_few_too(void **state)
{
	(void)state;
	run_deep(1500, "a-folder-name\n!**/leaf\n", "/", false);
}

static void a_link_out_of_the_destination_stays_inside(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "f x 644 1\nd d 755\nf d/y 644 2\n");

	sb_autofree char *outside = sb_asprintf("%s/outside", f.dir);
	sb_autofree char *inside = sb_asprintf("%s/x", outside + 1);

	assert_int_equal(symlinkat(outside, f.root_fd, "abs"), 0);
	assert_int_equal(symlinkat("../outside", f.root_fd, "rel"), 0);
	copy_ok(&f, (struct request){.source = "x", .dest = "/abs/"});
	copy_ok(&f, (struct request){.source = "x", .dest = "/rel/x"});
	copy_ok(&f, (struct request){.source = "d", .dest = "/rel"});
	fixture_expect(f.outside_fd, "");
	assert_int_equal(faccessat(f.root_fd, inside, F_OK, 0), 0);
	assert_int_equal(faccessat(f.root_fd, "outside/x", F_OK, 0), 0);
	assert_int_equal(faccessat(f.root_fd, "outside/y", F_OK, 0), 0);
	fixture_release(&f);
}

static void sockets_are_left_out_with_one_warning(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nf d/x 644 1\n");
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_un at = {.sun_family = AF_UNIX};
		const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/source/d/s%u", f.dir, i);
		assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
		close(fd);
	}
	assert_int_equal(
		copy(&f, (struct request){.source = "d", .dest = "/x"}, &warnings, &err), 0);
	fixture_expect(f.root_fd, "d x 755\nf x/x 644 1\n");
	assert_int_equal(warnings.len, 1);
	assert_string_equal(warnings.items[0], "sockets are not copied: 'd/s0' and 1 more");
	fixture_release(&f);
}

/* Root reads everything; without these two it is a user like others. */
static void set_dac_capabilities(cap_flag_value_t value)
{
	static const cap_value_t dac[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH};
	cap_t caps = cap_get_proc();

	assert_non_null(caps);
	if (geteuid() == 0) {
		assert_int_equal(cap_set_flag(caps, CAP_EFFECTIVE, 2, dac, value), 0);
		assert_int_equal(cap_set_proc(caps), 0);
	}
	(void)cap_free(caps);
}

static void an_unreadable_file_is_named_with_a_hint(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d d 755\nf d/x 0 1\n");
	set_dac_capabilities(CAP_CLEAR);

	const int rc = copy(&f, (struct request){.source = "d", .dest = "/x"}, NULL, &err);

	set_dac_capabilities(CAP_SET);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, SB_E_DENIED);
	assert_non_null(strstr(err.message, "'d/x'"));
	assert_non_null(err.hint);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_kept_to_the_nanosecond),
		cmocka_unit_test(owners_of_the_context_become_root),
		cmocka_unit_test(owners_of_a_stage_are_kept),
		cmocka_unit_test(chown_is_for_all_that_is_made),
		cmocka_unit_test(chown_takes_names_of_the_destination),
		cmocka_unit_test(a_single_id_records_owners_and_forgets_them),
		cmocka_unit_test(a_record_in_the_context_is_not_believed),
		cmocka_unit_test(attributes_are_kept_but_for_the_overlays),
		cmocka_unit_test(hard_links_stay_together),
		cmocka_unit_test(holes_and_large_contents_are_kept),
		cmocka_unit_test(a_deep_tree_needs_few_descriptors),
		cmocka_unit_test(a_deep_tree_of_ignored_folders_needs_few_too),
		cmocka_unit_test(a_link_out_of_the_destination_stays_inside),
		cmocka_unit_test(sockets_are_left_out_with_one_warning),
		cmocka_unit_test(an_unreadable_file_is_named_with_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
