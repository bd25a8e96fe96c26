/* SPDX-License-Identifier: MIT */
#include "../base/unit.h"

#include "inspect/content_sums.h"
#include "tar_fixture.h"

/* The archive, a few bytes at a time. */
static ssize_t next_bytes(void *self, const void **out_bytes, struct sb_error *err)
{
	enum { STEP = 700 };
	struct fixture *tar = self;
	const size_t left = tar->len - tar->at;
	const size_t n = left < STEP ? left : STEP;

	(void)err;
	*out_bytes = tar->bytes + tar->at;
	tar->at += n;
	return (ssize_t)n;
}

/* What a reader of the tar is told of its files, one after the other. */
static void check_sums(struct sb_content_sums *sums, struct fixture *tar,
	const struct sb_digest *wanted, size_t n_wanted)
{
	const struct sb_tar_source source = {next_bytes, tar};
	SB_AUTO(sb_tar_reader) reader = sb_tar_reader_new(&source);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_tar_entry *entry = NULL;
	struct sb_tar_region padding;
	const void *bytes = NULL;
	uint64_t at = 0;
	size_t n = 0;

	tar->at = 0;
	while (sb_tar_reader_next(reader, &entry, &err) == 0 && entry != NULL) {
		struct sb_digest digest = {0};
		const uint64_t offset = sb_tar_reader_offset(reader);

		while (sb_tar_reader_data(reader, &bytes, &at, &err) > 0)
			;
		if (sb_tar_reader_padding(reader, &padding, &err) < 0)
			break;
		if (entry->type != '0')
			continue;
		sb_content_sums_take(sums, offset, &digest);
		assert_true(n < n_wanted);
		assert_string_equal(digest.text, wanted[n].text);
		n++;
	}
	assert_int_equal(n, n_wanted);
}

static void every_file_has_its_own(void **state)
{
	static const struct fixture_entry entries[] = {
		{.kind = 'd', .path = "folder/"},
		{.kind = 'f', .path = "folder/a", .content = "one"},
		{.kind = 'f', .path = "folder/empty"},
		{.kind = 'l', .path = "folder/link", .target = "a"},
		{.kind = 'f', .path = "folder/b", .size = 5000, .fill = 'b', .attribute = "x"},
		{0},
	};
	struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);
	const struct sb_tar_source source = {next_bytes, &tar};
	char big[5000];
	struct sb_digest wanted[3];
	struct sb_digest whole;
	struct sb_digest digest;

	(void)state;
	memset(big, 'b', sizeof(big));
	sb_digest_of("one", 3, &wanted[0]);
	sb_digest_of("", 0, &wanted[1]);
	sb_digest_of(big, sizeof(big), &wanted[2]);
	sb_digest_of(tar.bytes, tar.len, &whole);
	for (int is_alone = 0; is_alone < 2; is_alone++) {
		SB_AUTO(sb_hasher) all = sb_hasher_new();

		tar.at = 0;

		SB_AUTO(sb_content_sums) sums = sb_content_sums_new(&source, is_alone ? NULL : all);

		sb_content_sums_run(sums);
		sb_hasher_finish(all, &digest);
		if (!is_alone)
			assert_string_equal(digest.text, whole.text);
		check_sums(sums, &tar, wanted, N_OF(wanted));
	}
	free(tar.bytes);
}

/* The reader meets the damage itself; the sum of all bytes is whole. */
static void damage_ends_the_contents_alone(void **state)
{
	static const struct fixture_entry entries[] = {
		{.kind = 'f', .path = "a", .content = "one"},
		{.kind = 'f', .path = "b", .content = "two"},
		{0},
	};
	enum { SECOND_HEADER = 1024, BEHIND_NAME = 10 };
	struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);
	const struct sb_tar_source source = {next_bytes, &tar};
	SB_AUTO(sb_hasher) all = sb_hasher_new();
	struct sb_digest wanted[1];
	struct sb_digest whole;
	struct sb_digest digest;

	(void)state;
	tar.bytes[SECOND_HEADER + BEHIND_NAME] ^= 1;
	sb_digest_of("one", 3, &wanted[0]);
	sb_digest_of(tar.bytes, tar.len, &whole);

	SB_AUTO(sb_content_sums) sums = sb_content_sums_new(&source, all);

	sb_content_sums_run(sums);
	sb_hasher_finish(all, &digest);
	assert_string_equal(digest.text, whole.text);
	check_sums(sums, &tar, wanted, N_OF(wanted));
	free(tar.bytes);
}

/* A file of which only the last four bytes are stored. */
static struct fixture sparse_file(uint64_t hole)
{
	enum { ROOM = 64 << 10 };
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	struct fixture tar = {.bytes = sb_malloc(ROOM)};
	static const char zeros[1 << 20];

	(void)archive_write_set_format_pax(a);
	(void)archive_write_set_bytes_per_block(a, 512);
	(void)archive_write_open_memory(a, tar.bytes, ROOM, &tar.len);
	archive_entry_set_pathname(entry, "sparse");
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, (la_int64_t)hole + 4);
	archive_entry_sparse_add_entry(entry, (la_int64_t)hole, 4);
	(void)archive_write_header(a, entry);
	for (uint64_t left = hole; left > 0;) {
		const size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		(void)archive_write_data(a, zeros, n);
		left -= n;
	}
	(void)archive_write_data(a, "data", 4);
	archive_entry_free(entry);
	(void)archive_write_close(a);
	(void)archive_write_free(a);
	return tar;
}

static void check_sparse(uint64_t hole, const struct sb_digest *wanted)
{
	struct fixture tar = sparse_file(hole);
	const struct sb_tar_source source = {next_bytes, &tar};

	assert_true(tar.len < hole);

	SB_AUTO(sb_content_sums) sums = sb_content_sums_new(&source, NULL);

	sb_content_sums_run(sums);
	check_sums(sums, &tar, wanted, 1);
	free(tar.bytes);
}

static void holes_are_zeros(void **state)
{
	enum { HOLE = 3 << 20 };
	char *bytes = sb_malloc(HOLE + 4);
	struct sb_digest wanted;

	(void)state;
	memset(bytes, 0, HOLE);
	memcpy(bytes + HOLE, "data", 4);
	sb_digest_of(bytes, HOLE + 4, &wanted);
	check_sparse(HOLE, &wanted);
	free(bytes);
}

static void too_large_holes_have_no_digest(void **state)
{
	const struct sb_digest none = {0};

	(void)state;
	check_sparse((uint64_t)SB_MAX_HOLE_BYTES + 1, &none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_has_its_own),
		cmocka_unit_test(damage_ends_the_contents_alone),
		cmocka_unit_test(holes_are_zeros),
		cmocka_unit_test(too_large_holes_have_no_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
