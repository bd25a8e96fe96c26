/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_NESTED_PRIVATE_H
#define SB_LEAK_NESTED_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/nested.h"

/* What the files of leak/nested share: one content's reading, the streams in it, and the formats
 * that are undone. */

struct sb_nested_run {
	const struct sb_nested_visitor *visitor;
	const struct sb_nested_limits *limits;
	struct sb_error *err;
	uint64_t content_bytes;  /* at depth 0, so far */
	uint64_t unpacked_bytes; /* at all others */
	uint64_t n_members;
	bool has_failed; /* err is set */
	bool is_done;    /* the visitor's answer */
	bool is_over;    /* a limit of the whole content was met: nothing more is unpacked */
};

/*
 * One stream: a window over its source. Whatever comes into the window was shown to the visitor.
 * The bytes that were not consumed are [at, len).
 */
struct sb_nested_input {
	struct sb_nested_run *run;
	const struct sb_source *source;
	unsigned depth;
	const char *inside; /* NULL at depth 0 */
	char *bytes;
	size_t at;
	size_t len;
	uint64_t start; /* offset of bytes[0] in the stream */
	bool at_end;    /* of the source */
	/* Of the packed thing that is being undone: whether it begins the stream, which leaves no
	 * doubt about what it is; and what came out of it. */
	bool is_certain;
	uint64_t n_unpacked;
};
enum {
	SB_NESTED_WINDOW = 64 << 10,
	SB_NESTED_MAGIC = 512,                         /* so much of it tells what something is */
	SB_NESTED_MAX_FILL = SB_NESTED_WINDOW / 4 * 3, /* the rest is for going back */
};

/* True when the reading is to end, at all depths. */
bool sb_nested_is_stopped(const struct sb_nested_run *run);
/* Has at least `want` bytes (SB_NESTED_MAX_FILL at most) unconsumed, or all that there are until
 * the end. False where there are none. */
bool sb_nested_fill(struct sb_nested_input *in, size_t want);
static inline const char *sb_nested_at(const struct sb_nested_input *in)
{
	return in->bytes + in->at;
}
static inline size_t sb_nested_left(const struct sb_nested_input *in)
{
	return in->len - in->at;
}
static inline uint64_t sb_nested_offset(const struct sb_nested_input *in)
{
	return in->start + in->at;
}
/* Consumes what is in the window up to this offset, and no more; or goes back to it, as far as the
 * window reaches. */
void sb_nested_seek(struct sb_nested_input *in, uint64_t offset);

/* One packed thing at the input's position. The undoing consumes it, reads what is in it, and tells
 * the visitor what can't be read. */
struct sb_nested_format {
	const char *name; /* "a gzip stream" */
	void (*unpack)(struct sb_nested_input *in, const struct sb_nested_format *format);
	int code; /* libarchive's, of a filter or a format */
};
void sb_nested_unpack_stream(struct sb_nested_input *in, const struct sb_nested_format *format);
void sb_nested_unpack_archive(struct sb_nested_input *in, const struct sb_nested_format *format);
void sb_nested_unpack_gzip(struct sb_nested_input *in, const struct sb_nested_format *format);
void sb_nested_unpack_zlib(struct sb_nested_input *in, const struct sb_nested_format *format);
void sb_nested_unpack_pack(struct sb_nested_input *in, const struct sb_nested_format *format);
void sb_nested_unpack_zip(struct sb_nested_input *in, const struct sb_nested_format *format);
void sb_nested_unpack_none(struct sb_nested_input *in, const struct sb_nested_format *format);

/* What these bytes begin, or NULL. Formats that so little tells from other data that they are only
 * looked for where a stream begins are left out otherwise. */
const struct sb_nested_format *sb_nested_detect(const char *bytes, size_t len, bool at_start);

/* What a stream that is not packed may have something packed behind. */
enum sb_nested_plain {
	SB_NESTED_PLAIN,   /* nothing */
	SB_NESTED_PROGRAM, /* a zip, anywhere */
	SB_NESTED_SCRIPT,  /* anything, at the beginning of a line; a zip, anywhere */
};
enum sb_nested_plain sb_nested_plain_kind(const char *bytes, size_t len);
/* The first place that may begin something packed, or `len`. is_line_start: bytes[0] is one. */
size_t sb_nested_find(enum sb_nested_plain kind, const char *bytes, size_t len, bool is_line_start);

/* A member (name NULL: it has none) in the stream: reads it, at the next depth, to the end that its
 * source has. */
void sb_nested_read_member(
	struct sb_nested_input *in, const char *name, const struct sb_source *source);
/* To be called before each member, or whatever else takes time: false once there were too many. */
bool sb_nested_count_member(struct sb_nested_input *in);
/* Bytes that were unpacked: false, and nothing more is to be unpacked, once they are out of all
 * proportion. */
bool sb_nested_count_bytes(struct sb_nested_input *in, size_t n);
/* Tells that the packed thing ended before its end, or is none that can be read; unless it was none
 * at all: fewer bytes than `evidence` came out of it. */
void sb_nested_skip_damaged(
	const struct sb_nested_input *in, const struct sb_nested_format *format, uint64_t evidence);
/* name NULL: the stream itself. */
void sb_nested_skip(const struct sb_nested_input *in, const char *name, const char *why);
void sb_nested_text(const struct sb_nested_input *in, const char *name, const char *what,
	const void *bytes, size_t len);

#endif
