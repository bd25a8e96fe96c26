/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "leak/content.h"

enum { MAX_BYTES = 64 << 20 };
static const char value[] = "tok-8Gz2QpLw71";

struct from {
	const char *bytes;
	size_t len;
	size_t piece;
	size_t fails_after; /* pieces; 0: never */
};

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	struct from *from = self;
	const size_t n = from->len < from->piece ? from->len : from->piece;

	if (from->fails_after > 0 && --from->fails_after == 0)
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	*out_bytes = from->bytes;
	from->bytes += n;
	from->len -= n;
	return (ssize_t)n;
}

struct tools {
	struct sb_secrets *secrets;
	struct sb_scanner *scanner;
	struct sb_content_search *search;
};

static struct tools make_tools(void)
{
	struct tools tools = {.secrets = sb_secrets_new()};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(tools.secrets, "s", value, strlen(value), &err), 0);
	tools.scanner = sb_scanner_new(tools.secrets);
	tools.search = sb_content_search_new(tools.scanner);
	return tools;
}

static void free_tools(struct tools *tools)
{
	sb_content_search_free(tools->search);
	sb_scanner_free(tools->scanner);
	sb_secrets_free(tools->secrets);
}

static char *search_once(struct sb_content_search *search, const char *bytes, size_t len,
	size_t piece, uint64_t known_len)
{
	struct from from = {bytes, len, piece, 0};
	const struct sb_pieces pieces = {next_piece, &from, known_len};
	SB_AUTO_VALUE(sb_content_leak) leak = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	bool found = false;

	assert_int_equal(sb_content_search_run(search, &pieces, &found, &leak, &err), 0);
	if (!found)
		return NULL;
	assert_string_equal(leak.leak.secret_id, "s");
	return sb_content_leak_text(&leak);
}

/* What is said of the leak, or NULL where there is none; whether the length is known or not. Caller
 * frees. */
static char *search(struct sb_content_search *search, const char *bytes, size_t len, size_t piece)
{
	sb_autofree char *unknown = search_once(search, bytes, len, piece, 0);
	char *known = search_once(search, bytes, len, piece, len);

	assert_string_equal(known != NULL ? known : "", unknown != NULL ? unknown : "");
	return known;
}

static la_ssize_t write_to(struct archive *archive, void *self, const void *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)archive;
	assert_int_equal(sb_buf_add(self, bytes, len, &err), 0);
	return (la_ssize_t)len;
}

typedef int (*set_fn)(struct archive *);

static void pack(struct sb_buf *out, set_fn format, set_fn filter, const char *name,
	const void *bytes, size_t len)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	assert_int_equal(format(archive), ARCHIVE_OK);
	if (filter != NULL)
		assert_int_equal(filter(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(archive, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open(archive, out, NULL, write_to, NULL), ARCHIVE_OK);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, (la_int64_t)len);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, bytes, len), len);
	archive_entry_free(entry);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static void assert_said(const struct sb_buf *content, const char *expected)
{
	static const size_t pieces[] = {1, 13, 512, 1000, SIZE_MAX};
	struct tools tools = make_tools();

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		sb_autofree char *said =
			search(tools.search, content->data, content->len, pieces[i]);

		if (expected == NULL)
			assert_null(said);
		else
			assert_string_equal(said, expected);
	}
	free_tools(&tools);
}

static void finds_it_in_plain_contents_of_any_size(void **state)
{
	(void)state;
	for (size_t before = 0; before < 1300; before += 37) {
		SB_AUTO_BUF content = SB_BUF_INIT(MAX_BYTES);
		sb_autofree char *text = sb_asprintf("raw, at byte %zu", before);
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		for (size_t i = 0; i < before; i++)
			assert_int_equal(sb_buf_add_char(&content, '.', &err), 0);
		assert_said(&content, NULL);
		assert_int_equal(sb_buf_add_str(&content, value, &err), 0);
		assert_said(&content, text);
	}
}

