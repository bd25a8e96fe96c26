/* SPDX-License-Identifier: MIT */
#include "oci/spool.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/ustar.h"
#include "sys/fd.h"
#include "sys/transfer.h"

/* A compressed megabyte can claim to be terabytes; no image that anyone loads comes near this. */
static const uint64_t max_spool_bytes = UINT64_C(256) << 30;

static const struct {
	const char *bytes;
	size_t len;
} magics[] = {
	{"\x1f\x8b", 2},
	{"\x28\xb5\x2f\xfd", 4},
	{"BZh", 3},
	{"\xfd"
	 "7zXZ",
		5},
};

struct source {
	int fd;
	bool is_seekable;
	uint64_t offset;
	struct sb_interrupt *interrupt;
	struct sb_error error; /* while libarchive stands in between */
	char chunk[64 << 10];
};

static ssize_t read_at(struct source *source)
{
	ssize_t n = -1;

	if (sb_interrupt_check(source->interrupt, &source->error) < 0)
		return -1;
	do
		n = pread(source->fd, source->chunk, sizeof(source->chunk), (off_t)source->offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? sb_fail_errno(&source->error, "read") : n;
}

static ssize_t read_next(struct source *source)
{
	return sb_transfer_read(source->interrupt, source->fd, source->chunk, sizeof(source->chunk),
		&source->error);
}

static la_ssize_t read_source(struct archive *a, void *data, const void **out)
{
	struct source *source = data;
	const ssize_t n = source->is_seekable ? read_at(source) : read_next(source);

	if (n < 0) {
		archive_set_error(a, EIO, "read");
		return -1;
	}
	source->offset += (uint64_t)n;
	*out = source->chunk;
	return n;
}

static void archive_freep(struct archive **a)
{
	if (*a != NULL)
		(void)archive_read_free(*a);
}

static void source_freep(struct source **source)
{
	sb_error_release(&(*source)->error);
	free(*source);
}

int sb_spool_is_needed(int fd, bool *out, struct sb_error *err)
{
	struct stat st;
	char first[SB_TAR_BLOCK] = {0};
	const struct sb_ustar *header = (const void *)first;

	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "stat");
	*out = !S_ISREG(st.st_mode);
	if (*out || pread(fd, first, sizeof(first), 0) < 0)
		return 0;
	/* A tar archive starts with a file's name, which may look like anything. */
	if (memcmp(header->magic, "ustar", 5) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (memcmp(first, magics[i].bytes, magics[i].len) == 0)
			*out = true;
	return 0;
}

static int fail_read(struct archive *a, struct source *source, struct sb_error *err)
{
	const char *text = archive_error_string(a);

	if (sb_error_is_set(&source->error)) {
		sb_error_move(err, &source->error);
		return -1;
	}
	return sb_fail(err, SB_E_INTEGRITY, "the compressed archive is broken: %s",
		text != NULL ? text : "unreadable");
}

static int open_filters(struct archive *a, struct source *source, struct sb_error *err)
{
	if (archive_read_support_format_raw(a) != ARCHIVE_OK ||
		archive_read_support_format_empty(a) != ARCHIVE_OK ||
		archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
		archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
		archive_read_support_filter_xz(a) != ARCHIVE_OK ||
		archive_read_support_filter_zstd(a) != ARCHIVE_OK)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"libarchive was built without gzip, bzip2, xz or zstd");
	if (archive_read_set_read_callback(a, read_source) != ARCHIVE_OK ||
		archive_read_set_callback_data(a, source) != ARCHIVE_OK ||
		archive_read_open1(a) != ARCHIVE_OK)
		return fail_read(a, source, err);
	return 0;
}

static int copy_data(struct archive *a, struct source *source, int to, struct sb_error *err)
{
	enum { CHUNK = 256 << 10 };
	sb_autofree char *chunk = sb_malloc(CHUNK);
	uint64_t total = 0;

	for (;;) {
		if (sb_interrupt_check(source->interrupt, err) < 0)
			return -1;

		const la_ssize_t n = archive_read_data(a, chunk, CHUNK);

		if (n == ARCHIVE_RETRY)
			continue;
		if (n < 0)
			return fail_read(a, source, err);
		if (n == 0)
			return 0;
		if (total == 0 && n >= SB_TAR_BLOCK && !sb_ustar_has_valid_sum(chunk))
			return sb_fd_write_all(to, chunk, (size_t)n, err);
		total += (uint64_t)n;
		if (total > max_spool_bytes)
			return sb_fail(err, SB_E_LIMIT, "the archive unpacks to more than 256 GiB");
		if (sb_fd_write_all(to, chunk, (size_t)n, err) < 0)
			return sb_error_hint(err, "an image from a pipe, or compressed as a whole, "
						  "is laid into $TMPDIR (/tmp) first");
	}
}

int sb_spool(
	int fd, int tmp_dir_fd, struct sb_interrupt *interrupt, int *out_fd, struct sb_error *err)
{
	__attribute__((cleanup(archive_freep))) struct archive *a = archive_read_new();
	__attribute__((cleanup(source_freep))) struct source *source = SB_NEW(struct source);
	struct archive_entry *entry = NULL;
	sb_autofd int to = -1;
	struct stat st;
	int rc = ARCHIVE_OK;

	SB_BUG_ON(a == NULL);
	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "stat");
	source->fd = fd;
	source->interrupt = interrupt;
	source->is_seekable = S_ISREG(st.st_mode);
	if (sb_fd_unnamed(tmp_dir_fd, &to, err) < 0 || open_filters(a, source, err) < 0)
		return -1;
	rc = archive_read_next_header(a, &entry);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN && rc != ARCHIVE_EOF)
		return fail_read(a, source, err);
	if (rc != ARCHIVE_EOF && copy_data(a, source, to, err) < 0)
		return -1;
	*out_fd = sb_fd_steal(&to);
	return 0;
}
