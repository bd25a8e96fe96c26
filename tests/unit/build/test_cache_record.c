/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "build/cache_record.h"

static void example(struct sb_cache_record *out)
{
	*out = (struct sb_cache_record){.tar_bytes = 1536,
		.created = sb_strdup("2026-01-02T03:04:05.000000006Z"),
		.text = sb_strdup("RUN make check ")};
	sb_digest_of("key", 3, &out->key);
	sb_digest_of("diff", 4, &out->diff_id);
	sb_digest_of("state", 5, &out->state);
	*SB_ARRAY_ADD(&out->blobs) = (struct sb_cached_blob){
		.compression = SB_COMPRESS_GZIP, .digest = out->key, .size_bytes = UINT64_MAX};
	*SB_ARRAY_ADD(&out->blobs) = (struct sb_cached_blob){
		.compression = SB_COMPRESS_ZSTD, .level = 19, .digest = out->state};
}

static void a_record_is_read_as_it_was_written(void **state)
{
	SB_AUTO_VALUE(sb_cache_record) in = {0};
	SB_AUTO_VALUE(sb_cache_record) out = {0};
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_CACHE_RECORD);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	example(&in);
	assert_int_equal(sb_cache_record_format(&in, &bytes, &err), 0);
	assert_int_equal(sb_cache_record_parse(bytes.data, bytes.len, &out, &err), 0);
	assert_string_equal(out.key.text, in.key.text);
	assert_string_equal(out.diff_id.text, in.diff_id.text);
	assert_string_equal(out.state.text, in.state.text);
	assert_string_equal(out.created, in.created);
	assert_string_equal(out.text, in.text);
	assert_int_equal(out.tar_bytes, in.tar_bytes);
	assert_false(sb_digest_is_set(&out.content));
	assert_null(sb_cache_record_blob(&out, SB_COMPRESS_GZIP, 9));
	assert_null(sb_cache_record_blob(&out, SB_COMPRESS_NONE, 0));
	assert_string_equal(
		sb_cache_record_blob(&out, SB_COMPRESS_ZSTD, 19)->digest.text, in.state.text);
	assert_true(sb_cache_record_blob(&out, SB_COMPRESS_GZIP, 0)->size_bytes == UINT64_MAX);
}

static void a_cut_or_changed_record_is_none(void **state)
{
	SB_AUTO_VALUE(sb_cache_record) in = {0};
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_CACHE_RECORD);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	(void)state;
	example(&in);
	assert_int_equal(sb_cache_record_format(&in, &bytes, &failed), 0);
	for (size_t i = 0; i < bytes.len; i++) {
		SB_AUTO_VALUE(sb_cache_record) cut = {0};
		SB_AUTO_VALUE(sb_cache_record) flipped = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_cache_record_parse(bytes.data, i, &cut, &err), -1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
		for (int bit = 0; bit < 8; bit++) {
			SB_AUTO_ERROR err3 = SB_ERROR_INIT;

			bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
			assert_int_equal(
				sb_cache_record_parse(bytes.data, bytes.len, &flipped, &err3), -1);
			bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
		}
	}
}

static void what_an_image_brings_is_a_record_of_its_own(void **state)
{
	SB_AUTO_VALUE(sb_cache_record) in = {0};
	SB_AUTO_VALUE(sb_cache_record) out = {0};
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_CACHE_RECORD);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_digest_of("key", 3, &in.key);
	sb_digest_of("content", 7, &in.content);
	assert_int_equal(sb_cache_record_format(&in, &bytes, &err), 0);
	assert_int_equal(sb_cache_record_parse(bytes.data, bytes.len, &out, &err), 0);
	assert_string_equal(out.content.text, in.content.text);
	assert_false(sb_digest_is_set(&out.diff_id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_as_it_was_written),
		cmocka_unit_test(a_cut_or_changed_record_is_none),
		cmocka_unit_test(what_an_image_brings_is_a_record_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
