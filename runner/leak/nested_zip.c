/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "leak/nested_inflate.h"

/*
 * Zip archives, member after member (PKZIP APPNOTE 4.3.7 and on), as libarchive reads them from a
 * stream, but several times as fast: jars and wheels are a large part of many images. This reads
 * what nearly all members are, stored or deflated under a plain name; from the first that is
 * anything else on, libarchive does.
 */
enum {
	SIGNATURE = 4,
	HEADER = 30,
	AT_SYSTEM = 5,
	AT_FLAGS = 6,
	AT_METHOD = 8,
	AT_PACKED_BYTES = 18,
	AT_BYTES = 22,
	AT_NAME_LEN = 26,
	AT_EXTRA_LEN = 28,
	METHOD_STORED = 0,
	METHOD_DEFLATED = 8,
	FLAG_LEVEL = 3 << 1,
	FLAG_SIZES_BEHIND = 1 << 3,
	FLAG_UTF8 = 1 << 11,
	DESCRIPTOR = 12,        /* CRC and sizes behind the content; a signature may come first */
	BEHIND_DESCRIPTOR = 24, /* at least so much follows where one begins */
	LONGEST = UINT32_MAX,   /* zip64 says it elsewhere */
};

struct member {
	char *name;
	bool is_folder;
	bool is_deflated;
	bool has_sizes_behind;
	uint64_t packed_bytes; /* 0 where they are told behind */
};

static unsigned get16(const char *p)
{
	return (unsigned)(uint8_t)p[0] | (unsigned)(uint8_t)p[1] << 8;
}

static uint32_t get32(const char *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static bool is_signature(const char *p, const char *which)
{
	return p[0] == 'P' && p[1] == 'K' && p[2] == which[0] && p[3] == which[1];
}

/* Fields that say how large, what or how packed the member is. */
static bool is_plain_extra(const char *extra, size_t len)
{
	enum { ZIP64 = 0x0001, MODE = 0x6c78, UNICODE_NAME = 0x7075, AES = 0x9901, FIELD = 4 };

	while (len >= FIELD) {
		const unsigned id = get16(extra);
		const size_t n = FIELD + get16(extra + 2);

		if (n > len || id == ZIP64 || id == MODE || id == UNICODE_NAME || id == AES)
			return false;
		extra += n;
		len -= n;
	}
	return len == 0;
}

/* One that means the same in all encodings, and on all systems. */
static bool is_plain_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] == '\0' || (uint8_t)name[i] >= 0x80 || name[i] == '\\')
			return false;
	return len > 0;
}

static bool is_plain_method(unsigned flags, unsigned method, const char *header)
{
	const uint32_t packed_bytes = get32(header + AT_PACKED_BYTES);
	const bool has_sizes_behind = (flags & FLAG_SIZES_BEHIND) != 0;

	if ((flags & ~(unsigned)(FLAG_LEVEL | FLAG_SIZES_BEHIND | FLAG_UTF8)) != 0)
		return false;
	if (packed_bytes == LONGEST || get32(header + AT_BYTES) == LONGEST)
		return false;
	if (has_sizes_behind && packed_bytes != 0)
		return false;
	return method == METHOD_DEFLATED || (method == METHOD_STORED && !has_sizes_behind);
}

/* Consumes the member's header, if it is a plain one. Caller frees the name. */
static bool take_header(struct sb_nested_input *in, struct member *out)
{
	if (!sb_nested_fill(in, HEADER) || sb_nested_left(in) < HEADER)
		return false;

	const unsigned name_len = get16(sb_nested_at(in) + AT_NAME_LEN);
	const size_t len = HEADER + name_len + get16(sb_nested_at(in) + AT_EXTRA_LEN);

	if (len > SB_NESTED_MAX_FILL || !sb_nested_fill(in, len) || sb_nested_left(in) < len)
		return false;

	const char *header = sb_nested_at(in);
	const char *name = header + HEADER;
	const unsigned flags = get16(header + AT_FLAGS);
	const unsigned method = get16(header + AT_METHOD);

	if (!is_plain_method(flags, method, header) || !is_plain_name(name, name_len) ||
		!is_plain_extra(name + name_len, len - HEADER - name_len))
		return false;
	*out = (struct member){
		.name = sb_memdup0(name, name_len),
		.is_folder = name[name_len - 1] == '/',
		.is_deflated = method == METHOD_DEFLATED,
		.has_sizes_behind = (flags & FLAG_SIZES_BEHIND) != 0,
		.packed_bytes = get32(header + AT_PACKED_BYTES),
	};
	in->at += len;
	return true;
}

/* What is stored as it is. */
struct stored {
	struct sb_nested_input *in;
	uint64_t left;
};

