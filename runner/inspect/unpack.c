/* SPDX-License-Identifier: MIT */
#include "inspect/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/blob_ahead.h"

enum { PIECE_BYTES = 128 << 10, MAX_MAGIC = 6, READS_ALONE = 2 };

struct form {
	const char *name;
	const char *magic;
	size_t magic_len;
	enum sb_layer_packing packing;
	int filter; /* libarchive's */
};

static const struct form forms[] = {
	{"gzip", "\x1f\x8b", 2, SB_PACKED_GZIP, ARCHIVE_FILTER_GZIP},
	{"zstd", "\x28\xb5\x2f\xfd", 4, SB_PACKED_ZSTD, ARCHIVE_FILTER_ZSTD},
	{"bzip2", "BZh", 3, SB_PACKED_BZIP2, ARCHIVE_FILTER_BZIP2},
	{"xz", "\xfd\x37zXZ\0", 6, SB_PACKED_XZ, ARCHIVE_FILTER_XZ},
	{"lz4", "\x04\x22\x4d\x18", 4, SB_PACKED_LZ4, ARCHIVE_FILTER_LZ4},
	{"lzip", "LZIP", 4, SB_PACKED_LZIP, ARCHIVE_FILTER_LZIP},
	{"compress", "\x1f\x9d", 2, SB_PACKED_COMPRESS, ARCHIVE_FILTER_COMPRESS},
};
static const struct form zstd_form = {"zstd", "", 0, SB_PACKED_ZSTD, ARCHIVE_FILTER_ZSTD};

struct sb_unpacking {
	struct sb_byte_source source;
	struct sb_search *search;
	struct sb_hasher *hasher;
	struct sb_blob_ahead *ahead; /* once a packed blob was found to be long */
	unsigned n_reads;            /* before that */
	uint64_t blob_bytes;
	const struct form *form; /* NULL: not packed */
	struct archive *archive; /* undoes the form, once it was begun */
	char *piece;
	size_t first_len; /* of the piece that was read on open and not given out yet */
	const char *left; /* unpacked and not given out yet */
	size_t left_len;
	bool at_blob_end;
	bool at_end;
	struct sb_error error; /* of the source, met inside libarchive */
	struct sb_error late;  /* that waits until the bytes before it are given out */
};

static ssize_t read_alone(struct sb_unpacking *u, const void **out, struct sb_error *err)
{
	const ssize_t n = u->source.read(u->source.self, u->piece, PIECE_BYTES, err);

	*out = u->piece;
	u->n_reads++;
	/* What is not packed is hashed and searched once, as what was unpacked. */
	if (n > 0 && u->form != NULL) {
		sb_hasher_add(u->hasher, u->piece, (size_t)n);
		sb_search_feed(u->search, u->piece, (size_t)n);
	}
	return n;
}

static ssize_t read_some(struct sb_unpacking *u, const void **out, struct sb_error *err)
{
	if (u->form == NULL || u->n_reads < READS_ALONE)
		return read_alone(u, out, err);
	if (u->ahead == NULL &&
		sb_blob_ahead_start(&u->source, u->hasher, u->search, &u->ahead, err) < 0)
		return -1;
	return sb_blob_ahead_next(u->ahead, out, err);
}

/* The next piece of the blob, valid until the next call. */
static ssize_t read_blob(struct sb_unpacking *u, const void **out, struct sb_error *err)
{
	if (u->first_len > 0) {
		const size_t n = u->first_len;

		u->first_len = 0;
		*out = u->piece;
		return (ssize_t)n;
	}
	if (u->at_blob_end)
		return 0;

	const ssize_t n = read_some(u, out, err);

	u->at_blob_end = n <= 0;
	if (n > 0)
		u->blob_bytes += (uint64_t)n;
	return n;
}

static const struct form *form_of(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (len >= forms[i].magic_len &&
			memcmp(bytes, forms[i].magic, forms[i].magic_len) == 0)
			return &forms[i];
	/* A skippable frame may come first (RFC 8878, 3.1.2). */
	if (len >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
		return &zstd_form;
	return NULL;
}

/* The first piece is filled up so far that the magic is in it. */
static int read_first(struct sb_unpacking *u, struct sb_error *err)
{
	while (u->first_len < MAX_MAGIC) {
		const ssize_t n = u->source.read(
			u->source.self, u->piece + u->first_len, PIECE_BYTES - u->first_len, err);

		if (n < 0)
			return -1;
		if (n == 0) {
			u->at_blob_end = true;
			break;
		}
		u->first_len += (size_t)n;
	}
	u->blob_bytes = u->first_len;
	u->form = form_of(u->piece, u->first_len);
	if (u->form != NULL) {
		sb_hasher_add(u->hasher, u->piece, u->first_len);
		sb_search_feed(u->search, u->piece, u->first_len);
	}
	return 0;
}

int sb_unpacking_open(const struct sb_byte_source *source, struct sb_search *search,
	struct sb_unpacking **out, struct sb_error *err)
{
	SB_AUTO(sb_unpacking) u = SB_NEW(struct sb_unpacking);

	u->source = *source;
	u->search = search;
	u->hasher = sb_hasher_new();
	u->piece = sb_malloc(PIECE_BYTES);
	if (read_first(u, err) < 0)
		return -1;
	*out = SB_STEAL(u);
	return 0;
}

void sb_unpacking_free(struct sb_unpacking *u)
{
	if (u == NULL)
		return;
	if (u->archive != NULL)
		(void)archive_read_free(u->archive);
	sb_blob_ahead_free(u->ahead);
	sb_hasher_free(u->hasher);
	sb_error_release(&u->error);
	sb_error_release(&u->late);
	free(u->piece);
	free(u);
}

enum sb_layer_packing sb_unpacking_packing(const struct sb_unpacking *u)
{
	return u->form != NULL ? u->form->packing : SB_PACKED_NOT;
}

const char *sb_layer_packing_name(enum sb_layer_packing packing)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].packing == packing)
			return forms[i].name;
	return "not compressed";
}

