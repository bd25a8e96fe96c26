/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "leak/nested.h"

/* Zip archives that are made by hand (PKZIP APPNOTE 4.3), as archivers hardly let one choose. */

enum { MAX_BYTES = 16 << 20, SIZES_BEHIND = 1 << 3, ENCRYPTED = 1 };

static void add_bytes(struct sb_buf *buf, const void *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add(buf, bytes, len, &err), 0);
}

static void add16(struct sb_buf *buf, unsigned n)
{
	const unsigned char bytes[] = {(unsigned char)n, (unsigned char)(n >> 8)};

	add_bytes(buf, bytes, sizeof(bytes));
}

static void add32(struct sb_buf *buf, size_t n)
{
	add16(buf, (unsigned)n & 0xffff);
	add16(buf, (unsigned)(n >> 16) & 0xffff);
}

struct member {
	const char *name;
	const void *bytes;
	size_t len;
	unsigned flags;
	bool is_stored;
	bool has_no_marker; /* before the sizes behind */
	const char *extra;
	size_t extra_len;
};

static void *deflated(const void *bytes, size_t len, size_t *out_len)
{
	z_stream stream = {0};

	assert_int_equal(
		deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);

	const uLong most = deflateBound(&stream, len);
	void *packed = sb_malloc(most);

	stream.next_in = (Bytef *)(uintptr_t)bytes;
	stream.avail_in = (uInt)len;
	stream.next_out = packed;
	stream.avail_out = (uInt)most;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	*out_len = most - stream.avail_out;
	assert_int_equal(deflateEnd(&stream), Z_OK);
	return packed;
}

static void add_member(struct sb_buf *zip, const struct member *m)
{
	const bool is_behind = (m->flags & SIZES_BEHIND) != 0;
	size_t len = m->len;
	sb_autofree void *packed = m->is_stored ? NULL : deflated(m->bytes, m->len, &len);

	add_bytes(zip, "PK\3\4\24\0", 6);
	add16(zip, m->flags);
	add16(zip, m->is_stored ? 0 : 8);
	add32(zip, 0); /* time */
	add32(zip, is_behind ? 0 : crc32(0, m->bytes, (uInt)m->len));
	add32(zip, is_behind ? 0 : len);
	add32(zip, is_behind ? 0 : m->len);
	add16(zip, (unsigned)strlen(m->name));
	add16(zip, (unsigned)m->extra_len);
	add_bytes(zip, m->name, strlen(m->name));
	add_bytes(zip, m->extra, m->extra_len);
	add_bytes(zip, packed != NULL ? packed : m->bytes, len);
	if (!is_behind)
		return;
	if (!m->has_no_marker)
		add_bytes(zip, "PK\7\10", 4);
	add32(zip, crc32(0, m->bytes, (uInt)m->len));
	add32(zip, len);
	add32(zip, m->len);
}

static void add_directory(struct sb_buf *zip)
{
	static const char rest[42] = {0};

	add_bytes(zip, "PK\1\2", 4);
	add_bytes(zip, rest, sizeof(rest));
	add_bytes(zip, "PK\5\6", 4);
	add_bytes(zip, rest, 18);
}

/* What was seen: "name=10;" for a member of ten bytes, "name:0x12345678=10;" with their CRC where
 * they are more than a few; "(name)" for names; "!why;" for what was skipped. */
struct seen {
	struct sb_buf log;
	uLong crc;
	size_t len;
};

static void log_text(struct seen *seen, char *text)
{
	add_bytes(&seen->log, text, strlen(text));
	free(text);
}

static void on_begin(void *self, unsigned depth, const char *inside)
{
	struct seen *seen = self;

	assert_true(depth <= 1);
	if (depth == 1)
		log_text(seen, sb_asprintf("%s=", inside));
	seen->crc = crc32(0, NULL, 0);
	seen->len = 0;
}

static void on_bytes(void *self, unsigned depth, const void *bytes, size_t len)
{
	struct seen *seen = self;

	if (depth == 0)
		return;
	seen->crc = crc32(seen->crc, bytes, (uInt)len);
	seen->len += len;
}