/* An outer stream shows it first; the place that helps is the inner one. */
static void says_the_innermost_place(void **state)
{
	SB_AUTO_BUF tar = SB_BUF_INIT(MAX_BYTES);
	SB_AUTO_BUF zip = SB_BUF_INIT(MAX_BYTES);
	SB_AUTO_BUF gzip = SB_BUF_INIT(MAX_BYTES);

	(void)state;
	pack(&tar, archive_write_set_format_ustar, NULL, "etc/token", "  tok-8Gz2QpLw71", 16);
	assert_said(&tar, "raw in etc/token, at byte 2");
	pack(&zip, archive_write_set_format_zip, NULL, "a.tar", tar.data, tar.len);
	assert_said(&zip, "raw in a.tar!etc/token, at byte 2");
	pack(&gzip, archive_write_set_format_raw, archive_write_add_filter_gzip, "x", value,
		strlen(value));
	assert_said(&gzip, "raw in what is packed in it, at byte 0");
}

static void shows_no_name_that_holds_it(void **state)
{
	SB_AUTO_BUF tar = SB_BUF_INIT(MAX_BYTES);
	SB_AUTO_BUF zip = SB_BUF_INIT(MAX_BYTES);
	SB_AUTO_BUF inner = SB_BUF_INIT(MAX_BYTES);

	(void)state;
	pack(&tar, archive_write_set_format_ustar, NULL, "a/tok-8Gz2QpLw71/b", "x", 1);
	assert_said(&tar, "raw in a name of what is packed in it");
	pack(&zip, archive_write_set_format_zip, NULL, "lib.tar", tar.data, tar.len);
	assert_said(&zip, "raw in a name in lib.tar");
	pack(&inner, archive_write_set_format_zip, NULL, "tok-8Gz2QpLw71.tar", zip.data, zip.len);
	assert_said(&inner, "raw in a name of what is packed in it");
}

static void counts_what_it_looked_at(void **state)
{
	struct tools tools = make_tools();
	SB_AUTO_BUF gzip = SB_BUF_INIT(MAX_BYTES);
	sb_autofree char *many = sb_calloc(1, 100000);

	(void)state;
	pack(&gzip, archive_write_set_format_raw, archive_write_add_filter_gzip, "x", many, 100000);
	assert_null(search_once(tools.search, many, 700, SIZE_MAX, 700));
	assert_null(search_once(tools.search, gzip.data, gzip.len, 100, gzip.len));
	assert_null(search_once(tools.search, gzip.data, gzip.len - 4, SIZE_MAX, 0));

	const struct sb_content_sums sums = sb_content_search_sums(tools.search);

	assert_int_equal(sums.n_contents, 3);
	assert_int_equal(sums.bytes, 700 + 2 * gzip.len - 4);
	assert_int_equal(sums.unpacked_bytes, 200000);
	assert_int_equal(sums.n_skipped, 1);
	free_tools(&tools);
}

static void the_pieces_failure_comes_through(void **state)
{
	struct tools tools = make_tools();
	SB_AUTO_BUF zip = SB_BUF_INIT(MAX_BYTES);

	(void)state;
	pack(&zip, archive_write_set_format_zip, NULL, "a", value, strlen(value));
	for (size_t after = 1; after < 10; after++) {
		struct from from = {zip.data, zip.len, 10, after};
		const struct sb_pieces pieces = {next_piece, &from};
		SB_AUTO_VALUE(sb_content_leak) leak = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		bool found = false;

		assert_int_equal(
			sb_content_search_run(tools.search, &pieces, &found, &leak, &err), -1);
		assert_int_equal(err.code, SB_E_CANCELLED);
		assert_false(found);
	}
	assert_said(&zip, "raw in a, at byte 0");
	free_tools(&tools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_it_in_plain_contents_of_any_size),
		cmocka_unit_test(says_the_innermost_place),
		cmocka_unit_test(shows_no_name_that_holds_it),
		cmocka_unit_test(counts_what_it_looked_at),
		cmocka_unit_test(the_pieces_failure_comes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
