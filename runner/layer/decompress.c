/* SPDX-License-Identifier: MIT */
#include "layer/decompress.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/mem.h"

enum { CHUNK = 256 << 10, MAX_MAGIC = 6 };

struct form {
	const char *name;
	const char *magic;
	size_t magic_len;
	int filter; /* libarchive's */
	bool in_layers;
};

static const struct form forms[] = {
	{"gzip", "\x1f\x8b", 2, ARCHIVE_FILTER_GZIP, true},
	{"zstd", "\x28\xb5\x2f\xfd", 4, ARCHIVE_FILTER_ZSTD, true},
	{"bzip2", "BZh", 3, ARCHIVE_FILTER_BZIP2, false},
	{"xz", "\xfd\x37zXZ\0", 6, ARCHIVE_FILTER_XZ, false},
};

struct sb_decompressor {
	struct sb_reader from;
	bool is_layer;
	struct sb_hasher *hasher;
	uint64_t n_read;
	char *chunk;
	size_t chunk_len; /* read, and not given out yet */
	bool has_begun;
	const struct form *form; /* NULL: plain */
	struct archive *raw;     /* undoes the form */
	bool is_ended;
	uint64_t n_out;
	struct sb_error error; /* of `from`, while libarchive stands between it and our caller */
};

struct sb_decompressor *sb_decompressor_new(struct sb_reader from, bool is_layer)
{
	struct sb_decompressor *d = SB_NEW(struct sb_decompressor);

	d->from = from;
	d->is_layer = is_layer;
	d->hasher = sb_hasher_new();
	d->chunk = sb_malloc(CHUNK);
	return d;
}

void sb_decompressor_free(struct sb_decompressor *d)
{
	if (d == NULL)
		return;
	if (d->raw != NULL)
		(void)archive_read_free(d->raw);
	sb_hasher_free(d->hasher);
	sb_error_release(&d->error);
	free(d->chunk);
	free(d);
}

/* Compressed bytes into the chunk, behind what it holds. */
static ssize_t fill_chunk(struct sb_decompressor *d, struct sb_error *err)
{
	char *to = d->chunk + d->chunk_len;
	const ssize_t n = d->from.read(d->from.self, to, CHUNK - d->chunk_len, err);

	if (n > 0) {
		sb_hasher_add(d->hasher, to, (size_t)n);
		d->n_read += (uint64_t)n;
		d->chunk_len += (size_t)n;
	}
	return n;
}

/* The next compressed bytes: those that were read to look at the magic, then new ones. */
static ssize_t next_chunk(struct sb_decompressor *d, const void **out_bytes, struct sb_error *err)
{
	if (d->chunk_len == 0 && fill_chunk(d, err) < 0)
		return -1;

	const size_t len = d->chunk_len;

	d->chunk_len = 0;
	*out_bytes = d->chunk;
	return (ssize_t)len;
}

static la_ssize_t read_for_archive(struct archive *archive, void *self, const void **out_bytes)
{
	struct sb_decompressor *d = self;
	const ssize_t n = sb_error_is_set(&d->error) ? -1 : next_chunk(d, out_bytes, &d->error);

	if (n < 0)
		archive_set_error(archive, EIO, "read");
	return n;
}

static int fail_archive(struct sb_decompressor *d, struct sb_error *err)
{
	const char *why = archive_error_string(d->raw);

	if (sb_error_is_set(&d->error)) {
		sb_error_move(err, &d->error);
		return -1;
	}
	return sb_fail(err, SB_E_INTEGRITY, "%s data is broken: %s", d->form->name,
		why != NULL ? why : "unknown error");
}

static const struct form *find_form(const struct sb_decompressor *d)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (d->chunk_len >= forms[i].magic_len &&
			memcmp(d->chunk, forms[i].magic, forms[i].magic_len) == 0)
			return &forms[i];
	return NULL;
}

static int begin(struct sb_decompressor *d, struct sb_error *err)
{
	struct archive_entry *entry = NULL;
	ssize_t n = 1;

	d->has_begun = true;
	while (d->chunk_len < MAX_MAGIC && n > 0)
		n = fill_chunk(d, err);
	if (n < 0)
		return -1;
	d->form = find_form(d);
	if (d->form == NULL)
		return 0;
	if (d->is_layer && !d->form->in_layers)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"the layer is compressed with %s; layers are plain, gzip or zstd",
			d->form->name);
	d->raw = archive_read_new();
	SB_BUG_ON(d->raw == NULL);
	/* Not by support_filter: that looks for further forms inside. */
	if (archive_read_append_filter(d->raw, d->form->filter) != ARCHIVE_OK)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"the archive library was built without support for %s", d->form->name);
	SB_BUG_ON(archive_read_support_format_raw(d->raw) != ARCHIVE_OK);
	SB_BUG_ON(archive_read_support_format_empty(d->raw) != ARCHIVE_OK);
	/* Bytes that end before the first one could be undone look empty, but for the error that is
	 * left behind. */
	if (archive_read_open(d->raw, d, NULL, read_for_archive, NULL) != ARCHIVE_OK ||
		archive_errno(d->raw) != 0)
		return fail_archive(d, err);

	const int result = archive_read_next_header(d->raw, &entry);

	d->is_ended = result == ARCHIVE_EOF && archive_errno(d->raw) == 0;
	return result == ARCHIVE_OK || d->is_ended ? 0 : fail_archive(d, err);
}

static ssize_t next_piece(struct sb_decompressor *d, const void **out_bytes, struct sb_error *err)
{
	size_t len = 0;

	if (d->form == NULL)
		return next_chunk(d, out_bytes, err);
	while (!d->is_ended && len == 0) {
		la_int64_t offset = 0;
		const int result = archive_read_data_block(d->raw, out_bytes, &len, &offset);

		if (result == ARCHIVE_EOF)
			d->is_ended = true;
		else if (result != ARCHIVE_OK)
			return fail_archive(d, err);
	}
	return d->is_ended ? 0 : (ssize_t)len;
}

ssize_t sb_decompressor_read(
	struct sb_decompressor *d, const void **out_bytes, struct sb_error *err)
{
	if (!d->has_begun && begin(d, err) < 0)
		return -1;

	const ssize_t n = next_piece(d, out_bytes, err);

	if (n > 0)
		d->n_out += (uint64_t)n;
	if (d->from.max_tar_bytes != 0 && d->n_out > d->from.max_tar_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"it unpacks to more than the %" PRIu64 " bytes that it should",
			d->from.max_tar_bytes);
	return n;
}

int sb_decompressor_finish(struct sb_decompressor *d, struct sb_digest *out_digest,
	uint64_t *out_bytes, struct sb_error *err)
{
	const void *ignored = NULL;
	ssize_t n = 1;

	while (n > 0)
		n = next_chunk(d, &ignored, err);
	if (n < 0)
		return -1;
	sb_hasher_finish(d->hasher, out_digest);
	*out_bytes = d->n_read;
	return 0;
}