static void on_end(void *self, unsigned depth)
{
	struct seen *seen = self;

	if (depth == 1)
		log_text(seen, sb_asprintf("%zu:%08lx;", seen->len, seen->crc));
}

static void on_text(void *self, unsigned depth, const char *inside, const char *what,
	const void *bytes, size_t len)
{
	(void)depth;
	(void)inside;
	assert_string_equal(what, "name");
	log_text(self, sb_asprintf("(%.*s)", (int)len, (const char *)bytes));
}

static void on_skipped(void *self, const char *inside, const char *why)
{
	(void)inside;
	log_text(self, sb_asprintf("!%s;", why));
}

struct from {
	const struct sb_buf *buf;
	size_t at;
	size_t piece;
};

static ssize_t read_from(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct from *from = self;
	const size_t left = from->buf->len - from->at;
	const size_t most = len < from->piece ? len : from->piece;
	const size_t n = left < most ? left : most;

	(void)err;
	memcpy(bytes, from->buf->data + from->at, n);
	from->at += n;
	return (ssize_t)n;
}

static void assert_seen(const struct sb_buf *zip, const char *expected)
{
	static const size_t pieces[] = {7, 4096, SIZE_MAX};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct seen seen = {.log = SB_BUF_INIT(1 << 20)};
		struct from from = {zip, 0, pieces[i]};
		const struct sb_source source = {read_from, &from};
		const struct sb_nested_visitor visitor = {
			.self = &seen,
			.on_begin = on_begin,
			.on_bytes = on_bytes,
			.on_end = on_end,
			.on_text = on_text,
			.on_skipped = on_skipped,
		};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_nested_read(&source, &visitor, &sb_nested_default_limits, &err), 0);
		assert_string_equal(seen.log.data != NULL ? seen.log.data : "", expected);
		sb_buf_release(&seen.log);
	}
}

#define BUF(name) SB_AUTO_BUF name = SB_BUF_INIT(MAX_BYTES)
#define HELLO "hello=5:3610a686;"

static const struct member hello = {.name = "hello", .bytes = "hello", .len = 5};

/* Bytes that hardly compress, and their name in the log. Caller frees both. */
static char *noise(size_t len, const char *name, char **out_log)
{
	char *bytes = sb_malloc(len);
	uint32_t seed = 5;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (char)(seed >> 25); /* seven bits of eight */
	}
	*out_log = sb_asprintf(
		"(%s)%s=%zu:%08lx;", name, name, len, crc32(0, (const Bytef *)bytes, (uInt)len));
	return bytes;
}

static void members_are_read_however_their_sizes_are_told(void **state)
{
	static const struct member members[] = {
		{.name = "a", .bytes = "hello", .len = 5},
		{.name = "b", .bytes = "hello", .len = 5, .is_stored = true},
		{.name = "c", .bytes = "hello", .len = 5, .flags = SIZES_BEHIND},
		{.name = "d",
			.bytes = "hello",
			.len = 5,
			.flags = SIZES_BEHIND,
			.has_no_marker = 1},
		{.name = "e", .bytes = "", .flags = SIZES_BEHIND},
		{.name = "f", .bytes = "", .is_stored = true},
		{.name = "g/", .bytes = "", .is_stored = true},
		{.name = "h/", .bytes = "hello", .len = 5, .is_stored = true},
		{.name = "i/", .bytes = "hello", .len = 5, .flags = SIZES_BEHIND},
		{.name = "j", .bytes = "hello", .len = 5, .extra = "\xfe\xca\0\0", .extra_len = 4},
		/* And some that libarchive reads. */
		{.name = "k", .bytes = "hello", .len = 5, .extra = "\1\0\0\0", .extra_len = 4},
		{.name = "l", .bytes = "hello", .len = 5, .flags = SIZES_BEHIND},
	};
	BUF(zip);

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		add_member(&zip, &members[i]);
	add_directory(&zip);
	assert_seen(&zip, "(a)a=5:3610a686;(b)b=5:3610a686;(c)c=5:3610a686;(d)d=5:3610a686;"
			  "(e)e=0:00000000;(f)f=0:00000000;(g/)(h/)(i/)(j)j=5:3610a686;"
			  "(k)k=5:3610a686;(l)l=5:3610a686;");
}

