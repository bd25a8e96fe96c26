/* SPDX-License-Identifier: MIT */
#include "sys/quarantine.h"

#include "temp.h"

static bool exists(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Three folders, and two holders that have some of them. */
static void plant(int at)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	temp_dir(at, "a");
	temp_file(at, "a/file", "1");
	temp_dir(at, "a/below");
	temp_file(at, "a/below/file", "2");
	temp_dir(at, "b");
	temp_file(at, "b/file", "3");
	temp_dir(at, "c");
	temp_file(at, "c/file", "4");
	temp_file(at, "a.lock", "");
	assert_int_equal(sb_quarantine_begin(at, "a", "dead", &err), 0);
	assert_int_equal(sb_quarantine_begin(at, "b", "dead", &err), 0);
	assert_int_equal(sb_quarantine_begin(at, "b", "other", &err), 0);
}

static void what_a_dead_holder_had_is_emptied_and_nothing_else(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV holders = SB_STRV_INIT;
	SB_AUTO_STRV left = SB_STRV_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);
	assert_int_equal(sb_quarantine_end(t.fd, "b", "dead", &err), 0);
	assert_int_equal(sb_quarantine_holders(t.fd, &holders, &err), 0);
	assert_int_equal(holders.len, 2);
	assert_int_equal(sb_quarantine_discard(t.fd, "dead", &err), 0);
	assert_true(exists(t.fd, "a") && !exists(t.fd, "a/file") && !exists(t.fd, "a/below"));
	assert_true(exists(t.fd, "b/file") && exists(t.fd, "c/file"));
	assert_true(exists(t.fd, "a.lock"));
	assert_int_equal(sb_quarantine_holders(t.fd, &left, &err), 0);
	assert_int_equal(left.len, 1);
	assert_string_equal(left.items[0], "other");
}

static void a_step_is_a_holder_of_its_build(void **state)
{
	sb_autofree char *holder = sb_quarantine_holder("builds/b-1-f/12");
	sb_autofree char *build = sb_quarantine_build(holder);

	(void)state;
	assert_string_equal(holder, "b-1-f+12");
	assert_string_equal(build, "b-1-f");
}

static void a_holder_that_is_not_there_is_nothing_to_do(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV holders = SB_STRV_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	assert_int_equal(sb_quarantine_discard(t.fd, "nobody", &err), 0);
	assert_int_equal(sb_quarantine_end(t.fd, "a", "nobody", &err), 0);
	/* Its folder may be gone. */
	assert_int_equal(sb_quarantine_begin(t.fd, "gone", "dead", &err), 0);
	assert_int_equal(sb_quarantine_discard(t.fd, "dead", &err), 0);
	assert_int_equal(sb_quarantine_holders(t.fd, &holders, &err), 0);
	assert_int_equal(holders.len, 0);
}

static void a_link_in_the_place_of_a_folder_is_not_followed(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "caches");
	temp_dir(t.fd, "outside");
	temp_file(t.fd, "outside/kept", "1");
	assert_int_equal(symlinkat("../outside", t.fd, "caches/a"), 0);

	sb_autofd int caches = openat(t.fd, "caches", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(sb_quarantine_begin(caches, "a", "dead", &err), 0);
	assert_int_equal(sb_quarantine_discard(caches, "dead", &err), -1);
	assert_true(exists(t.fd, "outside/kept"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_dead_holder_had_is_emptied_and_nothing_else),
		cmocka_unit_test(a_step_is_a_holder_of_its_build),
		cmocka_unit_test(a_holder_that_is_not_there_is_nothing_to_do),
		cmocka_unit_test(a_link_in_the_place_of_a_folder_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
