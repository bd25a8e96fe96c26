/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "leak/nested.h"

enum { MAX_BYTES = 96 << 20 };
static const char secret[] = "tok-8Gz2QpLw71";

/* What a visitor saw. */
struct seen {
	struct sb_buf streams[SB_NESTED_MAX_DEPTH + 1];
	char *inside[SB_NESTED_MAX_DEPTH + 1];
	int open;              /* depths */
	struct sb_buf found;   /* "1 lib.jar!a;" for each stream and text that holds the secret */
	struct sb_buf skipped; /* "lib.jar: why;" */
	size_t n_streams;
	uint64_t bytes;
	uint64_t stop_after; /* bytes; 0: never */
};

static void add(struct sb_buf *buf, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add_str(buf, text, &err), 0);
}

static void note_found(struct seen *seen, unsigned depth, const char *inside, const char *what,
	const void *bytes, size_t len)
{
	sb_autofree char *note =
		sb_asprintf("%u %s%s;", depth, inside != NULL ? inside : "-", what);

	if (memmem(bytes, len, secret, strlen(secret)) != NULL)
		add(&seen->found, note);
}

static void on_begin(void *self, unsigned depth, const char *inside)
{
	struct seen *seen = self;

	assert_int_equal(depth, seen->open);
	assert_int_equal(depth == 0, inside == NULL);
	seen->open++;
	seen->n_streams++;
	seen->streams[depth] = (struct sb_buf)SB_BUF_INIT(MAX_BYTES);
	seen->inside[depth] = sb_strdup_or_null(inside);
}

static void on_bytes(void *self, unsigned depth, const void *bytes, size_t len)
{
	struct seen *seen = self;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal((int)depth < seen->open, 1);
	seen->bytes += len;
	assert_int_equal(sb_buf_add(&seen->streams[depth], bytes, len, &err), 0);
}

static void on_end(void *self, unsigned depth)
{
	struct seen *seen = self;

	assert_int_equal(depth, seen->open - 1);
	seen->open--;
	note_found(seen, depth, seen->inside[depth], "", seen->streams[depth].data,
		seen->streams[depth].len);
	sb_buf_release(&seen->streams[depth]);
	free(seen->inside[depth]);
}

static void on_text(void *self, unsigned depth, const char *inside, const char *what,
	const void *bytes, size_t len)
{
	struct seen *seen = self;
	sb_autofree char *tail = sb_asprintf(" (%s)", what);

	assert_int_equal(depth, seen->open);
	note_found(seen, depth, inside, tail, bytes, len);
}

static void on_skipped(void *self, const char *inside, const char *why)
{
	struct seen *seen = self;
	sb_autofree char *note = sb_asprintf("%s: %s;", inside != NULL ? inside : "-", why);

	add(&seen->skipped, note);
}

static bool is_done(void *self)
{
	const struct seen *seen = self;

	return seen->stop_after > 0 && seen->bytes >= seen->stop_after;
}

static void release(struct seen *seen)
{
	assert_int_equal(seen->open, 0);
	sb_buf_release(&seen->found);
	sb_buf_release(&seen->skipped);
}
#define SEEN \
	__attribute__((cleanup(release))) struct seen seen = { \
		.found = SB_BUF_INIT(1 << 20), .skipped = SB_BUF_INIT(1 << 20)}

/* Bytes in pieces, and perhaps a failure. */
struct from {
	const char *bytes;
	size_t len;
	size_t piece;
	bool fails;
};

static ssize_t read_from(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct from *from = self;
	size_t n = from->len < len ? from->len : len;

	if (n > from->piece)
		n = from->piece;
	if (n == 0 && from->fails)
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	memcpy(bytes, from->bytes, n);
	from->bytes += n;
	from->len -= n;
	return (ssize_t)n;
}

static int read_all(struct seen *seen, struct from from, const struct sb_nested_limits *limits,
	enum sb_code *code)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_source source = {read_from, &from};
	const struct sb_nested_visitor visitor = {
		.self = seen,
		.on_begin = on_begin,
		.on_bytes = on_bytes,
		.on_end = on_end,
		.on_text = on_text,
		.on_skipped = on_skipped,
		.is_done = is_done,
	};
	const int rc = sb_nested_read(&source, &visitor, limits, &err);

	*code = err.code;
	return rc;
}

static void read_piecewise(struct seen *seen, const struct sb_buf *content, size_t piece)
{
	const struct from from = {content->data, content->len, piece, false};
	enum sb_code code = SB_OK;

	assert_int_equal(read_all(seen, from, &sb_nested_default_limits, &code), 0);
}

