/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include <time.h>

#include "build/cache_mountpoints.h"
#include "build/cache_search.h"
#include "build/copy.h"

#define SECRET "s3cr3t-of-the-build"

static const struct timespec long_ago = {.tv_sec = 0};

static int search(struct fixture *f, const struct timespec *since, struct sb_error *err)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO(sb_scanner) scanner = NULL;
	SB_AUTO(sb_content_search) contents = NULL;

	assert_int_equal(sb_secrets_add_bytes(secrets, "id", SECRET, strlen(SECRET), err), 0);
	scanner = sb_scanner_new(secrets);
	contents = sb_content_search_new(scanner);
	return sb_cache_search(f->root_fd, "/cache", since, contents, err);
}

static void what_holds_a_secret_is_removed_and_told(void **state)
{
	static const struct {
		const char *tree;
		const char *message;
		const char *left;
	} rows[] = {
		{"f a 644 " SECRET "\n", "/cache/a (raw", ""},
		{"d d 755\nf d/a 644 x" SECRET "y\nf d/b 644 fine\n", "/cache/d/a",
			"d d 755\nf d/b 644 fine\n"},
		{"f a 644 " SECRET "\nf b 644 " SECRET "\nf c 644 c\n", "/cache/a", "f c 644 c\n"},
		{"f x" SECRET " 644 1\nf b 644 2\n", "a name in /cache (raw)", "f b 644 2\n"},
		{"d " SECRET " 755\nf " SECRET "/x 644 1\n", "a name in /cache (raw)", ""},
		{"l l /" SECRET "\nf b 644 2\n", "the target of the link /cache/l (raw)",
			"f b 644 2\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct fixture f;

		fixture_init(&f);
		fixture_plant(f.root_fd, rows[i].tree);
		assert_int_equal(search(&f, &long_ago, &err), -1);
		assert_int_equal(err.code, SB_E_LEAK);
		if (strstr(err.message, rows[i].message) == NULL)
			fail_msg("'%s' does not say '%s'", err.message, rows[i].message);
		fixture_expect(f.root_fd, rows[i].left);
		fixture_release(&f);
	}
}

static void what_holds_none_stays(void **state)
{
	static const char tree[] = "f a 644 s3cr3t-of\nd d 755\np d.fifo 600\nl l a\n";
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.root_fd, tree);
	assert_int_equal(search(&f, &long_ago, &err), 0);
	fixture_expect(f.root_fd, tree);
	fixture_release(&f);
}

static void what_was_there_before_the_step_is_not_read_again(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct timespec later;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.root_fd, "f a 644 " SECRET "\n");
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &later), 0);
	later.tv_sec += 10;
	assert_int_equal(search(&f, &later, &err), 0);
	fixture_expect(f.root_fd, "f a 644 " SECRET "\n");
	fixture_release(&f);
}

static void add_mount(struct sb_step_spec *spec, const char *target)
{
	*SB_ARRAY_ADD(&spec->mounts) = (struct sb_step_mount){
		.kind = SB_STEP_MOUNT_FILE, .fd = -1, .target = sb_strdup(target)};
}

static void mount_points_in_a_cache_are_taken_away_again(void **state)
{
	__attribute__((cleanup(
		sb_cache_mountpoints_release))) struct sb_cache_mountpoints mountpoints = {0};
	__attribute__((cleanup(sb_step_spec_release))) struct sb_step_spec spec = SB_STEP_SPEC_INIT;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.root_fd, "d old 755\nf old/empty 644\n");

	int fd = fcntl(f.root_fd, F_DUPFD_CLOEXEC, 0);

	sb_cache_mountpoints_add_root(&mountpoints, &fd, "/c");
	add_mount(&spec, "/c");
	add_mount(&spec, "/c/new/deep/secret");
	add_mount(&spec, "/c/old/empty");
	add_mount(&spec, "/c/old/file");
	add_mount(&spec, "/c/used/secret");
	add_mount(&spec, "/c/written");
	add_mount(&spec, "/c/other");
	add_mount(&spec, "/c/other/below");
	add_mount(&spec, "/cc/else");
	sb_cache_mountpoints_find(&mountpoints, &spec);
	/* What the step finds, and what it does. */
	fixture_plant(f.root_fd,
		"d new 755\nd new/deep 755\nf new/deep/secret 644\nf old/file 644\n"
		"d used 755\nf used/secret 644\nf used/kept 644 1\n"
		"f written 644 text\nd other 755\nd else 755\nd below 755\n");
	sb_cache_mountpoints_remove(&mountpoints);
	fixture_expect(f.root_fd,
		"d below 755\nd else 755\nd old 755\nf old/empty 644\nd used 755\n"
		"f used/kept 644 1\nf written 644 text\n");
	fixture_release(&f);
}

static int copy_past(struct fixture *f, const char *source, const struct stat *store,
	struct sb_strv *warnings, struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;

	sb_strv_add(&sources, source);

	const struct sb_copy copy = {.source_fd = f->source_fd,
		.source_is_context = true,
		.store = store,
		.root_fd = f->root_fd,
		.ids = {.uid_base = getuid(), .gid_base = getgid(), .uid_count = 1, .gid_count = 1},
		.sources = &sources,
		.dest = "/",
		.workdir = "/",
		.warnings = warnings};

	return sb_copy_files(&copy, err);
}

static void the_store_is_not_copied_from_a_context_that_holds_it(void **state)
{
	static const char tree[] = "f a 644 1\nd b 755\nd b/store 755\nf b/store/blob 644 2\n";
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct fixture f;
	struct stat store;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, tree);
	assert_int_equal(fstatat(f.source_fd, "b/store", &store, 0), 0);
	assert_int_equal(copy_past(&f, ".", &store, &warnings, &err), 0);
	fixture_expect(f.root_fd, "f a 644 1\nd b 755\n");
	assert_int_equal(warnings.len, 1);
	assert_non_null(strstr(warnings.items[0], "'b/store'"));
	assert_int_equal(copy_past(&f, "b/store/blob", &store, &warnings, &err), -1);
	assert_int_equal(err.code, SB_E_USAGE);
	assert_non_null(strstr(err.message, "'b/store/blob' belongs to the store"));
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_a_secret_is_removed_and_told),
		cmocka_unit_test(what_holds_none_stays),
		cmocka_unit_test(what_was_there_before_the_step_is_not_read_again),
		cmocka_unit_test(mount_points_in_a_cache_are_taken_away_again),
		cmocka_unit_test(the_store_is_not_copied_from_a_context_that_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
