/* SPDX-License-Identifier: MIT */
#include <archive.h>
#include <string.h>

#include "base/ustar.h"
#include "leak/lanes.h"
#include "leak/nested_private.h"

enum { MAX_MAGIC = 10 };

struct magic {
	const char *bytes;
	size_t len;
	struct sb_nested_format format;
};

#define MAGIC(text) text, sizeof(text) - 1
#define STREAM(name, code) \
	{ \
		name, sb_nested_unpack_stream, code \
	}
#define ARCHIVE(name, code) \
	{ \
		name, sb_nested_unpack_archive, code \
	}

static const struct magic magics[] = {
	{MAGIC("\x1f\x8b\x08"), {"a gzip stream", sb_nested_unpack_gzip, 0}},
	{MAGIC("\x28\xb5\x2f\xfd"), STREAM("a zstd stream", ARCHIVE_FILTER_ZSTD)},
	{MAGIC("\xfd\x37zXZ\0"), STREAM("an xz stream", ARCHIVE_FILTER_XZ)},
	{MAGIC("LZIP\1"), STREAM("an lzip stream", ARCHIVE_FILTER_LZIP)},
	{MAGIC("\x04\x22\x4d\x18"), STREAM("an lz4 stream", ARCHIVE_FILTER_LZ4)},
	{MAGIC("\xed\xab\xee\xdb"), STREAM("an rpm package", ARCHIVE_FILTER_RPM)},
	{MAGIC("!<arch>\n"), ARCHIVE("an ar archive", ARCHIVE_FORMAT_AR)},
	{MAGIC("070701"), ARCHIVE("a cpio archive", ARCHIVE_FORMAT_CPIO)},
	{MAGIC("070702"), ARCHIVE("a cpio archive", ARCHIVE_FORMAT_CPIO)},
	{MAGIC("070707"), ARCHIVE("a cpio archive", ARCHIVE_FORMAT_CPIO)},
	{MAGIC("PACK\0\0\0\2"), {"a git pack", sb_nested_unpack_pack, 0}},
	{MAGIC("PACK\0\0\0\3"), {"a git pack", sb_nested_unpack_pack, 0}},
	{MAGIC("7z\xbc\xaf\x27\x1c"), {"a 7-Zip archive", sb_nested_unpack_none, 0}},
	{MAGIC("Rar!\x1a\7"), {"a RAR archive", sb_nested_unpack_none, 0}},
};
static const struct sb_nested_format bzip2 = STREAM("a bzip2 stream", ARCHIVE_FILTER_BZIP2);
static const struct sb_nested_format compress =
	STREAM("a compress stream", ARCHIVE_FILTER_COMPRESS);
static const struct sb_nested_format zip = {
	"a zip archive", sb_nested_unpack_zip, ARCHIVE_FORMAT_ZIP};
static const struct sb_nested_format tar = ARCHIVE("a tar archive", ARCHIVE_FORMAT_TAR);
static const struct sb_nested_format zlib = {"a zlib stream", sb_nested_unpack_zlib, 0};

/* PKZIP APPNOTE 4.3.7, and what a member can sensibly say of itself. */
enum {
	ZIP_HEADER = 30,
	ZIP_VERSION = 4,
	ZIP_FLAGS = 6,
	ZIP_METHOD = 8,
	ZIP_NAME_LEN = 26,
	ZIP_MAX_VERSION = 63,
	ZIP_UNDEFINED_FLAGS = 0xd780,
	ZIP_MAX_METHOD = 99,
	ZIP_MAX_NAME = 4096,
};

static unsigned get16(const char *p)
{
	return (unsigned)(uint8_t)p[0] | (unsigned)(uint8_t)p[1] << 8;
}

/* Programs that read zip files have its magic in their code: the version's upper byte and the flags
 * that nobody has defined are 0 (APPNOTE 6.3, 4.4.3 and 4.4.4). */
static bool is_zip(const char *p, size_t len)
{
	return len >= ZIP_HEADER && memcmp(p, "PK\3\4", 4) == 0 &&
	       get16(p + ZIP_VERSION) <= ZIP_MAX_VERSION &&
	       (get16(p + ZIP_FLAGS) & ZIP_UNDEFINED_FLAGS) == 0 &&
	       get16(p + ZIP_METHOD) <= ZIP_MAX_METHOD && get16(p + ZIP_NAME_LEN) <= ZIP_MAX_NAME;
}