/* What is expected, however the source gives its bytes. */
static void assert_seen(const struct sb_buf *content, const char *found, const char *skipped)
{
	static const size_t pieces[] = {1, 7, 512, SIZE_MAX};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		SEEN;

		if (content->len / pieces[i] > 300000)
			continue;
		read_piecewise(&seen, content, pieces[i]);
		assert_string_equal(seen.found.data, found);
		assert_string_equal(seen.skipped.data, skipped);
	}
}

/* --- Making archives --- */

struct file {
	const char *name;
	const void *bytes;
	size_t len;
};

typedef int (*set_fn)(struct archive *);

static la_ssize_t write_to(struct archive *archive, void *self, const void *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)archive;
	assert_int_equal(sb_buf_add(self, bytes, len, &err), 0);
	return (la_ssize_t)len;
}

static void pack(struct sb_buf *out, set_fn format, set_fn filter, const char *options,
	const struct file *files, size_t n)
{
	struct archive *archive = archive_write_new();

	assert_int_equal(format(archive), ARCHIVE_OK);
	if (filter != NULL)
		assert_true(filter(archive) >= ARCHIVE_WARN);
	if (options != NULL)
		assert_int_equal(archive_write_set_options(archive, options), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(archive, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open(archive, out, NULL, write_to, NULL), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, files[i].name);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (la_int64_t)files[i].len);
		assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
		assert_int_equal(
			archive_write_data(archive, files[i].bytes, files[i].len), files[i].len);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

/* The secret behind its parts, so that a compressor refers to those. */
static void add_text(struct sb_buf *out)
{
	for (int i = 0; i < 40; i++)
		add(out, i == 20 ? secret : "tok-8Gz\n2QpLw71\n");
}

static void pack_text(struct sb_buf *out, set_fn format, set_fn filter, const char *options)
{
	SB_AUTO_BUF text = SB_BUF_INIT(MAX_BYTES);

	add_text(&text);

	const struct file files[] = {{"etc/first", "x", 1}, {"etc/token", text.data, text.len}};

	if (format == archive_write_set_format_raw)
		pack(out, format, filter, options, &files[1], 1);
	else
		pack(out, format, filter, options, files, 2);
}

static void add_zlib(struct sb_buf *out, const void *bytes, size_t len)
{
	uLongf packed_len = compressBound(len);
	sb_autofree void *packed = sb_malloc(packed_len);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(compress(packed, &packed_len, bytes, len), Z_OK);
	assert_int_equal(sb_buf_add(out, packed, packed_len, &err), 0);
}

#define BUF(name) SB_AUTO_BUF name = SB_BUF_INIT(MAX_BYTES)

/* --- Formats --- */

static void looks_into_streams_of_every_compressor(void **state)
{
	static const set_fn filters[] = {archive_write_add_filter_gzip,
		archive_write_add_filter_zstd, archive_write_add_filter_xz,
		archive_write_add_filter_bzip2, archive_write_add_filter_lzip,
		archive_write_add_filter_lz4, archive_write_add_filter_compress};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		BUF(packed);

		pack_text(&packed, archive_write_set_format_raw, filters[i], NULL);
		assert_null(memmem(packed.data, packed.len, secret, strlen(secret)));
		assert_seen(&packed, "1 ;", "");
	}
}

static void looks_into_archives_of_every_kind(void **state)
{
	static const set_fn formats[] = {archive_write_set_format_ustar,
		archive_write_set_format_pax, archive_write_set_format_gnutar,
		archive_write_set_format_v7tar, archive_write_set_format_cpio_newc,
		archive_write_set_format_cpio};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		BUF(packed);

		pack_text(&packed, formats[i], NULL, NULL);
		assert_seen(&packed, "1 etc/token;0 -;", "");
	}
}

static void looks_into_zip_ar_and_compressed_tar(void **state)
{
	BUF(zip);
	BUF(stored);
	BUF(tar);
	BUF(ar);
	const struct file member = {"token", secret, strlen(secret)};

	(void)state;
	pack_text(&zip, archive_write_set_format_zip, NULL, "compression=deflate");
	assert_seen(&zip, "1 etc/token;", "");
	pack_text(&stored, archive_write_set_format_zip, NULL, "compression=store");
	assert_seen(&stored, "1 etc/token;0 -;", "");
	pack_text(&tar, archive_write_set_format_pax, archive_write_add_filter_zstd, NULL);
	assert_seen(&tar, "2 etc/token;1 ;", "");
	pack(&ar, archive_write_set_format_ar_bsd, NULL, NULL, &member, 1);
	assert_seen(&ar, "1 token;0 -;", "");
}

