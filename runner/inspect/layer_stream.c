/* SPDX-License-Identifier: MIT */
#include "inspect/layer_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/mem.h"

enum { PIECE_BYTES = 128 << 10 };

struct sb_layer_stream {
	struct sb_byte_source source;
	struct sb_search *blob_search;
	struct sb_search *tar_search;
	struct sb_hasher *blob_hasher;
	struct sb_hasher *tar_hasher;
	uint64_t blob_bytes;
	uint64_t tar_bytes;
	enum sb_layer_packing packing;
	struct archive *unpack; /* NULL where nothing is packed */
	char *piece;
	size_t first_len; /* of the piece that was read on open and not given out yet */
	bool has_first;
	bool at_blob_end;
	bool is_broken;        /* unpacking failed: only the blob goes on */
	struct sb_error error; /* of the source, met inside libarchive */
};

/* One piece of the blob in stream->piece. */
static ssize_t read_blob(struct sb_layer_stream *stream, struct sb_error *err)
{
	if (stream->has_first) {
		stream->has_first = false;
		return (ssize_t)stream->first_len;
	}
	if (stream->at_blob_end)
		return 0;

	const ssize_t n = stream->source.read(stream->source.self, stream->piece, PIECE_BYTES, err);

	if (n <= 0)
		stream->at_blob_end = true;
	if (n <= 0)
		return n;
	sb_hasher_add(stream->blob_hasher, stream->piece, (size_t)n);
	stream->blob_bytes += (uint64_t)n;
	/* What is not packed is searched once, as what was unpacked. */
	if (stream->packing != SB_PACKED_NOT)
		sb_search_feed(stream->blob_search, stream->piece, (size_t)n);
	return n;
}

/* The first piece is filled up so far that the magic is in it. */
static int read_first(struct sb_layer_stream *stream, struct sb_error *err)
{
	while (stream->first_len < 4) {
		const ssize_t n = stream->source.read(stream->source.self,
			stream->piece + stream->first_len, PIECE_BYTES - stream->first_len, err);

		if (n < 0)
			return -1;
		if (n == 0) {
			stream->at_blob_end = true;
			break;
		}
		stream->first_len += (size_t)n;
	}
	stream->has_first = stream->first_len > 0;
	stream->blob_bytes = stream->first_len;
	sb_hasher_add(stream->blob_hasher, stream->piece, stream->first_len);
	return 0;
}

