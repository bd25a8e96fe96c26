/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "inspect/inspector.h"
#include "tar_fixture.h"

#define VALUE "super-secure-value"
#define VALUE_BASE64 "c3VwZXItc2VjdXJlLXZhbHVl" /* base64 of VALUE */

static struct sb_secrets *one_secret(void)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(
		sb_secrets_add_bytes(secrets, "token", VALUE "\n", strlen(VALUE) + 1, &err), 0);
	return secrets;
}

/* The report on one layer of these bytes; takes them. */
static struct sb_inspection *inspect(
	struct fixture tar, size_t step, enum sb_layer_packing *packing)
{
	SB_AUTO(sb_secrets) secrets = one_secret();
	SB_AUTO(sb_inspector) in = sb_inspector_new(secrets);
	const struct sb_byte_source source = {fixture_read, &tar};

	tar.step = step;
	(void)SB_ARRAY_ADD(&in->report->layers);
	sb_inspector_read_layer(in, 0, &source, &in->report->layers.items[0], packing);
	free(tar.bytes);
	return sb_inspector_take(in, secrets);
}

struct place_case {
	struct fixture_entry entry;
	const char *where;
	const char *form;
};

static const struct place_case places[] = {
	{{.kind = 'f', .path = "etc/secret.txt", .content = "pw=" VALUE}, "layer 1: etc/secret.txt",
		"raw"},
	{{.kind = 'f', .path = "etc/auth", .content = "auth: " VALUE_BASE64}, "layer 1: etc/auth",
		"base64"},
	{{.kind = 'f', .path = "a/" VALUE "/b"}, "layer 1: name of a/[secret token]/b", "raw"},
	{{.kind = 'l', .path = "link", .target = "/" VALUE}, "layer 1: link target of link", "raw"},
	{{.kind = 'f', .path = "x", .attribute = VALUE}, "layer 1: attribute user.note of x",
		"raw"},
	{{.kind = 'f', .path = "etc/.wh." VALUE}, "layer 1: name of etc/.wh.[secret token]", "raw"},
	{{.kind = 'f', .path = "etc/.wh.x", .content = VALUE}, "layer 1: etc/.wh.x", "raw"},
};

static void secret_is_found_wherever_an_entry_holds_it(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD};
	static const size_t steps[] = {0, 1, 7, 512};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) * 12; i++) {
		const struct place_case *c = &places[i / 12];
		const struct fixture_entry entries[] = {
			{.kind = 'f', .path = "before", .size = 3000, .fill = 'x'},
			c->entry,
			{.kind = 'f', .path = "after", .size = 3000, .fill = 'y'},
			{0},
		};
		enum sb_layer_packing packing;
		SB_AUTO(sb_inspection) report =
			inspect(fixture_tar(entries, filters[i % 3]), steps[i / 3 % 4], &packing);

		assert_int_equal(packing, i % 3);
		assert_false(sb_inspection_is_broken(report));
		assert_int_equal(report->secrets.len, 1);
		assert_string_equal(report->secrets.items[0].where, c->where);
		assert_string_equal(report->secrets.items[0].form, c->form);
		assert_string_equal(report->secrets.items[0].secret_id, "token");
		assert_int_equal(report->secrets.items[0].layer, 0);
	}
}

static const struct fixture_entry two_files[] = {
	{.kind = 'f', .path = "one", .content = "1"},
	{.kind = 'f', .path = "two", .content = "2"},
	{0},
};

static struct fixture with_tail(struct fixture tar, const char *tail)
{
	memcpy(tar.bytes + tar.len, tail, strlen(tail));
	tar.len += strlen(tail);
	return tar;
}