static la_ssize_t on_read(struct archive *a, void *self, const void **out)
{
	struct sb_unpacking *u = self;
	*out = NULL;

	const ssize_t n = read_blob(u, out, &u->error);

	if (n < 0)
		archive_set_error(a, EIO, "the blob can't be read");
	return n < 0 ? ARCHIVE_FATAL : n;
}

static int unpack_failed(struct sb_unpacking *u, struct sb_error *err)
{
	if (sb_error_is_set(&u->error)) {
		sb_error_move(err, &u->error);
		return -1;
	}

	const char *why = archive_error_string(u->archive);

	return sb_fail(err, SB_E_INTEGRITY, "it can't be unpacked: %s",
		why != NULL ? why : "damaged data");
}

static int add_filter(const struct sb_unpacking *u)
{
	/* Appended, it would read from what is not open yet (libarchive 3.6). */
	if (u->form->filter == ARCHIVE_FILTER_COMPRESS)
		return archive_read_support_filter_compress(u->archive);
	return archive_read_append_filter(u->archive, u->form->filter);
}

/* Exactly the one filter: libarchive's guessing would unpack what was packed twice. One that it
 * would run a program for (ARCHIVE_WARN) is not used. */
static int start(struct sb_unpacking *u, struct sb_error *err)
{
	struct archive_entry *entry = NULL;

	u->archive = archive_read_new();
	SB_BUG_ON(u->archive == NULL);
	(void)archive_read_support_format_raw(u->archive);
	(void)archive_read_support_format_empty(u->archive);
	if (add_filter(u) != ARCHIVE_OK)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"it is compressed with %s, which can't be read", u->form->name);
	if (archive_read_open(u->archive, u, NULL, on_read, NULL) != ARCHIVE_OK)
		return unpack_failed(u, err);

	const int r = archive_read_next_header(u->archive, &entry);

	return r == ARCHIVE_OK || r == ARCHIVE_EOF ? 0 : unpack_failed(u, err);
}

/* The next unpacked bytes in u->left; 0 at the end. */
static int unpack_more(struct sb_unpacking *u, struct sb_error *err)
{
	if (u->archive == NULL && start(u, err) < 0)
		return -1;
	for (;;) {
		const void *bytes = NULL;
		size_t len = 0;
		la_int64_t offset = 0;
		const int r = archive_read_data_block(u->archive, &bytes, &len, &offset);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return unpack_failed(u, err);
		u->left = bytes;
		u->left_len = len;
		if (len > 0)
			return 1;
	}
}

static int more(struct sb_unpacking *u, struct sb_error *err)
{
	if (u->form != NULL)
		return unpack_more(u, err);

	const void *piece = NULL;
	const ssize_t n = read_blob(u, &piece, err);

	u->left = piece;
	u->left_len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

ssize_t sb_unpacking_read(struct sb_unpacking *u, void *room, size_t len, struct sb_error *err)
{
	char *to = room;
	size_t done = 0;

	while (done < len && !u->at_end) {
		const int got = u->left_len > 0 ? 1 : more(u, &u->late);
		const size_t n = u->left_len < len - done ? u->left_len : len - done;

		u->at_end = got <= 0;
		if (u->at_end)
			break;
		memcpy(to + done, u->left, n);
		u->left += n;
		u->left_len -= n;
		done += n;
	}
	if (done == 0 && sb_error_is_set(&u->late)) {
		sb_error_move(err, &u->late);
		return -1;
	}
	return (ssize_t)done;
}

int sb_unpacking_finish(struct sb_unpacking *u, struct sb_layer_sums *out, struct sb_error *err)
{
	ssize_t n = 0;
	const void *ignored = NULL;
	const la_int64_t used =
		u->archive != NULL ? archive_filter_bytes(u->archive, -1) : (la_int64_t)0;

	do
		n = read_blob(u, &ignored, err);
	while (n > 0);
	sb_hasher_finish(u->hasher, &out->digest);
	out->blob_bytes = u->blob_bytes;
	out->trailing_bytes = 0;
	if (u->archive != NULL && used >= 0 && (uint64_t)used < u->blob_bytes)
		out->trailing_bytes = u->blob_bytes - (uint64_t)used;
	return n < 0 ? -1 : 0;
}
