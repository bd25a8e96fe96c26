/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_TAR_READER_H
#define SB_INSPECT_TAR_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/error.h"

/*
 * Reads a tar so that every byte of it is accounted for: as a header, as content, as padding, or as
 * what stands behind the end. (A library that gives entries hides the bytes between them, where a
 * secret is as readable as elsewhere.)
 *
 * v7, ustar, star, GNU (long names, sparse, base-256 numbers) and PAX (sparse 0.0, 0.1 and 1.0).
 * What is read and what is refused follows Go's archive/tar, by which most engines unpack layers.
 * Global PAX headers say nothing about entries. Names are bytes, of whatever encoding.
 */

/* Where the archive comes from: the next piece, valid until the next call; 0 at the end. */
struct sb_tar_source {
	ssize_t (*next)(void *self, const void **out_bytes, struct sb_error *err);
	void *self;
};

struct sb_tar_attribute {
	char *name;
	char *value; /* len bytes */
	size_t len;
};

struct sb_tar_entry {
	char type;   /* '0' a file, '1' a hard link, '2' a symbolic one, '3' and '4' devices, '5' a
			folder, '6' a FIFO; else as it stands in the header */
	char *path;  /* as the archive has it */
	char *link;  /* target, or NULL */
	mode_t mode; /* permission bits, setuid, setgid, sticky */
	uint32_t uid;
	uint32_t gid;
	uint32_t major;
	uint32_t minor;
	uint64_t stored_bytes; /* of content in the archive */
	uint64_t real_bytes;   /* the same with the holes of a sparse file */
	SB_ARRAY(struct sb_tar_attribute) attributes;
	const char *oddity; /* what is wrong with its headers, a static clause, or NULL */
};

/* A run of bytes in the archive. */
struct sb_tar_region {
	uint64_t offset;
	const char *bytes;
	size_t len;
};

struct sb_tar_reader;
struct sb_tar_reader *sb_tar_reader_new(const struct sb_tar_source *source);
void sb_tar_reader_free(struct sb_tar_reader *reader);
SB_DEFINE_FREEP(sb_tar_reader)

/* The next entry, borrowed until the next call, or NULL at the archive's end. The content of the
 * one before must have been read to its end. */
int sb_tar_reader_next(struct sb_tar_reader *reader, const struct sb_tar_entry **out,
	struct sb_error *err) SB_MUST_USE;
/* All headers that belong to the entry; at the end and after a failure, what was read last. */
struct sb_tar_region sb_tar_reader_header(const struct sb_tar_reader *reader);
/* The next piece of the entry's content and where in the file it stands; 0 at the end. */
ssize_t sb_tar_reader_data(struct sb_tar_reader *reader, const void **out_bytes, uint64_t *out_at,
	struct sb_error *err) SB_MUST_USE;
/* Reads the padding behind the content; of length 0 where it is zeros, as it should be. */
int sb_tar_reader_padding(
	struct sb_tar_reader *reader, struct sb_tar_region *out, struct sb_error *err) SB_MUST_USE;
/* The next piece of what stands behind the archive's end, or behind the place of a failure. */
ssize_t sb_tar_reader_rest(
	struct sb_tar_reader *reader, const void **out_bytes, struct sb_error *err) SB_MUST_USE;
/* Of the next byte. */
uint64_t sb_tar_reader_offset(const struct sb_tar_reader *reader);

#endif