static void secret_in_the_padding_of_an_entry_is_found(void **state)
{
	struct fixture tar = fixture_tar(two_files, ARCHIVE_FILTER_NONE);
	enum sb_layer_packing packing;

	(void)state;
	assert_memory_equal(tar.bytes, "one", 4);
	memcpy(tar.bytes + 512 + 100, VALUE, strlen(VALUE));

	SB_AUTO(sb_inspection) report = inspect(tar, 0, &packing);

	assert_int_equal(report->secrets.len, 1);
	assert_string_equal(
		report->secrets.items[0].where, "layer 1: tar header or padding of one");
	assert_int_equal(report->secrets.items[0].offset, 612);
	assert_int_equal(report->layers.items[0].n_entries, 2);
}

static void bytes_behind_the_archive_are_hashed_and_searched(void **state)
{
	struct fixture tar = with_tail(fixture_tar(two_files, ARCHIVE_FILTER_NONE), "tail " VALUE);
	struct sb_digest expected;
	const size_t len = tar.len;
	enum sb_layer_packing packing;

	(void)state;
	sb_digest_of(tar.bytes, tar.len, &expected);

	SB_AUTO(sb_inspection) report = inspect(tar, 100, &packing);

	assert_int_equal(report->secrets.len, 1);
	assert_string_equal(
		report->secrets.items[0].where, "layer 1: bytes behind the archive's end");
	assert_string_equal(report->layers.items[0].diff_id.text, expected.text);
	assert_string_equal(report->layers.items[0].digest.text, expected.text);
	assert_int_equal(report->layers.items[0].tar_bytes, len);
}

static void bytes_behind_the_compressed_data_are_hashed_and_searched(void **state)
{
	struct fixture tar = with_tail(fixture_tar(two_files, ARCHIVE_FILTER_GZIP), VALUE);
	struct sb_digest expected;
	enum sb_layer_packing packing;

	(void)state;
	sb_digest_of(tar.bytes, tar.len, &expected);

	SB_AUTO(sb_inspection) report = inspect(tar, 3, &packing);

	assert_int_equal(report->secrets.len, 1);
	assert_string_equal(
		report->secrets.items[0].where, "layer 1: the compressed bytes themselves");
	assert_string_equal(report->layers.items[0].digest.text, expected.text);
}

static void several_gzip_members_are_one_stream(void **state)
{
	struct fixture plain = fixture_tar(two_files, ARCHIVE_FILTER_NONE);
	struct fixture packed = {.bytes = sb_malloc(1 << 20)};
	struct sb_digest expected;
	enum sb_layer_packing packing;

	(void)state;
	sb_digest_of(plain.bytes, plain.len, &expected);
	for (size_t at = 0; at < plain.len; at += 700) {
		struct archive *a = archive_write_new();
		struct archive_entry *entry = archive_entry_new();
		size_t used = 0;
		const size_t n = plain.len - at < 700 ? plain.len - at : 700;

		(void)archive_write_set_format_raw(a);
		(void)archive_write_set_bytes_in_last_block(a, 1);
		(void)archive_write_add_filter_gzip(a);
		(void)archive_write_open_memory(
			a, packed.bytes + packed.len, (1 << 20) - packed.len, &used);
		archive_entry_set_filetype(entry, AE_IFREG);
		(void)archive_write_header(a, entry);
		(void)archive_write_data(a, plain.bytes + at, n);
		(void)archive_write_close(a);
		(void)archive_write_free(a);
		archive_entry_free(entry);
		packed.len += used;
	}
	free(plain.bytes);

	SB_AUTO(sb_inspection) report = inspect(packed, 0, &packing);

	assert_int_equal(packing, SB_PACKED_GZIP);
	assert_int_equal(report->problems.len, 0);
	assert_string_equal(report->layers.items[0].diff_id.text, expected.text);
	assert_int_equal(report->layers.items[0].n_entries, 2);
}

