/* SPDX-License-Identifier: MIT */
#include "layer/write.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/ustar.h"
#include "layer/ring.h"
#include "layer/search_beside.h"
#include "layer/tar_header.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/transfer.h"

/*
 * This thread reads and makes the tar; another one hashes it, and compresses, hashes and writes the
 * blob; a third one searches it for secrets, where any is known. Without compression the tar is the
 * blob, and this thread writes it, since hashing alone keeps the other one busy.
 */
struct writer {
	const struct sb_layer_write_options *options;
	struct sb_search_beside *beside; /* NULL where there is nothing to search for */
	struct sb_ring *ring;
	uint64_t given_bytes; /* to the ring */
	/* The folder of the last file, so that its siblings are opened by name. */
	char *folder;
	int folder_fd;
	/* The other thread's, until the ring is finished. */
	struct sb_hasher *tar_hasher;
	struct sb_hasher *blob_hasher;
	struct sb_compressor *compressor; /* NULL: uncompressed */
	uint64_t tar_bytes;
	uint64_t blob_bytes;
};

static void writer_release(struct writer *writer)
{
	if (writer->beside != NULL)
		sb_search_beside_cancel(writer->beside);
	sb_ring_free(writer->ring); /* first: the other threads use the rest */
	sb_search_beside_free(writer->beside);
	sb_compressor_free(writer->compressor);
	sb_hasher_free(writer->tar_hasher);
	sb_hasher_free(writer->blob_hasher);
	sb_fd_closep(&writer->folder_fd);
	free(writer->folder);
}

static int write_blob(void *self, const void *bytes, size_t len, struct sb_error *err)
{
	struct writer *writer = self;

	sb_hasher_add(writer->blob_hasher, bytes, len);
	writer->blob_bytes += len;
	if (writer->options->out_fd < 0)
		return 0;
	if (sb_fd_write_all(writer->options->out_fd, bytes, len, err) < 0)
		return sb_error_context(err, "write layer");
	return 0;
}

static int take_tar(void *self, const void *bytes, size_t len, struct sb_error *err)
{
	struct writer *writer = self;

	sb_hasher_add(writer->tar_hasher, bytes, len);
	writer->tar_bytes += len;
	return writer->compressor != NULL ? sb_compressor_write(writer->compressor, bytes, len, err)
					  : 0;
}

static int write_plain(void *self, const void *bytes, size_t len, struct sb_error *err)
{
	const struct writer *writer = self;

	if (sb_transfer_write(
		    writer->options->interrupt, writer->options->out_fd, bytes, len, err) < 0)
		return sb_error_context(err, "write layer");
	return 0;
}

static int search(void *self, struct sb_ring *ring, struct sb_error *err)
{
	const struct writer *writer = self;

	return sb_search_beside_run(writer->beside, ring, err);
}

static int start(struct writer *writer, const struct sb_changes *changes, struct sb_error *err)
{
	const struct sb_layer_write_options *options = writer->options;
	const bool is_plain = options->compression == SB_COMPRESS_NONE;
	const bool is_searched =
		options->search != NULL && sb_content_search_is_active(options->search);
	const struct sb_ring_sinks sinks = {
		.here = is_plain && options->out_fd >= 0 ? write_plain : NULL,
		.there = take_tar,
		.beside = is_searched ? search : NULL,
		.self = writer,
	};

	if (is_searched)
		writer->beside = sb_search_beside_new(changes, options->search);
	writer->tar_hasher = sb_hasher_new();
	writer->blob_hasher = sb_hasher_new();
	writer->ring = sb_ring_new(&sinks);
	return is_plain ? 0
			: sb_compressor_new(options->compression, options->level, write_blob,
				  writer, &writer->compressor, err);
}

static int changed_meanwhile(const struct sb_change *change, struct sb_error *err)
{
	return sb_fail(err, SB_E_INTEGRITY, "'/%s' changed while its layer was made", change->path);
}

static int check_unchanged(int fd, const struct sb_change *change, struct sb_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "'/%s'", change->path);
	if (!S_ISREG(st.st_mode) || st.st_ino != change->ino ||
		(uint64_t)st.st_size != change->size ||
		(int64_t)st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec !=
			change->ctime_ns)
		return changed_meanwhile(change, err);
	return 0;
}

static int open_file(
	struct writer *writer, const struct sb_change *change, int *out_fd, struct sb_error *err)
{
	const char *slash = strrchr(change->path, '/');
	const char *name = slash != NULL ? slash + 1 : change->path;
	const size_t len = slash != NULL ? (size_t)(slash - change->path) : 0;