static void gives_names_links_and_attributes(void **state)
{
	BUF(tar);
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	(void)state;
	assert_int_equal(archive_write_set_format_pax(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_open(archive, &tar, NULL, write_to, NULL), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "a-tok-8Gz2QpLw71");
	archive_entry_set_filetype(entry, AE_IFLNK);
	archive_entry_set_symlink(entry, "to/tok-8Gz2QpLw71");
	archive_entry_xattr_add_entry(entry, "user.t", secret, strlen(secret));
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	archive_entry_free(entry);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
	assert_seen(&tar,
		"2 a-tok-8Gz2QpLw71 (name);2 a-tok-8Gz2QpLw71 (link target);"
		"2 a-tok-8Gz2QpLw71 (attribute);2 a-tok-8Gz2QpLw71 (attribute);1 ;",
		"");
}

static void looks_into_git_objects(void **state)
{
	BUF(text);
	BUF(object);

	(void)state;
	add_text(&text);
	add_zlib(&object, text.data, text.len);
	assert_seen(&object, "1 ;", "");
}

/* Two objects, of which the second inserts what the base lacks: in two instructions, behind a copy.
 */
static void looks_into_git_packs(void **state)
{
	static const char delta[] = "\x20\x20\x90\x08"
				    "\x08tok-8Gz2\x06QpLw71\x91\x01\x04";
	BUF(text);
	BUF(object);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buf_add(&object, "PACK\0\0\0\2\0\0\0\2\xbf\x01", 14, &err), 0);
	add_text(&text);
	add_zlib(&object, text.data, text.len);

	const size_t second = object.len;

	assert_int_equal(sb_buf_add(&object, "\x65\x10", 2, &err), 0); /* by offset */
	add_zlib(&object, delta, sizeof(delta) - 1);
	add(&object, "01234567890123456789");

	sb_autofree char *found = sb_asprintf("1 object at byte 12;1 object at byte %zu;", second);

	assert_seen(&object, found, "");

	/* As `git bundle` writes it. */
	static const char head[] = "# v2 git bundle\n"
				   "0123456789012345678901234567890123456789 HEAD\n\n";
	BUF(bundle);
	sb_autofree char *behind = sb_asprintf("1 object at byte %zu;1 object at byte %zu;",
		12 + strlen(head), second + strlen(head));

	add(&bundle, head);
	assert_int_equal(sb_buf_add(&bundle, object.data, object.len, &err), 0);
	assert_seen(&bundle, behind, "");
}

/* --- One in the other --- */

static void wrap(struct sb_buf *buf, set_fn format, set_fn filter, const char *name)
{
	SB_AUTO_BUF outer = SB_BUF_INIT(MAX_BYTES);
	const struct file file = {name, buf->data, buf->len};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	pack(&outer, format, filter, NULL, &file, 1);
	sb_buf_clear(buf);
	assert_int_equal(sb_buf_add(buf, outer.data, outer.len, &err), 0);
}

static void looks_into_eight_layers_and_says_so_at_nine(void **state)
{
	BUF(packed);

	(void)state;
	add_text(&packed);
	for (int i = 0; i < 8; i++)
		wrap(&packed, archive_write_set_format_raw,
			i % 2 == 0 ? archive_write_add_filter_gzip : archive_write_add_filter_zstd,
			"x");
	assert_seen(&packed, "8 ;", "");
	wrap(&packed, archive_write_set_format_raw, archive_write_add_filter_gzip, "x");
	assert_seen(&packed, "", ": it is packed in too many layers;");
}

static void names_the_way_through_archives(void **state)
{
	BUF(packed);

	(void)state;
	pack_text(&packed, archive_write_set_format_zip, NULL, "compression=deflate");
	wrap(&packed, archive_write_set_format_pax, archive_write_add_filter_xz, "lib\n.jar");
	wrap(&packed, archive_write_set_format_zip, NULL, "all.tar.xz");
	assert_seen(&packed, "4 all.tar.xz!lib\\n.jar!etc/token;", "");
}

/* --- Behind something else --- */