static void several_secrets_in_one_file_are_all_reported_once(void **state)
{
	static const struct fixture_entry entries[] = {
		{.kind = 'f',
			.path = "both",
			.content = "other-secret " VALUE " " VALUE " other-secret"},
		{0},
	};
	SB_AUTO(sb_secrets) secrets = one_secret();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_secrets_add_bytes(secrets, "other", "other-secret", 12, &err), 0);

	SB_AUTO(sb_inspector) in = sb_inspector_new(secrets);
	struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);
	const struct sb_byte_source source = {fixture_read, &tar};
	enum sb_layer_packing packing;

	(void)SB_ARRAY_ADD(&in->report->layers);
	sb_inspector_read_layer(in, 0, &source, &in->report->layers.items[0], &packing);
	free(tar.bytes);
	assert_int_equal(in->report->secrets.len, 2);
	assert_string_equal(in->report->secrets.items[0].secret_id, "other");
	assert_int_equal(in->report->secrets.items[0].offset, 0);
	assert_string_equal(in->report->secrets.items[1].secret_id, "token");
	assert_int_equal(in->report->secrets.items[1].offset, 13);
}

static size_t count_finds(const struct sb_inspection *report, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < report->secrets.len; i++)
		n += strcmp(report->secrets.items[i].secret_id, id) == 0;
	return n;
}

/* One within the other, two that overlap, two ids of one value, and one behind very many. */
static void each_of_overlapping_secrets_is_reported(void **state)
{
	static const struct {
		const char *id;
		const char *value;
	} known[] = {
		{"inner", "INNER-0x7Kq"},
		{"outer", "begins-INNER-0x7Kq-ends"},
		{"crossing", "Kq-ends-and-goes-on"},
		{"same", "INNER-0x7Kq"},
		{"short", "0x7K"},
		{"base64", "YmVnaW5zLUlOTkVSLTB4N0tx"},
	};
	enum { N = sizeof(known) / sizeof(known[0]), TIMES = 1200 };
	SB_AUTO_BUF content = SB_BUF_INIT(1 << 20);
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < TIMES; i++)
		assert_int_equal(sb_buf_add(&content, "last-of-all ", 12, &err), 0);
	assert_int_equal(sb_buf_addf(&content, &err,
				 "%s-and-goes-on 0x7K YmVnaW5zLUlO\nTkVSLTB4N0tx", known[1].value),
		0);
	assert_int_equal(sb_secrets_add_bytes(secrets, "last", "last-of-all", 11, &err), 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(sb_secrets_add_bytes(secrets, known[i].id, known[i].value,
					 strlen(known[i].value), &err),
			0);

	const struct fixture_entry entries[] = {
		{.kind = 'f', .path = "file", .content = content.data}, {0}};

	for (size_t step = 0; step < 2; step++) {
		SB_AUTO(sb_inspector) in = sb_inspector_new_known_only(secrets);
		struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);
		const struct sb_byte_source source = {fixture_read, &tar};
		enum sb_layer_packing packing;

		tar.step = step;
		(void)SB_ARRAY_ADD(&in->report->layers);
		sb_inspector_read_layer(in, 0, &source, &in->report->layers.items[0], &packing);
		free(tar.bytes);
		assert_int_equal(in->report->secrets.len, N + 1);
		assert_string_equal(in->report->secrets.items[0].secret_id, "last");
		assert_int_equal(in->report->secrets.items[0].offset, 0);
		for (size_t i = 0; i < N; i++)
			assert_int_equal(count_finds(in->report, known[i].id), 1);
	}
}

static void damage_is_reported_and_the_rest_still_searched(void **state)
{
	enum sb_layer_packing packing;

	(void)state;
	/* Not a tar at all, with the secret in it. */
	struct fixture text = {.bytes = sb_malloc(4096)};

	memset(text.bytes, 'z', 4096);
	memcpy(text.bytes + 3000, VALUE, strlen(VALUE));
	text.len = 4096;

	SB_AUTO(sb_inspection) no_tar = inspect(text, 0, &packing);

	assert_int_equal(no_tar->problems.len, 1);
	assert_int_equal(no_tar->gaps.len, 1);
	assert_int_equal(no_tar->secrets.len, 1);
	assert_int_equal(no_tar->layers.items[0].tar_bytes, 4096);

	/* A compressed one that ends too early. */
	struct fixture cut = fixture_tar(two_files, ARCHIVE_FILTER_GZIP);

	cut.len -= 12;

	SB_AUTO(sb_inspection) truncated = inspect(cut, 0, &packing);

	assert_true(truncated->problems.len >= 1);
	assert_true(truncated->gaps.len >= 1);
}

