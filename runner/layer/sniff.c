/* SPDX-License-Identifier: MIT */
#include "layer/sniff.h"

#include <archive.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/ustar.h"

enum {
	CHUNK = 32 << 10,
	/* What may be read of the file while looking for the first header: a bzip2 block is 900
	 * KiB, pax headers come before the entry they describe. */
	MAX_READ = 8 << 20,
	MAX_FILTERS = 2, /* one compression, and libarchive's "none" at the bottom */
};

struct sniff_source {
	int fd;
	off_t offset;
	int os_errno; /* of a read that failed */
	char chunk[CHUNK];
};

static la_ssize_t read_chunk(struct archive *archive, void *data, const void **out_bytes)
{
	struct sniff_source *source = data;
	ssize_t n = 0;

	if (source->offset < MAX_READ)
		do
			n = pread(source->fd, source->chunk, sizeof(source->chunk), source->offset);
		while (n < 0 && errno == EINTR);
	if (n < 0) {
		source->os_errno = errno;
		archive_set_error(archive, errno, "read");
		return -1;
	}
	source->offset += n;
	*out_bytes = source->chunk;
	return n;
}

static void free_archive(struct archive **archive)
{
	if (*archive != NULL)
		(void)archive_read_free(*archive);
}

/* Cheap and safe: what is none of the four compressions and has no tar checksum never reaches
 * libarchive. */
bool sb_layer_looks_like_tar(const void *bytes, size_t len)
{
	const unsigned char *head = bytes;
	static const struct {
		const char *magic;
		size_t len;
	} compressed[] = {
		{"\x1f\x8b", 2},
		{"BZh", 3},
		{"\xfd"
		 "7zXZ",
			5},
		{"\x28\xb5\x2f\xfd", 4},
	};

	for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++)
		if (len >= compressed[i].len &&
			memcmp(head, compressed[i].magic, compressed[i].len) == 0)
			return true;
	return len >= SB_TAR_BLOCK && head[0] != '\0' && sb_ustar_has_valid_sum(head);
}

/* A filter or format that this libarchive lacks (ARCHIVE_WARN: it would run a program for it) is
 * not used. */
static void support_tar(struct archive *archive)
{
	(void)archive_read_support_filter_gzip(archive);
	(void)archive_read_support_filter_bzip2(archive);
	(void)archive_read_support_filter_xz(archive);
	(void)archive_read_support_filter_zstd(archive);
	(void)archive_read_support_format_tar(archive);
}

int sb_layer_sniff_tar(int fd, bool *out_is_tar, struct sb_error *err)
{
	sb_autofree struct sniff_source *source = sb_malloc(sizeof(*source));
	__attribute__((cleanup(free_archive))) struct archive *archive = NULL;
	struct archive_entry *entry = NULL;
	ssize_t n = 0;

	do
		n = pread(fd, source->chunk, 512, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sb_fail_errno(err, "read");
	if (!sb_layer_looks_like_tar((const unsigned char *)source->chunk, (size_t)n)) {
		*out_is_tar = false;
		return 0;
	}
	source->fd = fd;
	source->offset = 0;
	source->os_errno = 0;
	archive = archive_read_new();
	SB_BUG_ON(archive == NULL);
	support_tar(archive);

	const int rc = archive_read_open(archive, source, NULL, read_chunk, NULL);
	const int header_rc =
		rc == ARCHIVE_OK ? archive_read_next_header(archive, &entry) : ARCHIVE_FATAL;

	if (source->os_errno != 0) {
		errno = source->os_errno;
		return sb_fail_errno(err, "read");
	}
	/* WARN: the header is good, something in it (a name's encoding) is unusual. */
	*out_is_tar = (header_rc == ARCHIVE_OK || header_rc == ARCHIVE_WARN) &&
		      archive_filter_count(archive) <= MAX_FILTERS;
	return 0;
}
