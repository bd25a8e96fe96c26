/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_NESTED_H
#define SB_LEAK_NESTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * What is packed in a content: gzip, zstd, xz, bzip2, lzip, lz4 and compress streams, zip (jar,
 * whl), tar, ar (deb), cpio and rpm archives, zlib streams (git's loose objects) and git packs, one
 * in the other. A format is known by its content, never by its name. Nothing is written to disk,
 * and memory does not grow with bytes.
 *
 * Something packed is looked for where a stream begins, and behind what was packed before (an
 * initramfs of two archives). In a stream that begins as a program or a script (self-extracting
 * archives, zipapps), and behind something packed, a zip is found anywhere; in a script what begins
 * a line too. Any other stream costs a look at its first bytes.
 *
 * Of a hole in a sparse file 1 MiB is read. Differences in git packs are read as what they add,
 * with a NUL in place of what they take from another object: a secret of which the pack holds one
 * part in one object and the other in the next is not put together. 7-Zip, RAR and file system
 * images are not undone. Of a stream that is damaged or cut off, and is not gzip or zlib, up to the
 * last 128 KiB that could be unpacked may be missing.
 */

/* Where bytes come from: read gives 0 at the end, -1 with err set. */
struct sb_source {
	ssize_t (*read)(void *self, void *bytes, size_t len, struct sb_error *err);
	void *self;
};

/*
 * Told of every stream that there is: the content itself at depth 0, what was unpacked from it at
 * depth 1, and so on. While a stream goes on, those inside it begin and end; so each depth has one
 * open stream at most. `inside` is the way from the content to the stream, "lib.jar!etc/token" for
 * a member of a zip in a tar, "" where a layer of packing has no name (gzip), NULL at depth 0;
 * escaped as base/escape.h does, borrowed for the call. Members' names, link targets and attributes
 * come as streams of their own, whole, by on_text (`what` is static: "name", "link target",
 * "attribute").
 */
struct sb_nested_visitor {
	void *self;
	void (*on_begin)(void *self, unsigned depth, const char *inside);
	void (*on_bytes)(void *self, unsigned depth, const void *bytes, size_t len);
	void (*on_end)(void *self, unsigned depth);
	void (*on_text)(void *self, unsigned depth, const char *inside, const char *what,
		const void *bytes, size_t len);
	/* Something inside can't be looked into: encrypted, damaged, too deep, too large. `why` is
	 * a short clause. What it is made of was given to on_bytes all the same. */
	void (*on_skipped)(void *self, const char *inside, const char *why);
	/* True ends the reading early, as success; or NULL. */
	bool (*is_done)(void *self);
};

struct sb_nested_limits {
	unsigned max_depth; /* SB_NESTED_MAX_DEPTH at most */
	uint64_t max_ratio; /* unpacked to packed bytes, once min_ratio_bytes were unpacked */
	uint64_t min_ratio_bytes;
	uint64_t max_members; /* of one content, over all depths */
};
enum { SB_NESTED_MAX_DEPTH = 8 };
extern const struct sb_nested_limits sb_nested_default_limits;

/*
 * Reads the source to its end, whatever is found in it. An error is only the source's own, or the
 * interrupt's. libarchive is loaded when the first archive is met.
 */
int sb_nested_read(const struct sb_source *source, const struct sb_nested_visitor *visitor,
	const struct sb_nested_limits *limits, struct sb_error *err) SB_MUST_USE;

/* Whether sb_nested_read may find something packed in a content that begins so. Fewer bytes than
 * 512 don't tell enough, if they are not all of it: then it is true. */
bool sb_nested_may_be_in(const void *head, size_t len, bool is_all);
/* Whether a content that begins so, with 512 bytes or all of it, is itself something packed. */
bool sb_nested_is_packed(const void *head, size_t len);

#endif