static void looks_behind_programs_scripts_and_archives(void **state)
{
	static const char *const heads[] = {"#!/usr/bin/env python3\n", "\177ELF\2\1\1", "MZ\x90"};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	BUF(zip);

	(void)state;
	pack_text(&zip, archive_write_set_format_zip, NULL, "compression=deflate");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		BUF(program);

		add(&program, heads[i]);
		for (int k = 0; k < 30000; k++)
			add(&program, "PK\3 PK\4");
		assert_int_equal(sb_buf_add(&program, zip.data, zip.len, &err), 0);
		assert_seen(&program, "1 etc/token;", "");
	}

	/* Wherever it begins: bytes are looked at many at a time. */
	for (size_t n = 0; n < 150; n++) {
		BUF(program);

		add(&program, "\177ELF");
		for (size_t k = 0; k < n; k++)
			add(&program, k % 3 == 0 ? "P" : "K");
		assert_int_equal(sb_buf_add(&program, zip.data, zip.len, &err), 0);
		assert_seen(&program, "1 etc/token;", "");
	}

	BUF(script);
	BUF(gzip);

	pack_text(&gzip, archive_write_set_format_pax, archive_write_add_filter_gzip, NULL);
	add(&script, "#!/bin/sh\ntail -n +3 $0 | tar xz\n");
	assert_int_equal(sb_buf_add(&script, gzip.data, gzip.len, &err), 0);
	assert_seen(&script, "2 etc/token;1 ;", "");

	BUF(twice);
	BUF(other);

	pack(&twice, archive_write_set_format_zip, NULL, NULL, &(struct file){"a", "hello", 5}, 1);
	assert_int_equal(sb_buf_add(&twice, zip.data, zip.len, &err), 0);
	assert_seen(&twice, "1 etc/token;", "");

	/* As an initramfs is: an archive, zeros, a compressed one. */
	pack(&other, archive_write_set_format_cpio_newc, NULL, NULL,
		&(struct file){"a", "hello", 5}, 1);
	for (int i = 0; i < 300; i++)
		assert_int_equal(sb_buf_add(&other, "\0\0\0\0", 4, &err), 0);
	assert_int_equal(sb_buf_add(&other, gzip.data, gzip.len, &err), 0);
	assert_seen(&other, "2 etc/token;1 ;", "");
}

/* --- What can't be read --- */

static void truncation_anywhere_is_no_error(void **state)
{
	static const set_fn formats[] = {archive_write_set_format_zip, archive_write_set_format_pax,
		archive_write_set_format_cpio_newc};

	(void)state;
	for (size_t f = 0; f < 3; f++) {
		BUF(packed);

		pack_text(&packed, formats[f], f == 1 ? archive_write_add_filter_gzip : NULL, NULL);
		for (size_t len = 0; len < packed.len; len++) {
			SEEN;
			struct sb_buf cut = packed;

			cut.len = len;
			read_piecewise(&seen, &cut, 100);
		}
	}
}

static void any_changed_byte_is_no_error(void **state)
{
	static const set_fn filters[] = {NULL, archive_write_add_filter_gzip,
		archive_write_add_filter_zstd, archive_write_add_filter_xz,
		archive_write_add_filter_bzip2};

	(void)state;
	for (size_t f = 0; f < 5; f++) {
		BUF(packed);

		if (f == 0)
			pack_text(&packed, archive_write_set_format_zip, NULL, NULL);
		else
			pack_text(&packed, archive_write_set_format_raw, filters[f], NULL);
		for (size_t i = 0; i < packed.len; i++) {
			SEEN;

			packed.data[i] ^= 0x55;
			read_piecewise(&seen, &packed, SIZE_MAX);
			packed.data[i] ^= 0x55;
		}
	}
}

static void says_what_is_cut_off_or_encrypted(void **state)
{
	BUF(gzip);
	BUF(zip);
	BUF(sevenzip);

	(void)state;
	pack_text(&gzip, archive_write_set_format_raw, archive_write_add_filter_gzip, NULL);
	gzip.len -= 2;
	assert_seen(&gzip, "1 ;", "-: a gzip stream that is damaged or cut off;");
	pack_text(&zip, archive_write_set_format_zip, NULL, "compression=deflate");
	zip.data[6] |= 1; /* APPNOTE 4.4.4: bit 0, encrypted */
	assert_seen(&zip, "1 etc/token;",
		"etc/first: it is encrypted;-: a zip archive that is damaged or cut off;");
	add(&sevenzip, "7z\xbc\xaf\x27\x1c and more");
	assert_seen(&sevenzip, "", "-: archives of its kind (7-Zip, RAR) are not looked into;");
}

/* What was undone at once, and is not sound, is not what is read a second time. */
static void a_stream_with_a_wrong_check_is_read_once(void **state)
{
	BUF(gzip);
	BUF(text);
	SEEN;

	(void)state;
	add_text(&text);
	pack_text(&gzip, archive_write_set_format_raw, archive_write_add_filter_gzip, NULL);
	gzip.data[gzip.len - 8] ^= 1; /* RFC 1952, 2.3: the CRC */
	read_piecewise(&seen, &gzip, SIZE_MAX);
	assert_string_equal(seen.found.data, "1 ;");
	assert_string_equal(seen.skipped.data, "-: a gzip stream that is damaged or cut off;");
	assert_int_equal(seen.bytes, gzip.len + text.len);
}