static ssize_t read_stored(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct stored *s = self;
	struct sb_nested_input *in = s->in;

	(void)err; /* set by the source of it all */
	if (s->left == 0)
		return 0;
	if (!sb_nested_fill(in, 1))
		return in->run->has_failed ? -1 : 0;

	const size_t here = sb_nested_left(in) < len ? sb_nested_left(in) : len;
	const size_t n = s->left < here ? (size_t)s->left : here;

	if (!sb_nested_count_bytes(in, n))
		return 0;
	memcpy(bytes, sb_nested_at(in), n);
	in->at += n;
	s->left -= n;
	return (ssize_t)n;
}

/* What a folder has for content is nothing that anybody unpacks. */
static void pass_over(const struct sb_source *source)
{
	char piece[4096];
	SB_AUTO_ERROR never = SB_ERROR_INIT; /* the source tells the one of it all */

	while (source->read(source->self, piece, sizeof(piece), &never) > 0)
		;
}

static void read_source(
	struct sb_nested_input *in, const struct member *member, const struct sb_source *source)
{
	if (member->is_folder)
		pass_over(source);
	else
		sb_nested_read_member(in, member->name, source);
}

static bool read_plain(struct sb_nested_input *in, const struct member *member)
{
	struct stored stored = {in, member->packed_bytes};
	const struct sb_source source = {read_stored, &stored};

	read_source(in, member, &source);
	return stored.left == 0;
}

static bool read_deflated(
	struct sb_nested_input *in, struct sb_inflate *inflate, const struct member *member)
{
	struct sb_inflating z = {
		.in = in,
		.inflate = inflate,
		.is_limited = !member->has_sizes_behind,
		.limit = member->packed_bytes,
	};
	const struct sb_source source = {sb_inflating_read, &z};

	if (member->is_folder && !member->has_sizes_behind && member->packed_bytes == 0)
		return true;
	sb_inflate_begin(inflate);
	read_source(in, member, &source);
	return z.state == SB_INFLATE_END;
}

static bool pass_descriptor(struct sb_nested_input *in)
{
	if (!sb_nested_fill(in, BEHIND_DESCRIPTOR) || sb_nested_left(in) < BEHIND_DESCRIPTOR)
		return false;
	if (is_signature(sb_nested_at(in), "\7\10"))
		in->at += SIGNATURE;
	in->at += DESCRIPTOR;
	return true;
}

/* False where it breaks off, or is to be read no further. */
static bool read_content(
	struct sb_nested_input *in, struct sb_inflate *inflate, const struct member *member)
{
	const bool is_sound =
		member->is_deflated ? read_deflated(in, inflate, member) : read_plain(in, member);

	if (in->run->is_over || sb_nested_is_stopped(in->run))
		return false;
	return is_sound && (!member->has_sizes_behind || pass_descriptor(in));
}

enum next { NEXT_MEMBER, NEXT_DIRECTORY, NEXT_NOTHING };

/* Goes to the next member, over whatever stands before it. */
static enum next find_next(struct sb_nested_input *in)
{
	while (sb_nested_fill(in, SIGNATURE) && sb_nested_left(in) >= SIGNATURE) {
		const char *p = sb_nested_at(in);
		const char *mark = memchr(p, 'P', sb_nested_left(in) - SIGNATURE + 1);

		if (is_signature(p, "\3\4"))
			return NEXT_MEMBER;
		if (is_signature(p, "\1\2") || is_signature(p, "\5\6") || is_signature(p, "\6\6"))
			return NEXT_DIRECTORY;
		if (mark == NULL)
			in->at += sb_nested_left(in) - SIGNATURE + 1;
		else
			in->at += mark > p ? (size_t)(mark - p) : 1;
	}
	return NEXT_NOTHING;
}

static bool read_member(
	struct sb_nested_input *in, struct sb_inflate *inflate, const struct member *member)
{
	if (!sb_nested_count_member(in))
		return false;
	sb_nested_text(in, member->name, "name", member->name, strlen(member->name));
	return read_content(in, inflate, member);
}

/* Programs have the magic in their data: what broke off in its first member, and soon, was none. */
static void tell_damage(
	const struct sb_nested_input *in, const struct sb_nested_format *format, bool has_sound)
{
	enum { EVIDENCE = 1024 };

	sb_nested_skip_damaged(in, format, in->is_certain || has_sound ? 0 : EVIDENCE);
}

void sb_nested_unpack_zip(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	SB_AUTO(sb_inflate) inflate = sb_inflate_new(SB_INFLATE_RAW);
	enum next next = NEXT_MEMBER;
	bool has_sound = false;

	while (inflate != NULL && (next = find_next(in)) == NEXT_MEMBER) {
		struct member member = {0};

		if (!take_header(in, &member))
			break;

		const uint64_t header_end = sb_nested_offset(in);
		const bool is_sound = read_member(in, inflate, &member);

		free(member.name);
		has_sound |= is_sound;
		if (is_sound)
			continue;
		tell_damage(in, format, has_sound);
		/* What broke off may have been passed over in search of its end. */
		sb_nested_seek(in, header_end);
		return;
	}
	if (next == NEXT_MEMBER)
		sb_nested_unpack_archive(in, format);
	else if (next == NEXT_NOTHING)
		tell_damage(in, format, has_sound);
}
