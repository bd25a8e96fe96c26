/* SPDX-License-Identifier: MIT */
#include "inspect/file_read.h"

#include "inspect/layer_stream.h"
#include "inspect/tar_reader.h"

struct reading {
	const struct sb_file_reader *reader;
	struct sb_layer_stream *stream;
	struct sb_tar_reader *tar;
	uint64_t done; /* tar bytes */
	size_t layer;
};

static ssize_t read_from_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_blob_reader_read(self, bytes, len, err);
}

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	struct reading *r = self;
	const ssize_t n = sb_layer_stream_next(r->stream, out_bytes, err);

	if (n <= 0)
		return n;
	r->done += (uint64_t)n;
	if (r->reader->on_progress != NULL && !r->reader->on_progress(r->reader->self, r->done))
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	return n;
}

static int pass_over(struct reading *r, struct sb_error *err)
{
	const void *bytes = NULL;
	struct sb_tar_region padding;
	uint64_t at = 0;
	ssize_t n = 0;

	while ((n = sb_tar_reader_data(r->tar, &bytes, &at, err)) > 0)
		continue;
	return n < 0 ? -1 : sb_tar_reader_padding(r->tar, &padding, err);
}

static int give_content(struct reading *r, struct sb_error *err)
{
	const void *bytes = NULL;
	uint64_t at = 0;
	ssize_t n = 0;

	while ((n = sb_tar_reader_data(r->tar, &bytes, &at, err)) > 0)
		if (!r->reader->on_bytes(r->reader->self, at, bytes, (size_t)n))
			return 0;
	return n < 0 ? -1 : 0;
}

static int find_and_give(
	struct reading *r, uint64_t offset, uint64_t *out_size, struct sb_error *err)
{
	const struct sb_tar_entry *entry = NULL;

	for (;;) {
		if (sb_tar_reader_next(r->tar, &entry, err) < 0)
			return -1;
		if (entry == NULL || sb_tar_reader_header(r->tar).offset > offset)
			break;
		if (sb_tar_reader_header(r->tar).offset == offset && entry->type == '0') {
			*out_size = entry->real_bytes;
			return give_content(r, err);
		}
		if (pass_over(r, err) < 0)
			return -1;
	}
	return sb_fail(err, SB_E_NOT_FOUND, "layer %zu has no file at byte %llu", r->layer + 1,
		(unsigned long long)offset);
}

int sb_image_read_file(struct sb_image *image, size_t layer, uint64_t offset,
	const struct sb_file_reader *reader, uint64_t *out_size, struct sb_error *err)
{
	/* The stream's thread uses what stands before it until it is freed. */
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(NULL);
	SB_AUTO_VALUE(sb_search) search = {0};
	SB_AUTO(sb_blob_reader) blob = NULL;
	SB_AUTO(sb_layer_stream) stream = NULL;
	SB_AUTO(sb_tar_reader) tar = NULL;
	struct reading r = {.reader = reader, .layer = layer};
	const struct sb_tar_source pieces = {next_piece, &r};

	if (sb_image_read_layer(image, layer, &blob, err) < 0)
		return -1;

	const struct sb_byte_source source = {.read = read_from_blob, .self = blob};

	if (sb_layer_stream_open(&source, &search, scanner, &stream, err) < 0)
		return -1;
	r.stream = stream;
	r.tar = tar = sb_tar_reader_new(&pieces);
	return find_and_give(&r, offset, out_size, err);
}