	if (writer->folder == NULL || strlen(writer->folder) != len ||
		memcmp(writer->folder, change->path, len) != 0) {
		sb_fd_closep(&writer->folder_fd);
		free(writer->folder);
		writer->folder = sb_memdup0(change->path, len);
		if (sb_at_open(writer->options->upper_fd, len > 0 ? writer->folder : ".",
			    SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, &writer->folder_fd, err) < 0)
			return -1;
	}
	/* O_NONBLOCK: a fifo that took the file's place must not hang us. */
	return sb_at_open(writer->folder_fd, name, SB_AT_NO_LINKS,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK, out_fd, err);
}

static int give(struct writer *writer, const void *bytes, size_t len, struct sb_error *err)
{
	writer->given_bytes += len;
	return sb_ring_write(writer->ring, bytes, len, err);
}

/* Exactly change->size bytes. */
static int copy_content(
	struct writer *writer, int fd, const struct sb_change *change, struct sb_error *err)
{
	uint64_t left = change->size;

	if (writer->beside != NULL)
		sb_search_beside_place(writer->beside, change, writer->given_bytes);
	while (left > 0) {
		void *room = NULL;
		size_t len = 0;

		if (sb_interrupt_check(writer->options->interrupt, err) < 0 ||
			sb_ring_room(writer->ring, &room, &len, err) < 0)
			return -1;

		const ssize_t n = sb_fd_read(fd, room, left < len ? (size_t)left : len, err);

		if (n < 0)
			return sb_error_context(err, "'/%s'", change->path);
		if (n == 0)
			return changed_meanwhile(change, err);
		if (sb_ring_advance(writer->ring, (size_t)n, err) < 0)
			return -1;
		writer->given_bytes += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

static int write_padding(struct writer *writer, uint64_t size, struct sb_error *err)
{
	static const char zeros[SB_TAR_BLOCK];
	const size_t over = (size_t)(size % SB_TAR_BLOCK);

	return over != 0 ? give(writer, zeros, SB_TAR_BLOCK - over, err) : 0;
}

static int write_content(
	struct writer *writer, const struct sb_change *change, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (open_file(writer, change, &fd, err) < 0)
		return sb_error_context(err, "'/%s'", change->path);
	if (check_unchanged(fd, change, err) < 0 || copy_content(writer, fd, change, err) < 0 ||
		check_unchanged(fd, change, err) < 0)
		return -1;
	return write_padding(writer, change->size, err);
}

static int write_change(struct writer *writer, const struct sb_change *change, struct sb_error *err)
{
	const int64_t epoch = writer->options->source_date_epoch;
	SB_AUTO_BUF header = SB_BUF_INIT(SB_MAX_TAR_RECORD + 4 * SB_TAR_BLOCK);

	if (sb_tar_header(change, epoch >= 0 ? epoch : INT64_MAX, &header, err) < 0)
		return sb_error_context(err, "'/%s'", change->path);
	if (give(writer, header.data, header.len, err) < 0)
		return -1;
	/* The content of an empty file is opened all the same: it may have grown. */
	return sb_change_has_content(change) ? write_content(writer, change, err) : 0;
}

static int finish(struct writer *writer, struct sb_layer_blob *out, struct sb_error *err)
{
	static const char end[2 * SB_TAR_BLOCK];

	if (give(writer, end, sizeof(end), err) < 0 || sb_ring_finish(writer->ring, err) < 0)
		return -1;
	if (writer->compressor != NULL && sb_compressor_finish(writer->compressor, err) < 0)
		return -1;
	sb_hasher_finish(writer->tar_hasher, &out->diff_id);
	out->tar_bytes = writer->tar_bytes;
	if (writer->compressor == NULL) {
		out->digest = out->diff_id;
		out->size_bytes = out->tar_bytes;
		return 0;
	}
	sb_hasher_finish(writer->blob_hasher, &out->digest);
	out->size_bytes = writer->blob_bytes;
	return 0;
}

int sb_layer_write(const struct sb_changes *changes, const struct sb_layer_write_options *options,
	struct sb_layer_blob *out, struct sb_error *err)
{
	__attribute__((cleanup(writer_release))) struct writer writer = {
		.options = options,
		.folder_fd = -1,
	};
	struct sb_layer_blob blob = {0};

	if (start(&writer, changes, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (changes, change) {
		if (sb_interrupt_check(options->interrupt, err) < 0 ||
			write_change(&writer, change, err) < 0)
			return -1;
		blob.n_changes += change->kind != SB_CHANGE_PARENT;
	}
	if (finish(&writer, &blob, err) < 0)
		return -1;
	*out = blob;
	return 0;
}
