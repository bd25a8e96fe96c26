/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_INSPECT_TAR_FIXTURE_H
#define SB_TESTS_INSPECT_TAR_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * Layers for tests, in memory. An entry's kind is a character: f file (size bytes of `fill`, or
 * `content`), d folder, l symbolic link, h hard link; a list ends with kind 0.
 */
struct fixture_entry {
	char kind;
	const char *path;
	size_t size;
	char fill;
	const char *content; /* instead of size and fill */
	const char *target;
	const char *attribute; /* value of user.note, or NULL */
};

struct fixture {
	char *bytes;
	size_t len;
	size_t at;   /* where a reader stands */
	size_t step; /* bytes a read; 0: as many as asked for */
};

static inline void fixture_add(struct archive *a, const struct fixture_entry *e)
{
	struct archive_entry *entry = archive_entry_new();
	const size_t size = e->content != NULL && e->size == 0 ? strlen(e->content) : e->size;
	char *bytes = sb_malloc(size + 1);

	memset(bytes, e->fill, size);
	if (e->content != NULL)
		memcpy(bytes, e->content, size); /* size 0: a text */
	archive_entry_set_pathname(entry, e->path);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_filetype(entry, e->kind == 'd'   ? AE_IFDIR
					  : e->kind == 'l' ? AE_IFLNK
							   : AE_IFREG);
	if (e->kind == 'l')
		archive_entry_set_symlink(entry, e->target);
	if (e->kind == 'h')
		archive_entry_set_hardlink(entry, e->target);
	archive_entry_set_size(entry, e->kind == 'f' ? (la_int64_t)size : 0);
	if (e->attribute != NULL)
		archive_entry_xattr_add_entry(
			entry, "user.note", e->attribute, strlen(e->attribute));
	(void)archive_write_header(a, entry);
	if (e->kind == 'f')
		(void)archive_write_data(a, bytes, size);
	free(bytes);
	archive_entry_free(entry);
}

/* filter: ARCHIVE_FILTER_NONE, _GZIP or _ZSTD. The bytes are the caller's to free. */
static inline struct fixture fixture_tar(const struct fixture_entry *entries, int filter)
{
	enum { ROOM = 8 << 20 };
	struct archive *a = archive_write_new();
	struct fixture tar = {.bytes = sb_malloc(ROOM)};

	(void)archive_write_set_format_pax(a);
	(void)archive_write_set_bytes_per_block(a, 512);
	(void)archive_write_set_bytes_in_last_block(a, 1);
	(void)archive_write_add_filter(a, filter);
	(void)archive_write_open_memory(a, tar.bytes, ROOM, &tar.len);
	for (const struct fixture_entry *e = entries; e->kind != 0; e++)
		fixture_add(a, e);
	(void)archive_write_close(a);
	(void)archive_write_free(a);
	return tar;
}

static inline ssize_t fixture_read(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct fixture *f = self;
	size_t n = f->len - f->at;

	(void)err;
	n = n < len ? n : len;
	if (f->step > 0 && n > f->step)
		n = f->step;
	memcpy(bytes, f->bytes + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

#endif
