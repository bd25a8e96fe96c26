/* SPDX-License-Identifier: MIT */
#include "sys/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "tarball.h"

#include "base/mem.h"
#include "layer/apply.h"
#include "layer/compare.h"
#include "layer/diff.h"
#include "layer/write.h"
#include "sys/fd.h"

enum { BIG = 8 << 20 };

static struct sb_interrupt *new_interrupt(void)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_interrupt *interrupt = NULL;

	assert_int_equal(sb_interrupt_new(&interrupt, &err), 0);
	return interrupt;
}

/* The same file of zeros on both sides. */
static void make_big_files(const struct fixture *fixture)
{
	const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	const int dirs[] = {fixture->lower_fd, fixture->upper_fd};

	fixture_run(fixture, fixture->lower_fd, "f big x");
	fixture_run(fixture, fixture->upper_fd, "f big x");
	for (size_t i = 0; i < 2; i++) {
		sb_autofd int fd = openat(dirs[i], "big", O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, BIG), 0);
		assert_int_equal(futimens(fd, times), 0);
	}
}

static void a_diff_ends(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_interrupt) interrupt = new_interrupt();
	struct fixture *fixture = fixture_new(0);
	const struct sb_diff_options options = {.lower_fd = fixture->lower_fd,
		.upper_fd = fixture->upper_fd,
		.ids = fixture->ids,
		.interrupt = interrupt};
	struct sb_changes changes = {0};

	(void)state;
	fixture_run(fixture, fixture->upper_fd, "f a 1\nd b\nf b/c 2");
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(sb_diff(&options, &changes, NULL, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	fixture_free(fixture);
}

static void comparing_two_files_ends(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_interrupt) interrupt = new_interrupt();
	struct fixture *fixture = fixture_new(0);
	struct sb_notes notes = {0};
	struct sb_entry upper = {0};
	struct sb_entry lower = {0};
	bool exists = false;
	bool is_equal = false;

	(void)state;
	make_big_files(fixture);
	assert_int_equal(sb_entry_read(fixture->upper_fd, "big", "big", &fixture->ids, &notes,
				 &upper, &exists, &err),
		0);
	assert_int_equal(sb_entry_read(fixture->lower_fd, "big", "big", &fixture->ids, &notes,
				 &lower, &exists, &err),
		0);

	const struct sb_compared a = {fixture->upper_fd, &upper};
	const struct sb_compared b = {fixture->lower_fd, &lower};

	assert_int_equal(sb_entry_equal("big", a, b, interrupt, &is_equal, &err), 0);
	assert_true(is_equal);
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(sb_entry_equal("big", a, b, interrupt, &is_equal, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	sb_entry_release(&upper);
	sb_entry_release(&lower);
	fixture_free(fixture);
}

/* In the middle: what the other threads have taken by then is dropped, and they end. */
static void writing_a_layer_ends_in_every_compression(void **state)
{
	static const enum sb_compression forms[] = {
		SB_COMPRESS_GZIP, SB_COMPRESS_ZSTD, SB_COMPRESS_NONE};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO(sb_interrupt) interrupt = new_interrupt();
		struct fixture *fixture = fixture_new(0);
		struct sb_changes changes = {0};
		struct sb_layer_blob blob = {0};
		sb_autofd int out = -1;

		make_big_files(fixture);
		assert_int_equal(sb_diff(&(struct sb_diff_options){.lower_fd = -1,
						 .upper_fd = fixture->upper_fd,
						 .ids = fixture->ids},
					 &changes, NULL, &err),
			0);
		assert_int_equal(sb_fd_memory("layer", &out, &err), 0);
		assert_int_equal(raise(SIGTERM), 0);
		assert_int_equal(
			sb_layer_write(&changes,
				&(struct sb_layer_write_options){.upper_fd = fixture->upper_fd,
					.out_fd = out,
					.compression = forms[i],
					.source_date_epoch = -1,
					.interrupt = interrupt},
				&blob, &err),
			-1);
		assert_int_equal(err.code, SB_E_CANCELLED);
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

/* A reader that raises the signal when a part of its bytes was read. */
struct raising {
	struct bytes_reader bytes;
	size_t raise_at;
};

static ssize_t read_and_raise(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct raising *raising = self;
	const struct sb_reader reader = bytes_reader(&raising->bytes);
	const bool was_before = raising->bytes.given < raising->raise_at;
	const ssize_t n = reader.read(reader.self, bytes, len, err);

	if (was_before && raising->bytes.given >= raising->raise_at)
		assert_int_equal(raise(SIGINT), 0);
	return n;
}

/* A few bytes that unpack to many: the input alone would be too seldom looked at. */
static void unpacking_ends_within_one_piece_of_input(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_interrupt) interrupt = new_interrupt();
	SB_AUTO_BUF packed = SB_BUF_INIT(1 << 20);
	SB_AUTO_BUF tar = SB_BUF_INIT(BIG + (1 << 20));
	SB_AUTO(sb_compressor) zstd = NULL;
	struct fixture *fixture = fixture_new(0);
	sb_autofree char *text = sb_malloc(BIG + 1);
	struct sb_applied applied;

	(void)state;
	memset(text, 'x', BIG);
	text[BIG] = '\0';
	tarball_add(&tar, &(struct tar_entry){"big", '0', text});
	tarball_end(&tar);
	assert_int_equal(sb_compressor_new(SB_COMPRESS_ZSTD, 0, buf_sink, &packed, &zstd, &err), 0);
	assert_int_equal(sb_compressor_write(zstd, tar.data, tar.len, &err), 0);
	assert_int_equal(sb_compressor_finish(zstd, &err), 0);
	assert_true(packed.len < 16 << 10);

	struct raising raising = {
		.bytes = {.bytes = packed.data, .len = packed.len, .piece = packed.len},
		.raise_at = 1};
	const struct sb_reader from = {
		.read = read_and_raise, .self = &raising, .interrupt = interrupt};
	const struct sb_apply_options options = {.ids = fixture->ids};

	assert_int_equal(
		sb_layer_apply(from, fixture->upper_fd, &options, &applied, NULL, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	fixture_free(fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_diff_ends),
		cmocka_unit_test(comparing_two_files_ends),
		cmocka_unit_test(writing_a_layer_ends_in_every_compression),
		cmocka_unit_test(unpacking_ends_within_one_piece_of_input),
	};

	fixture_enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
