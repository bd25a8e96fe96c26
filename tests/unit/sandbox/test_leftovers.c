/* SPDX-License-Identifier: MIT */
#include "../sys/temp.h"

#include "base/mem.h"
#include "sandbox/leftovers.h"

/* A store with two builds, and a folder beside it that is nobody's business. */
static void plant(int at)
{
	temp_dir(at, "store");
	temp_dir(at, "store/layers");
	temp_dir(at, "store/builds");
	temp_dir(at, "store/builds/mine");
	temp_dir(at, "store/builds/mine/0");
	temp_dir(at, "store/builds/mine/0/diff");
	temp_file(at, "store/builds/mine/0/diff/secret", "s");
	temp_dir(at, "store/builds/mine/1");
	temp_file(at, "store/builds/mine.lock", "");
	temp_dir(at, "store/builds/other");
	temp_dir(at, "store/builds/other/0");
	temp_file(at, "store/builds/other.lock", "");
	temp_file(at, "store/layers/kept", "");
	temp_dir(at, "outside");
	temp_dir(at, "outside/mine");
	temp_dir(at, "outside/mine/0");
	temp_file(at, "outside/mine/0/kept", "");
	temp_file(at, "outside/mine.lock", "");
}

static void leave(int store_fd, const char *upper)
{
	struct sb_leftovers leftovers = SB_LEFTOVERS_INIT;
	const struct sb_step_spec spec = {.layers_fd = store_fd, .upper = (char *)(uintptr_t)upper};
	const size_t n_fds = temp_n_open_fds();

	sb_leftovers_remember(&leftovers, &spec);
	sb_leftovers_remember(&leftovers, &spec); /* the build's next step */
	sb_leftovers_remove(&leftovers);
	assert_int_equal(leftovers.layers_fd, -1);
	assert_null(leftovers.folder);
	sb_leftovers_remove(&leftovers); /* nothing any more */
	assert_int_equal(temp_n_open_fds(), n_fds);
}

static void a_builds_folder_and_lock_are_removed_and_no_other(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);

	sb_autofd int store = openat(t.fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	leave(store, "builds/mine/0/diff");
	assert_false(temp_has(store, "builds/mine"));
	assert_false(temp_has(store, "builds/mine.lock"));
	assert_true(temp_has(store, "builds/other/0"));
	assert_true(temp_has(store, "builds/other.lock"));
	assert_true(temp_has(store, "layers/kept"));
	leave(store, "builds/mine/0/diff"); /* gone already */
}

static void nothing_else_is_ever_removed(void **state)
{
	static const char *const uppers[] = {
		"layers/kept/0/diff",
		"layers/kept",
		"layers/mine/0/diff",
		"builds/mine",
		"builds/mine/0",
		"builds//mine",
		"builds",
		"",
		".",
		"/",
		"..",
		"/builds/mine/0/diff",
		"builds/../outside/mine/0/diff",
		"builds/../../outside/mine/0/diff",
		"builds/mine/../../../outside/x/0",
		"builds/../../outside/mine",
		"../outside/mine/0",
		"../outside/mine/0/diff",
		"buildsx/mine/0/diff",
		"builds/mine/0/diff/deeper",
		"link/mine/0/diff",
	};
	static const char *const kept[] = {"store/builds/mine/0/diff/secret", "store/builds/mine/1",
		"store/builds/mine.lock", "store/builds/other/0", "store/layers/kept",
		"outside/mine/0/kept", "outside/mine.lock"};
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);
	assert_int_equal(symlinkat("../outside", t.fd, "store/link"), 0);

	sb_autofd int store = openat(t.fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < N_OF(uppers); i++) {
		leave(store, uppers[i]);
		for (size_t j = 0; j < N_OF(kept); j++)
			if (!temp_has(t.fd, kept[j]))
				fail_msg("'%s' removed %s", uppers[i], kept[j]);
	}
}

static void a_link_in_the_place_of_a_folder_is_not_followed(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);

	sb_autofd int store = openat(t.fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* The build's folder: the link goes. */
	assert_int_equal(symlinkat("../../outside/mine", store, "builds/linked"), 0);
	leave(store, "builds/linked/0/diff");
	assert_false(temp_has(store, "builds/linked"));
	assert_true(temp_has(t.fd, "outside/mine/0/kept"));
	/* The folder of builds: nothing is done. */
	assert_int_equal(renameat(store, "builds", store, "was"), 0);
	assert_int_equal(symlinkat("../outside", store, "builds"), 0);
	leave(store, "builds/mine/0/diff");
	assert_true(temp_has(t.fd, "outside/mine/0/kept"));
	assert_true(temp_has(t.fd, "outside/mine.lock"));
}

static void what_was_forgotten_stays(void **state)
{
	struct sb_leftovers leftovers = SB_LEFTOVERS_INIT;
	struct sb_step_spec spec = {.upper = (char *)(uintptr_t) "builds/mine/0/diff"};
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);
	sb_leftovers_remove(&leftovers); /* none was remembered */

	sb_autofd int store = openat(t.fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	spec.layers_fd = store;
	sb_leftovers_remember(&leftovers, &spec);
	sb_leftovers_forget(&leftovers);
	sb_leftovers_remove(&leftovers);
	/* A store that can't be kept open is not remembered either. */
	spec.layers_fd = -1;
	sb_leftovers_remember(&leftovers, &spec);
	sb_leftovers_remove(&leftovers);
	assert_true(temp_has(store, "builds/mine/0/diff/secret"));
	assert_true(temp_has(store, "builds/mine.lock"));
}

static void the_lock_stays_while_the_folder_can_not_be_removed(void **state)
{
	struct sb_leftovers leftovers = SB_LEFTOVERS_INIT;
	struct sb_step_spec spec = {.upper = (char *)(uintptr_t) "builds/mine/0/diff"};
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd);

	const uid_t user = geteuid();
	sb_autofd int store = openat(t.fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fchmodat(store, "builds", 0500, 0), 0);
	spec.layers_fd = store;
	sb_leftovers_remember(&leftovers, &spec);
	/* Root may remove anything. */
	assert_int_equal(user == 0 ? seteuid(65534) : 0, 0);
	sb_leftovers_remove(&leftovers);
	assert_int_equal(seteuid(user), 0);
	assert_true(temp_has(store, "builds/mine.lock"));
	assert_int_equal(fchmodat(store, "builds", 0700, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_builds_folder_and_lock_are_removed_and_no_other),
		cmocka_unit_test(nothing_else_is_ever_removed),
		cmocka_unit_test(a_link_in_the_place_of_a_folder_is_not_followed),
		cmocka_unit_test(what_was_forgotten_stays),
		cmocka_unit_test(the_lock_stays_while_the_folder_can_not_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