static void large_members_are_read_to_their_end(void **state)
{
	static const size_t sizes[] = {20000, 60000, 300000, 3 << 20};

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		sb_autofree char *log = NULL;
		sb_autofree char *bytes = noise(sizes[i / 3], "large", &log);
		const struct member large = {
			.name = "large",
			.bytes = bytes,
			.len = sizes[i / 3],
			.flags = i % 3 == 0 ? SIZES_BEHIND : 0,
			.is_stored = i % 3 == 1,
		};
		sb_autofree char *expected = sb_asprintf("%s(hello)%s", log, HELLO);
		BUF(zip);

		add_member(&zip, &large);
		add_member(&zip, &hello);
		add_directory(&zip);
		assert_seen(&zip, expected);
	}
}

static void a_name_of_windows_is_a_way_through_folders(void **state)
{
	const struct member other = {.name = "a\\b", .bytes = "hello", .len = 5};
	BUF(zip);

	(void)state;
	add_member(&zip, &hello);
	add_member(&zip, &other);
	add_member(&zip, &hello);
	add_directory(&zip);
	assert_seen(&zip, "(hello)" HELLO "(a/b)a/b=5:3610a686;(hello)" HELLO);
}

/* The magic alone, in a program's data. */
static void chance_makes_no_noise(void **state)
{
	BUF(program);

	(void)state;
	add_bytes(&program, "\177ELF", 4);
	add_member(&program, &hello);
	program.len = 4 + 30 + strlen("hello") + 2;
	assert_seen(&program, "(hello)hello=1:916b06e7;");
}

static void encrypted_members_are_told(void **state)
{
	const struct member locked = {.name = "locked",
		.bytes = "hello",
		.len = 5,
		.flags = ENCRYPTED,
		.is_stored = true};
	BUF(zip);

	(void)state;
	add_member(&zip, &hello);
	add_member(&zip, &locked);
	add_member(&zip, &hello);
	add_directory(&zip);
	assert_seen(&zip, "(hello)" HELLO "(locked)!it is encrypted;(hello)" HELLO);
}

static void what_stands_between_members_is_passed_over(void **state)
{
	BUF(zip);

	(void)state;
	add_member(&zip, &hello);
	add_bytes(&zip, "PPK\3 PK PK\7\10PK", 14);
	add_member(&zip, &hello);
	add_directory(&zip);
	assert_seen(&zip, "(hello)" HELLO "(hello)" HELLO);
}

static void damage_ends_a_member_and_is_told(void **state)
{
	const size_t at = 30 + strlen("hello"); /* of the first content */
	BUF(zip);
	BUF(cut);

	(void)state;
	add_member(&zip, &hello);
	add_member(&zip, &hello);
	add_directory(&zip);
	add_bytes(&cut, zip.data, at + 2);
	zip.data[at] = 7; /* a block of a kind that is none */
	assert_seen(&zip, "(hello)hello=0:00000000;!a zip archive that is damaged or cut off;"
			  "(hello)" HELLO);
	assert_seen(&cut, "(hello)hello=1:916b06e7;!a zip archive that is damaged or cut off;");
}

static void sizes_that_lie_do_no_harm(void **state)
{
	enum { AT_PACKED_BYTES = 18 };
	BUF(zip);

	(void)state;
	add_member(&zip, &hello);
	add_member(&zip, &hello);
	add_directory(&zip);
	zip.data[AT_PACKED_BYTES] += 9;
	assert_seen(&zip, "(hello)" HELLO "(hello)" HELLO);
	zip.data[AT_PACKED_BYTES] = 2;
	assert_seen(&zip, "(hello)hello=1:916b06e7;!a zip archive that is damaged or cut off;"
			  "(hello)" HELLO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_read_however_their_sizes_are_told),
		cmocka_unit_test(large_members_are_read_to_their_end),
		cmocka_unit_test(a_name_of_windows_is_a_way_through_folders),
		cmocka_unit_test(chance_makes_no_noise),
		cmocka_unit_test(encrypted_members_are_told),
		cmocka_unit_test(what_stands_between_members_is_passed_over),
		cmocka_unit_test(damage_ends_a_member_and_is_told),
		cmocka_unit_test(sizes_that_lie_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
