/* SPDX-License-Identifier: MIT */
#include "build/copy_content.h"

#include <signal.h>

#include "sys/fd.h"

#include "tree_fixture.h"

enum { LEN = 1 << 20 };

/* A new file of that many bytes, or, with a hole, of which only the last was written. */
static int new_file(const struct fixture *f, const char *name, bool is_hole)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const int fd = openat(f->source_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	sb_autofree char *bytes = sb_malloc(LEN);

	assert_true(fd >= 0);
	memset(bytes, 'x', LEN);
	if (is_hole)
		assert_int_equal(pwrite(fd, "x", 1, LEN - 1), 1);
	else
		assert_int_equal(sb_fd_write_all(fd, bytes, LEN, &err), 0);
	return fd;
}

/* By every way that there is to copy, but for shared extents, which take no time. */
static void one_file_ends_where_a_signal_came(void **state)
{
	static const struct {
		bool no_range;
		bool is_hole;
	} ways[] = {{false, false}, {true, false}, {false, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct fixture f;
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO(sb_interrupt) interrupt = NULL;
		struct stat st;

		fixture_init(&f);

		sb_autofd int from = new_file(&f, "from", ways[i].is_hole);
		sb_autofd int to =
			openat(f.source_fd, "to", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

		assert_int_equal(sb_interrupt_new(&interrupt, &err), 0);

		struct sb_content_copier copier = {
			.no_clone = true, .no_range = ways[i].no_range, .interrupt = interrupt};

		assert_int_equal(fstat(from, &st), 0);
		assert_int_equal(raise(SIGINT), 0);
		assert_int_equal(sb_content_copy(&copier, from, &st, to, &err), -1);
		assert_int_equal(err.code, SB_E_CANCELLED);
		sb_content_copier_release(&copier);
		fixture_release(&f);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file_ends_where_a_signal_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