/* Level, then the mark of a block or, in an empty one, of the end. */
static bool is_bzip2(const char *p, size_t len)
{
	return len >= MAX_MAGIC && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' &&
	       (memcmp(p + 4, "1AY&SY", 6) == 0 || memcmp(p + 4, "\x17rE8P\x90", 6) == 0);
}

/* Bits a code, 9 to 16; two flags that nobody sets. */
static bool is_compress(const char *p, size_t len)
{
	return len >= 4 && memcmp(p, "\x1f\x9d", 2) == 0 && (p[2] & 0x60) == 0 &&
	       (p[2] & 0x1f) >= 9 && (p[2] & 0x1f) <= 16;
}

/* RFC 1950: deflate, a window of 32 KiB at most, the check, no preset dictionary. */
static bool is_zlib(const char *p, size_t len)
{
	return len >= 8 && (p[0] & 0x8f) == 8 && (p[1] & 0x20) == 0 &&
	       ((unsigned)(uint8_t)p[0] << 8 | (uint8_t)p[1]) % 31 == 0;
}

static bool is_tar(const char *p, size_t len)
{
	return len >= SB_TAR_BLOCK && p[0] != '\0' && sb_ustar_has_valid_sum(p);
}

const struct sb_nested_format *sb_nested_detect(const char *bytes, size_t len, bool at_start)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (len >= magics[i].len && memcmp(bytes, magics[i].bytes, magics[i].len) == 0)
			return &magics[i].format;
	if (is_zip(bytes, len))
		return &zip;
	if (is_bzip2(bytes, len))
		return &bzip2;
	if (is_tar(bytes, len))
		return &tar;
	if (!at_start)
		return NULL;
	if (is_compress(bytes, len))
		return &compress;
	return is_zlib(bytes, len) ? &zlib : NULL;
}

static bool begins(const char *bytes, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

/* A git bundle is some lines and a pack (gitformat-bundle(5)). */
enum sb_nested_plain sb_nested_plain_kind(const char *bytes, size_t len)
{
	if (begins(bytes, len, "#!") || begins(bytes, len, "# v2 git bundle\n") ||
		begins(bytes, len, "# v3 git bundle\n"))
		return SB_NESTED_SCRIPT;
	if (begins(bytes, len, "\177ELF") || begins(bytes, len, "MZ"))
		return SB_NESTED_PROGRAM;
	return SB_NESTED_PLAIN;
}

/* Of 16 bytes, where 'P' and 'K' follow each other; 17 are looked at. */
static inline uint32_t find_pk(const char *p)
{
	return sb_lanes_mask(
		(sb_lanes)(sb_lanes_load(p) == 'P') & (sb_lanes)(sb_lanes_load(p + 1) == 'K'));
}

static size_t find_zip(const char *bytes, size_t len)
{
	enum { LANES = sizeof(sb_lanes), STEP = 4 * LANES };
	size_t at = 0;

	for (; len - at > STEP; at += STEP) {
		uint64_t places = 0;

		for (size_t i = 0; i < STEP / LANES; i++)
			places |= (uint64_t)find_pk(bytes + at + i * LANES) << (i * LANES);
		for (; places != 0; places &= places - 1) {
			const size_t place = at + (size_t)__builtin_ctzll(places);

			if (is_zip(bytes + place, len - place))
				return place;
		}
	}
	for (; at < len; at++)
		if (is_zip(bytes + at, len - at))
			return at;
	return len;
}

/* What begins a line and no text: the formats that a script unpacks from its own end. */
static size_t find_line(const char *bytes, size_t len, bool is_line_start)
{
	size_t at = 0;

	while (at < len) {
		if (is_line_start && sb_nested_detect(bytes + at, len - at, false) != NULL)
			return at;

		const char *newline = memchr(bytes + at, '\n', len - at);

		if (newline == NULL)
			return len;
		at = (size_t)(newline - bytes) + 1;
		is_line_start = true;
	}
	return len;
}

size_t sb_nested_find(enum sb_nested_plain kind, const char *bytes, size_t len, bool is_line_start)
{
	const size_t zip_at = find_zip(bytes, len);

	if (kind != SB_NESTED_SCRIPT)
		return zip_at;

	const size_t line_at = find_line(bytes, len, is_line_start);

	return line_at < zip_at ? line_at : zip_at;
}