static void every_truncation_and_flipped_byte_is_survived(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD};
	enum sb_layer_packing packing;

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct fixture good = fixture_tar(two_files, filters[k]);

		for (size_t i = 0; i < good.len; i += k == 0 ? 13 : 1) {
			struct fixture bad = {
				.bytes = sb_memdup0(good.bytes, good.len), .len = good.len};
			struct fixture cut = {.bytes = sb_memdup0(good.bytes, good.len), .len = i};

			bad.bytes[i] = (char)(bad.bytes[i] ^ 0x41);

			SB_AUTO(sb_inspection) flipped = inspect(bad, 0, &packing);
			SB_AUTO(sb_inspection) truncated = inspect(cut, 0, &packing);

			assert_int_equal(flipped->layers.items[0].size_bytes, good.len);
			assert_int_equal(truncated->layers.items[0].size_bytes, i);
		}
		free(good.bytes);
	}
}

static void empty_layer_is_no_problem(void **state)
{
	struct fixture nothing = {.bytes = sb_malloc(1), .len = 0};
	struct fixture zeros = {.bytes = sb_calloc(1, 1024), .len = 1024};
	enum sb_layer_packing packing;

	(void)state;
	SB_AUTO(sb_inspection) empty = inspect(nothing, 0, &packing);
	SB_AUTO(sb_inspection) end_only = inspect(zeros, 0, &packing);

	assert_int_equal(empty->problems.len, 0);
	assert_int_equal(end_only->problems.len, 0);
	assert_int_equal(end_only->layers.items[0].n_entries, 0);
	assert_int_equal(end_only->layers.items[0].tar_bytes, 1024);
}

static void names_with_parent_parts_are_problems(void **state)
{
	static const struct fixture_entry entries[] = {
		{.kind = 'f', .path = "../etc/x"},
		{.kind = 'f', .path = "a/../b"},
		{.kind = 'f', .path = "a/.."},
		{.kind = 'f', .path = "a/..b/c..d/e.."},
		{0},
	};
	enum sb_layer_packing packing;
	SB_AUTO(sb_inspection)
	report = inspect(fixture_tar(entries, ARCHIVE_FILTER_NONE), 0, &packing);

	(void)state;
	assert_int_equal(report->problems.len, 3);
	assert_non_null(strstr(report->problems.items[0].text, "layer 1: etc/x: "));
}

static void names_outside_ascii_are_kept(void **state)
{
	static const struct fixture_entry entries[] = {
		{.kind = 'f', .path = "caf\xc3\xa9/\xe2\x82\xac", .content = VALUE},
		{0},
	};
	enum sb_layer_packing packing;
	SB_AUTO(sb_inspection) report =
		inspect(fixture_tar(entries, ARCHIVE_FILTER_NONE), 0, &packing);

	(void)state;
	assert_string_equal(report->secrets.items[0].where, "layer 1: caf\xc3\xa9/\xe2\x82\xac");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_is_found_wherever_an_entry_holds_it),
		cmocka_unit_test(secret_in_the_padding_of_an_entry_is_found),
		cmocka_unit_test(bytes_behind_the_archive_are_hashed_and_searched),
		cmocka_unit_test(bytes_behind_the_compressed_data_are_hashed_and_searched),
		cmocka_unit_test(several_gzip_members_are_one_stream),
		cmocka_unit_test(several_secrets_in_one_file_are_all_reported_once),
		cmocka_unit_test(each_of_overlapping_secrets_is_reported),
		cmocka_unit_test(damage_is_reported_and_the_rest_still_searched),
		cmocka_unit_test(every_truncation_and_flipped_byte_is_survived),
		cmocka_unit_test(empty_layer_is_no_problem),
		cmocka_unit_test(names_with_parent_parts_are_problems),
		cmocka_unit_test(names_outside_ascii_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
