/* SPDX-License-Identifier: MIT */
#include "layer/compress.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>
#include <zstd.h>

#include "fixture.h"
#include "tarball.h"

#include "base/mem.h"

enum { MIB = 1 << 20, MAX_OUT = 64 << 20 };

/* Bytes that compress, and of which no two MiB are alike. */
static char *make_bytes(size_t len)
{
	char *bytes = sb_malloc(len + 1);
	uint32_t random = 1;

	for (size_t i = 0; i < len; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (char)('a' + (random >> 24) % 16);
	}
	return bytes;
}

static void compress(enum sb_compression form, int level, const char *bytes, size_t len,
	size_t piece, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_compressor) c = NULL;

	assert_int_equal(sb_compressor_new(form, level, buf_sink, out, &c, &err), 0);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(sb_compressor_write(
					 c, bytes + at, piece < len - at ? piece : len - at, &err),
			0);
	assert_int_equal(sb_compressor_finish(c, &err), 0);
}

/* Undoes a chain of gzip members; gives their number. */
static size_t check_gzip(const struct sb_buf *gz, const char *bytes, size_t len)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	sb_autofree char *out = sb_malloc(2 * MIB);
	size_t at = 0;
	size_t got = 0;
	size_t n = 0;

	while (at < gz->len) {
		size_t in_len = 0;
		size_t out_len = 0;

		assert_int_equal(libdeflate_gzip_decompress_ex(d, gz->data + at, gz->len - at, out,
					 2 * MIB, &in_len, &out_len),
			LIBDEFLATE_SUCCESS);
		assert_true(out_len <= len - got);
		assert_memory_equal(out, bytes + got, out_len);
		/* No time, no name: RFC 1952, 2.3. */
		assert_memory_equal(gz->data + at, "\x1f\x8b\x08\0\0\0\0\0", 8);
		at += in_len;
		got += out_len;
		n++;
	}
	libdeflate_free_decompressor(d);
	assert_int_equal(got, len);
	return n;
}

static void gzip_comes_back_in_one_member_a_mib(void **state)
{
	static const struct {
		size_t len;
		size_t members;
	} table[] = {{0, 1}, {1, 1}, {MIB - 1, 1}, {MIB, 1}, {MIB + 1, 2}, {5 * MIB, 5},
		{40 * MIB / 2 + 7, 21}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		sb_autofree char *bytes = make_bytes(table[i].len);
		SB_AUTO_BUF out = SB_BUF_INIT(MAX_OUT);

		compress(SB_COMPRESS_GZIP, 1, bytes, table[i].len, 100000, &out);
		assert_int_equal(check_gzip(&out, bytes, table[i].len), table[i].members);
	}
}

static void zstd_comes_back(void **state)
{
	static const size_t lens[] = {0, 1, MIB, 9 * MIB + 3};

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		sb_autofree char *bytes = make_bytes(lens[i]);
		sb_autofree char *back = sb_malloc(lens[i] + 1);
		SB_AUTO_BUF out = SB_BUF_INIT(MAX_OUT);

		compress(SB_COMPRESS_ZSTD, 0, bytes, lens[i], 70000, &out);
		assert_int_equal(ZSTD_decompress(back, lens[i], out.data, out.len), lens[i]);
		assert_memory_equal(back, bytes, lens[i]);
	}
}

static void uncompressed_is_the_same_bytes(void **state)
{
	SB_AUTO_BUF out = SB_BUF_INIT(MAX_OUT);

	(void)state;
	compress(SB_COMPRESS_NONE, 0, "hello, world", 12, 5, &out);
	assert_string_equal(out.data, "hello, world");
}

/* What is written in which pieces, and on how many processors, makes no difference. */
static void output_depends_on_the_input_alone(void **state)
{
	static const enum sb_compression forms[] = {SB_COMPRESS_GZIP, SB_COMPRESS_ZSTD};
	const size_t len = 9 * MIB + 12345;
	sb_autofree char *bytes = make_bytes(len);
	cpu_set_t all;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_BUF first = SB_BUF_INIT(MAX_OUT);
		SB_AUTO_BUF second = SB_BUF_INIT(MAX_OUT);
		cpu_set_t one;
		size_t cpu = 0;

		compress(forms[i], 0, bytes, len, len, &first);
		while (!CPU_ISSET(cpu, &all))
			cpu++;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
		compress(forms[i], 0, bytes, len, 4097, &second);
		assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
		assert_int_equal(first.len, second.len);
		assert_memory_equal(first.data, second.data, first.len);
	}
}

static void levels_outside_the_range_are_refused(void **state)
{
	static const struct {
		enum sb_compression form;
		int level;
	} table[] = {{SB_COMPRESS_GZIP, -1}, {SB_COMPRESS_GZIP, 13}, {SB_COMPRESS_ZSTD, -1},
		{SB_COMPRESS_ZSTD, 1000}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct sb_compressor *c = NULL;

		assert_int_equal(
			sb_compressor_new(table[i].form, table[i].level, buf_sink, NULL, &c, &err),
			-1);
		assert_int_equal(err.code, SB_E_USAGE);
	}
}

static int failing_sink(void *self, const void *bytes, size_t len, struct sb_error *err)
{
	(void)self;
	(void)bytes;
	(void)len;
	return sb_fail(err, SB_E_SYSTEM, "no space");
}

static void an_error_of_the_sink_ends_the_work(void **state)
{
	static const enum sb_compression forms[] = {
		SB_COMPRESS_GZIP, SB_COMPRESS_ZSTD, SB_COMPRESS_NONE};
	const size_t len = 30 * MIB;
	sb_autofree char *bytes = make_bytes(len);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO(sb_compressor) c = NULL;
		int result = 0;

		assert_int_equal(sb_compressor_new(forms[i], 1, failing_sink, NULL, &c, &err), 0);
		result = sb_compressor_write(c, bytes, len, &err);
		if (result == 0)
			result = sb_compressor_finish(c, &err);
		assert_int_equal(result, -1);
		assert_string_equal(err.message, "no space");
	}
}

static void names_and_media_types(void **state)
{
	static const struct {
		const char *name;
		enum sb_compression form;
		const char *type;
	} table[] = {
		{"gzip", SB_COMPRESS_GZIP, "application/vnd.oci.image.layer.v1.tar+gzip"},
		{"zstd", SB_COMPRESS_ZSTD, "application/vnd.oci.image.layer.v1.tar+zstd"},
		{"uncompressed", SB_COMPRESS_NONE, "application/vnd.oci.image.layer.v1.tar"},
	};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	enum sb_compression form = SB_COMPRESS_NONE;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sb_compression_parse(table[i].name, &form, &err), 0);
		assert_int_equal(form, table[i].form);
		assert_string_equal(sb_compression_media_type(form), table[i].type);
	}
	assert_int_equal(sb_compression_parse("lzma", &form, &err), -1);
	assert_int_equal(err.code, SB_E_USAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_comes_back_in_one_member_a_mib),
		cmocka_unit_test(zstd_comes_back),
		cmocka_unit_test(uncompressed_is_the_same_bytes),
		cmocka_unit_test(output_depends_on_the_input_alone),
		cmocka_unit_test(levels_outside_the_range_are_refused),
		cmocka_unit_test(an_error_of_the_sink_ends_the_work),
		cmocka_unit_test(names_and_media_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
