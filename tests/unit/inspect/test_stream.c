/* SPDX-License-Identifier: MIT */
#include "../base/unit.h"

#include "base/digest.h"
#include "inspect/layer_stream.h"
#include "inspect/tar_reader.h"
#include "leak/scan.h"
#include "tar_fixture.h"

enum { N_FILES = 40 };

/* Files whose ends and lengths stand anywhere in a block; together larger than all first pieces. */
static struct fixture many_files(int filter, struct sb_digest digests[N_FILES])
{
	struct fixture_entry entries[N_FILES + 1] = {0};
	char *contents[N_FILES];
	char paths[N_FILES][16];
	uint32_t seed = 3;

	for (size_t i = 0; i < N_FILES; i++) {
		const size_t len = i * i * i * 8 + i + 1;

		contents[i] = sb_malloc(len);
		for (size_t k = 0; k < len; k++) {
			seed = seed * 1664525 + 1013904223;
			contents[i][k] = (char)(seed >> 24);
		}
		(void)snprintf(paths[i], sizeof(paths[i]), "file%zu", i);
		entries[i] = (struct fixture_entry){
			.kind = 'f', .path = paths[i], .size = len, .content = contents[i]};
		sb_digest_of(contents[i], len, &digests[i]);
	}

	const struct fixture tar = fixture_tar(entries, filter);

	for (size_t i = 0; i < N_FILES; i++)
		free(contents[i]);
	return tar;
}

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	return sb_layer_stream_next(self, out_bytes, err);
}

struct opened {
	struct sb_scanner *scanner;
	struct sb_search search;
	struct sb_layer_stream *stream;
};

static void open_stream(struct opened *opened, const struct sb_byte_source *source,
	const struct sb_layer_stream_options *options)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	*opened = (struct opened){.scanner = sb_scanner_new(NULL)};
	assert_int_equal(sb_layer_stream_open_with(options, source, &opened->search,
				 opened->scanner, &opened->stream, &err),
		0);
}

static void close_stream(struct opened *opened)
{
	sb_layer_stream_free(opened->stream);
	sb_search_release(&opened->search);
	sb_scanner_free(opened->scanner);
}

static void check_files(
	struct sb_layer_stream *stream, const struct sb_digest digests[N_FILES], bool is_asked)
{
	const struct sb_tar_source pieces = {next_piece, stream};
	SB_AUTO(sb_tar_reader) tar = sb_tar_reader_new(&pieces);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_tar_entry *entry = NULL;
	struct sb_tar_region padding;
	struct sb_digest digest;

	for (size_t i = 0; i < N_FILES; i++) {
		const void *bytes = NULL;
		uint64_t at = 0;
		ssize_t n = 0;

		assert_int_equal(sb_tar_reader_next(tar, &entry, &err), 0);
		assert_non_null(entry);

		const uint64_t offset = sb_tar_reader_offset(tar);

		while ((n = sb_tar_reader_data(tar, &bytes, &at, &err)) > 0)
			;
		assert_int_equal(n, 0);
		if (is_asked || i % 3 == 0) {
			sb_layer_stream_content_digest(stream, offset, &digest);
			assert_string_equal(digest.text, digests[i].text);
		}
		assert_int_equal(sb_tar_reader_padding(tar, &padding, &err), 0);
	}
	assert_int_equal(sb_tar_reader_next(tar, &entry, &err), 0);
	assert_null(entry);
}

static void all_sums_are_right_however_the_work_is_shared(void **state)
{
	static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP};
	static const size_t sizes[] = {0, 300, 4096, 100000, 64 << 20};

	(void)state;
	for (size_t i = 0; i < N_OF(filters); i++) {
		struct sb_digest digests[N_FILES];
		struct fixture plain = many_files(ARCHIVE_FILTER_NONE, digests);
		struct fixture packed = many_files(filters[i], digests);
		const struct sb_byte_source source = {fixture_read, &packed};
		struct sb_digest diff_id;
		struct sb_digest digest;

		sb_digest_of(plain.bytes, plain.len, &diff_id);
		sb_digest_of(packed.bytes, packed.len, &digest);
		for (size_t k = 0; k < 4 * N_OF(sizes); k++) {
			const struct sb_layer_stream_options options = {
				.piece_bytes = sizes[k / 4], .hashes_apart = (k & 1) != 0};
			struct opened opened;
			struct sb_layer_sums sums = {0};
			SB_AUTO_ERROR err = SB_ERROR_INIT;

			packed.at = 0;
			open_stream(&opened, &source, &options);
			check_files(opened.stream, digests, (k & 2) == 0);
			assert_int_equal(sb_layer_stream_finish(opened.stream, &sums, &err), 0);
			assert_string_equal(sums.diff_id.text, diff_id.text);
			assert_string_equal(sums.digest.text, digest.text);
			assert_int_equal(sums.tar_bytes, plain.len);
			assert_int_equal(sums.blob_bytes, packed.len);
			close_stream(&opened);
		}
		free(plain.bytes);
		free(packed.bytes);
	}
}

/* Its threads end, wherever they stand. */
static void a_stream_may_be_left_at_any_piece(void **state)
{
	struct sb_digest digests[N_FILES];
	struct fixture tar = many_files(ARCHIVE_FILTER_GZIP, digests);
	const struct sb_byte_source source = {fixture_read, &tar};

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		const struct sb_layer_stream_options options = {
			.piece_bytes = 10000, .hashes_apart = (i & 1) != 0};
		struct opened opened;
		const void *bytes = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		tar.at = 0;
		open_stream(&opened, &source, &options);
		for (size_t k = 0; k < i; k++)
			assert_true(sb_layer_stream_next(opened.stream, &bytes, &err) > 0);
		close_stream(&opened);
	}
	free(tar.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sums_are_right_however_the_work_is_shared),
		cmocka_unit_test(a_stream_may_be_left_at_any_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
