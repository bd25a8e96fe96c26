/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"
#include "sys/stat_cache.h"

enum { MAX = 1 << 20 };

struct folder {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	static struct folder folder;

	(void)snprintf(folder.path, sizeof(folder.path), "/tmp/sb-unit-XXXXXX");
	assert_non_null(mkdtemp(folder.path));
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder.fd >= 0);
	*state = &folder;
	return 0;
}

static int teardown(void **state)
{
	const struct folder *folder = *state;

	(void)unlinkat(folder->fd, "files", 0);
	close(folder->fd);
	return rmdir(folder->path);
}

/* A file that was last changed `age` seconds ago. */
static struct stat file_of(ino_t ino, off_t size, time_t age)
{
	const time_t then = time(NULL) - age;

	return (struct stat){.st_dev = 1,
		.st_ino = ino,
		.st_size = size,
		.st_mtim = {.tv_sec = then},
		.st_ctim = {.tv_sec = then, .tv_nsec = 5}};
}

static void save(const struct folder *folder, struct sb_stat_cache *cache, size_t cut, int flip)
{
	SB_AUTO_BUF bytes = SB_BUF_INIT(MAX);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd =
		openat(folder->fd, "files", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool is_changed = false;

	assert_int_equal(sb_stat_cache_write(cache, &is_changed, &bytes, &err), 0);
	assert_true(is_changed);
	if (flip >= 0)
		bytes.data[flip] ^= 1;
	assert_int_equal(sb_fd_write_all(fd, bytes.data, bytes.len - cut, &err), 0);
}

static struct sb_stat_cache *reopened(const struct folder *folder)
{
	struct sb_stat_cache *cache = NULL;

	sb_stat_cache_open(folder->fd, "files", &cache);
	return cache;
}

static void a_file_is_known_while_its_times_and_size_stay(void **state)
{
	SB_AUTO(sb_stat_cache) first = reopened(*state);
	struct sb_digest a;
	struct sb_digest b;
	struct sb_digest got;
	const struct stat file = file_of(10, 3, 100);
	const struct stat other = file_of(5, 3, 100);

	sb_digest_of("a", 1, &a);
	sb_digest_of("b", 1, &b);
	sb_stat_cache_put(first, &file, &a);
	sb_stat_cache_put(first, &other, &b);
	save(*state, first, 0, -1);

	SB_AUTO(sb_stat_cache) second = reopened(*state);

	assert_true(sb_stat_cache_get(second, &file, &got));
	assert_string_equal(got.text, a.text);
	assert_true(sb_stat_cache_get(second, &other, &got));
	assert_string_equal(got.text, b.text);

	struct stat changed = file;

	changed.st_size++;
	assert_false(sb_stat_cache_get(second, &changed, &got));
	changed = file;
	changed.st_mtim.tv_nsec++;
	assert_false(sb_stat_cache_get(second, &changed, &got));
	changed = file;
	changed.st_ctim.tv_nsec++;
	assert_false(sb_stat_cache_get(second, &changed, &got));
	changed = file;
	changed.st_dev++;
	assert_false(sb_stat_cache_get(second, &changed, &got));
}

static void what_changed_just_now_is_not_remembered(void **state)
{
	SB_AUTO(sb_stat_cache) cache = reopened(*state);
	SB_AUTO_BUF bytes = SB_BUF_INIT(MAX);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_digest a;
	struct stat file = file_of(1, 1, 0);
	bool is_changed = true;

	sb_digest_of("a", 1, &a);
	sb_stat_cache_put(cache, &file, &a);
	file = file_of(2, 1, -50);
	sb_stat_cache_put(cache, &file, &a);
	file = file_of(3, 1, 100);
	file.st_ctim.tv_sec = time(NULL);
	sb_stat_cache_put(cache, &file, &a);
	assert_int_equal(sb_stat_cache_write(cache, &is_changed, &bytes, &err), 0);
	assert_false(is_changed);
}

static void a_newer_content_takes_the_older_ones_place(void **state)
{
	SB_AUTO(sb_stat_cache) first = reopened(*state);
	struct sb_digest a;
	struct sb_digest b;
	struct sb_digest got;
	const struct stat before = file_of(1, 1, 100);
	const struct stat after = file_of(1, 2, 50);

	sb_digest_of("a", 1, &a);
	sb_digest_of("b", 1, &b);
	sb_stat_cache_put(first, &before, &a);
	save(*state, first, 0, -1);

	SB_AUTO(sb_stat_cache) second = reopened(*state);

	sb_stat_cache_put(second, &after, &b);
	save(*state, second, 0, -1);

	SB_AUTO(sb_stat_cache) third = reopened(*state);

	assert_false(sb_stat_cache_get(third, &before, &got));
	assert_true(sb_stat_cache_get(third, &after, &got));
	assert_string_equal(got.text, b.text);
}

static void a_broken_file_is_an_empty_one(void **state)
{
	const struct stat file = file_of(1, 1, 100);
	struct sb_digest a;
	struct sb_digest got;

	sb_digest_of("a", 1, &a);
	for (int i = 0; i < 200; i += 7) {
		SB_AUTO(sb_stat_cache) first = reopened(*state);

		sb_stat_cache_put(first, &file, &a);
		save(*state, first, i == 0 ? 1 : 0, i == 0 ? -1 : i < 192 ? i : 191);

		SB_AUTO(sb_stat_cache) second = reopened(*state);

		assert_false(sb_stat_cache_get(second, &file, &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_file_is_known_while_its_times_and_size_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_changed_just_now_is_not_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_newer_content_takes_the_older_ones_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_file_is_an_empty_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