static void random_data_makes_no_noise(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int first = 0; first < 256 * 256; first++) {
		char bytes[600];
		SEEN;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (char)(seed >> 24);
		}
		bytes[0] = (char)(first >> 8);
		bytes[1] = (char)first;

		struct sb_buf content = {.data = bytes, .len = sizeof(bytes)};

		read_piecewise(&seen, &content, SIZE_MAX);
		assert_string_equal(seen.skipped.data, "");
	}
}

static void a_bomb_is_left_in_time(void **state)
{
	const struct sb_nested_limits limits = {
		.max_depth = 8, .max_ratio = 100, .min_ratio_bytes = 1 << 20, .max_members = 1000};
	sb_autofree char *zeros = sb_calloc(1, 64 << 20);
	BUF(bomb);
	enum sb_code code = SB_OK;
	SEEN;

	(void)state;
	pack(&bomb, archive_write_set_format_zip, NULL, "compression=deflate",
		&(struct file){"zeros", zeros, 64 << 20}, 1);
	assert_int_equal(read_all(&seen, (struct from){bomb.data, bomb.len, SIZE_MAX, false},
				 &limits, &code),
		0);
	assert_string_equal(seen.skipped.data, "-: it unpacks to more than can be looked at;");
	assert_true(seen.bytes < (8 << 20) + bomb.len);
}

static void members_are_limited(void **state)
{
	const struct sb_nested_limits limits = {
		.max_depth = 8, .max_ratio = 100, .min_ratio_bytes = 1 << 20, .max_members = 50};
	BUF(tar);
	enum sb_code code = SB_OK;
	SEEN;
	struct file files[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		files[i] = (struct file){"a", "b", 1};
	pack(&tar, archive_write_set_format_ustar, NULL, NULL, files, 100);
	assert_int_equal(
		read_all(&seen, (struct from){tar.data, tar.len, SIZE_MAX, false}, &limits, &code),
		0);
	assert_string_equal(seen.skipped.data, "-: there is too much packed in it;");
	assert_int_equal(seen.n_streams, 50);
}

static void the_sources_failure_comes_through(void **state)
{
	BUF(packed);

	(void)state;
	pack_text(&packed, archive_write_set_format_zip, NULL, NULL);
	wrap(&packed, archive_write_set_format_pax, archive_write_add_filter_gzip, "lib.jar");
	for (size_t len = 0; len <= packed.len; len++) {
		SEEN;
		enum sb_code code = SB_OK;
		const struct from from = {packed.data, len, 50, true};

		assert_int_equal(read_all(&seen, from, &sb_nested_default_limits, &code), -1);
		assert_int_equal(code, SB_E_CANCELLED);
		assert_string_equal(seen.skipped.data, "");
	}
}

static void the_visitor_can_end_it(void **state)
{
	BUF(packed);

	(void)state;
	pack_text(&packed, archive_write_set_format_zip, NULL, NULL);
	wrap(&packed, archive_write_set_format_pax, archive_write_add_filter_gzip, "lib.jar");
	for (size_t after = 1; after < packed.len; after++) {
		SEEN;
		enum sb_code code = SB_OK;
		const struct from from = {packed.data, packed.len, 10, false};

		seen.stop_after = after;
		assert_int_equal(read_all(&seen, from, &sb_nested_default_limits, &code), 0);
		assert_string_equal(seen.skipped.data, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_into_streams_of_every_compressor),
		cmocka_unit_test(looks_into_archives_of_every_kind),
		cmocka_unit_test(looks_into_zip_ar_and_compressed_tar),
		cmocka_unit_test(gives_names_links_and_attributes),
		cmocka_unit_test(looks_into_git_objects),
		cmocka_unit_test(looks_into_git_packs),
		cmocka_unit_test(looks_into_eight_layers_and_says_so_at_nine),
		cmocka_unit_test(names_the_way_through_archives),
		cmocka_unit_test(looks_behind_programs_scripts_and_archives),
		cmocka_unit_test(truncation_anywhere_is_no_error),
		cmocka_unit_test(any_changed_byte_is_no_error),
		cmocka_unit_test(says_what_is_cut_off_or_encrypted),
		cmocka_unit_test(a_stream_with_a_wrong_check_is_read_once),
		cmocka_unit_test(random_data_makes_no_noise),
		cmocka_unit_test(a_bomb_is_left_in_time),
		cmocka_unit_test(members_are_limited),
		cmocka_unit_test(the_sources_failure_comes_through),
		cmocka_unit_test(the_visitor_can_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