static enum sb_layer_packing packing_of(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;

	if (len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return SB_PACKED_GZIP;
	if (len >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
		return SB_PACKED_ZSTD;
	/* A skippable frame may come first (RFC 8878, 3.1.2). */
	if (len >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
		return SB_PACKED_ZSTD;
	return SB_PACKED_NOT;
}

static la_ssize_t on_read(struct archive *a, void *self, const void **out)
{
	struct sb_layer_stream *stream = self;
	const ssize_t n = read_blob(stream, &stream->error);

	*out = stream->piece;
	if (n < 0)
		archive_set_error(a, EIO, "the blob can't be read");
	return n < 0 ? ARCHIVE_FATAL : n;
}

static int unpack_failed(struct sb_layer_stream *stream, struct sb_error *err)
{
	stream->is_broken = true;
	if (sb_error_is_set(&stream->error)) {
		sb_error_move(err, &stream->error);
		return -1;
	}

	const char *why = archive_error_string(stream->unpack);

	return sb_fail(err, SB_E_INTEGRITY, "it can't be unpacked: %s",
		why != NULL ? why : "damaged data");
}

/* Exactly the one filter: libarchive's guessing would unpack what was packed twice. */
static int start_unpacking(struct sb_layer_stream *stream, struct sb_error *err)
{
	struct archive_entry *entry = NULL;

	if (stream->packing == SB_PACKED_NOT)
		return 0;
	stream->unpack = archive_read_new();
	SB_BUG_ON(stream->unpack == NULL);
	(void)archive_read_support_format_raw(stream->unpack);
	(void)archive_read_support_format_empty(stream->unpack);
	(void)archive_read_append_filter(stream->unpack,
		stream->packing == SB_PACKED_GZIP ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD);
	if (archive_read_open(stream->unpack, stream, NULL, on_read, NULL) != ARCHIVE_OK)
		return unpack_failed(stream, err);

	const int r = archive_read_next_header(stream->unpack, &entry);

	return r == ARCHIVE_OK || r == ARCHIVE_EOF ? 0 : unpack_failed(stream, err);
}

int sb_layer_stream_open(const struct sb_byte_source *source, struct sb_search *blob_search,
	struct sb_search *tar_search, struct sb_scanner *blob_scanner,
	struct sb_scanner *tar_scanner, struct sb_layer_stream **out, struct sb_error *err)
{
	SB_AUTO(sb_layer_stream) stream = SB_NEW(struct sb_layer_stream);

	stream->source = *source;
	stream->blob_search = blob_search;
	stream->tar_search = tar_search;
	stream->blob_hasher = sb_hasher_new();
	stream->tar_hasher = sb_hasher_new();
	stream->piece = sb_malloc(PIECE_BYTES);
	sb_search_begin(blob_search, blob_scanner);
	sb_search_begin(tar_search, tar_scanner);
	if (read_first(stream, err) < 0)
		return -1;
	stream->packing = packing_of(stream->piece, stream->first_len);
	if (stream->packing != SB_PACKED_NOT)
		sb_search_feed(blob_search, stream->piece, stream->first_len);
	*out = SB_STEAL(stream);
	return 0;
}

void sb_layer_stream_free(struct sb_layer_stream *stream)
{
	if (stream == NULL)
		return;
	(void)archive_read_free(stream->unpack);
	sb_hasher_free(stream->blob_hasher);
	sb_hasher_free(stream->tar_hasher);
	sb_error_release(&stream->error);
	free(stream->piece);
	free(stream);
}

enum sb_layer_packing sb_layer_stream_packing(const struct sb_layer_stream *stream)
{
	return stream->packing;
}

/* Unpacked bytes before they are counted. */
static ssize_t next_raw(
	struct sb_layer_stream *stream, const void **out_bytes, struct sb_error *err)
{
	if (stream->is_broken)
		return 0;
	if (stream->packing == SB_PACKED_NOT) {
		*out_bytes = stream->piece;
		return read_blob(stream, err);
	}
	if (stream->unpack == NULL && start_unpacking(stream, err) < 0)
		return -1;
	for (;;) {
		size_t len = 0;
		la_int64_t offset = 0;
		const int r = archive_read_data_block(stream->unpack, out_bytes, &len, &offset);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return unpack_failed(stream, err);
		if (len > 0)
			return (ssize_t)len;
	}
}

ssize_t sb_layer_stream_next(
	struct sb_layer_stream *stream, const void **out_bytes, struct sb_error *err)
{
	const ssize_t n = next_raw(stream, out_bytes, err);

	if (n <= 0)
		return n;
	/* Where nothing is packed, the blob's digest is the diff_id. */
	if (stream->packing != SB_PACKED_NOT)
		sb_hasher_add(stream->tar_hasher, *out_bytes, (size_t)n);
	stream->tar_bytes += (uint64_t)n;
	sb_search_feed(stream->tar_search, *out_bytes, (size_t)n);
	return n;
}

int sb_layer_stream_finish(
	struct sb_layer_stream *stream, struct sb_layer_sums *out, struct sb_error *err)
{
	const void *piece = NULL;
	ssize_t unpacked = 0;
	ssize_t read = 0;

	do
		unpacked = sb_layer_stream_next(stream, &piece, err);
	while (unpacked > 0);

	/* What stands behind the packed data. */
	SB_AUTO_ERROR blob_error = SB_ERROR_INIT;

	do
		read = read_blob(stream, &blob_error);
	while (read > 0);
	if (read < 0 && !sb_error_is_set(err))
		sb_error_move(err, &blob_error);
	sb_search_end(stream->blob_search);
	sb_search_end(stream->tar_search);
	sb_hasher_finish(stream->blob_hasher, &out->digest);
	if (stream->packing == SB_PACKED_NOT)
		out->diff_id = out->digest;
	else
		sb_hasher_finish(stream->tar_hasher, &out->diff_id);
	out->blob_bytes = stream->blob_bytes;
	out->tar_bytes = stream->tar_bytes;
	return unpacked < 0 || read < 0 ? -1 : 0;
}
