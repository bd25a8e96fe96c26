/* SPDX-License-Identifier: MIT */
#include "inspect/tar_reader.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/ustar.h"
#include "inspect/pax.h"
#include "inspect/tar_number.h"

enum {
	BLOCK = SB_TAR_BLOCK,
	MAX_HEADERS = 16 << 20, /* of one entry: some extended headers of SB_MAX_TAR_RECORD */

	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,
	AT_SPARSE = 386,
	AT_SPARSE_MORE = 482,
	AT_SPARSE_SIZE = 483,
	AT_STAR_MARK = 508,
	LEN_NAME = 100,
	LEN_PREFIX = 155,
	LEN_STAR_PREFIX = 131,
	LEN_SPARSE_BLOCK = 504,
};

struct sb_tar_reader {
	struct sb_tar_source source;
	const char *piece; /* what of the source's last one is left */
	size_t left;
	bool at_source_end;
	uint64_t offset;
	char block[BLOCK];
	struct sb_buf headers;
	uint64_t headers_at;
	struct sb_tar_entry entry;
	struct sb_pax pax;
	uint64_t data_left;
	uint64_t data_done;
	size_t extent; /* that is being read, and how much of it was */
	uint64_t extent_done;
};

struct sb_tar_reader *sb_tar_reader_new(const struct sb_tar_source *source)
{
	struct sb_tar_reader *reader = SB_NEW(struct sb_tar_reader);

	reader->source = *source;
	reader->headers = (struct sb_buf)SB_BUF_INIT(MAX_HEADERS);
	return reader;
}

static void clear_entry(struct sb_tar_reader *reader)
{
	free(reader->entry.path);
	free(reader->entry.link);
	SB_ARRAY_FOREACH (&reader->entry.attributes, attribute) {
		free(attribute->name);
		free(attribute->value);
	}
	SB_ARRAY_RELEASE(&reader->entry.attributes);
	reader->entry = (struct sb_tar_entry){0};
	sb_pax_release(&reader->pax);
}

void sb_tar_reader_free(struct sb_tar_reader *reader)
{
	if (reader == NULL)
		return;
	clear_entry(reader);
	sb_buf_release(&reader->headers);
	free(reader);
}

struct sb_tar_region sb_tar_reader_header(const struct sb_tar_reader *reader)
{
	return (struct sb_tar_region){
		.offset = reader->headers_at,
		.bytes = reader->headers.data,
		.len = reader->headers.len,
	};
}

uint64_t sb_tar_reader_offset(const struct sb_tar_reader *reader)
{
	return reader->offset;
}

/* 1 when there is at least one byte, 0 at the source's end. */
static int fill(struct sb_tar_reader *reader, struct sb_error *err)
{
	const void *bytes = NULL;

	if (reader->left > 0)
		return 1;
	if (reader->at_source_end)
		return 0;

	const ssize_t n = reader->source.next(reader->source.self, &bytes, err);

	reader->at_source_end = n <= 0;
	if (n <= 0)
		return (int)n;
	reader->piece = bytes;
	reader->left = (size_t)n;
	return 1;
}

static void consume(struct sb_tar_reader *reader, size_t len)
{
	reader->piece += len;
	reader->left -= len;
	reader->offset += len;
}

/* Up to len bytes into `to`; how many there were. */
static ssize_t read_up_to(struct sb_tar_reader *reader, char *to, size_t len, struct sb_error *err)
{
	size_t done = 0;

	while (done < len) {
		const int got = fill(reader, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;

		const size_t n = reader->left < len - done ? reader->left : len - done;

		memcpy(to + done, reader->piece, n);
		consume(reader, n);
		done += n;
	}
	return (ssize_t)done;
}

/* The next block, which is a header's: 0 at the source's end. */
static int read_block(struct sb_tar_reader *reader, struct sb_error *err)
{
	const ssize_t n = read_up_to(reader, reader->block, BLOCK, err);

	if (n < 0)
		return -1;
	if (n > 0 && sb_buf_add(&reader->headers, reader->block, (size_t)n, err) < 0)
		return -1;
	if (n > 0 && n < BLOCK)
		return sb_fail(err, SB_E_INTEGRITY, "it ends in the middle of a header");
	return n > 0;
}

static int need_block(struct sb_tar_reader *reader, struct sb_error *err)
{
	const int got = read_block(reader, err);

	if (got == 0)
		return sb_fail(err, SB_E_INTEGRITY, "it ends in the middle of a header");
	return got < 0 ? -1 : 0;
}

static bool is_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != '\0')
			return false;
	return true;
}

static char *field_text(const char *field, size_t len)
{
	return sb_memdup0(field, strnlen(field, len));
}

/* ustar and star put a long name's beginning into a field of its own. */
static char *header_path(const char *block)
{
	sb_autofree char *name = field_text(block + AT_NAME, LEN_NAME);
	const bool is_star = memcmp(block + AT_STAR_MARK, "tar", 4) == 0;

	if (memcmp(block + AT_MAGIC, "ustar", 6) != 0 || block[AT_PREFIX] == '\0')
		return SB_STEAL(name);

	sb_autofree char *prefix =
		field_text(block + AT_PREFIX, is_star ? LEN_STAR_PREFIX : LEN_PREFIX);

	return sb_asprintf("%s/%s", prefix, name);
}

static uint32_t small_number(const char *field, size_t len)
{
	uint64_t n = 0;

	return sb_tar_number(field, len, &n) && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static int bad_size(struct sb_error *err)
{
	return sb_fail(err, SB_E_INTEGRITY, "an entry's size is no number that can be");
}

/* The content of a header that speaks about the next entry, as it stands in reader->headers. */
static int read_extension(
	struct sb_tar_reader *reader, size_t *out_at, size_t *out_len, struct sb_error *err)
{
	uint64_t size = 0;

	if (!sb_tar_number(reader->block + AT_SIZE, 12, &size))
		return bad_size(err);
	if (size > SB_MAX_TAR_RECORD)
		return sb_fail(err, SB_E_LIMIT, "an extended header is larger than %d bytes",
			SB_MAX_TAR_RECORD);
	*out_at = reader->headers.len;
	*out_len = (size_t)size;
	for (uint64_t done = 0; done < size; done += BLOCK)
		if (need_block(reader, err) < 0)
			return -1;
	return 0;
}

static int take_extension(struct sb_tar_reader *reader, char type, struct sb_error *err)
{
	struct sb_pax *pax = &reader->pax;
	size_t at = 0;
	size_t len = 0;

	if (read_extension(reader, &at, &len, err) < 0)
		return -1;

	const char *bytes = reader->headers.data + at;
	char **name = type == 'L' ? &pax->path : &pax->link;

	if (type == 'x' && !sb_pax_read(pax, bytes, len))
		return sb_fail(err, SB_E_INTEGRITY, "an extended header has a number that is none");
	if (type == 'L' || type == 'K') {
		free(*name);
		*name = field_text(bytes, len);
	}
	return 0;
}

static bool has_no_content(char type)
{
	return type >= '1' && type <= '6';
}

static char plain_type(const char *block, const char *path)
{
	const char type = block[AT_TYPE];
	const size_t len = strlen(path);

	if (type == '\0')
		return len > 0 && path[len - 1] == '/' ? '5' : '0';
	return type == '7' || type == 'S' ? '0' : type;
}

static int read_gnu_sparse(struct sb_tar_reader *reader, struct sb_error *err)
{
	struct sb_pax *pax = &reader->pax;
	const char *block = reader->block;
	bool is_good = sb_extents_add_gnu(&pax->extents, block + AT_SPARSE, 4) &&
		       sb_tar_number(block + AT_SPARSE_SIZE, 12, &pax->real_size);
	bool has_more = block[AT_SPARSE_MORE] != '\0';

	pax->is_sparse = pax->has_real_size = true;
	while (is_good && has_more) {
		if (need_block(reader, err) < 0)
			return -1;
		is_good = sb_extents_add_gnu(&pax->extents, block, 21);
		has_more = block[LEN_SPARSE_BLOCK] != '\0';
	}
	return is_good ? 0 : bad_size(err);
}

/* Form 1.0: lines of decimal numbers in whole blocks before the content, their count first. */
static int read_sparse_map(struct sb_tar_reader *reader, struct sb_error *err)
{
	struct sb_pax *pax = &reader->pax;
	uint64_t left = 1; /* numbers to come; the first tells how many more */
	bool has_count = false;
	char line[24];
	size_t len = 0;

	while (left > 0) {
		if (reader->data_left < BLOCK)
			return bad_size(err);
		if (need_block(reader, err) < 0)
			return -1;
		reader->data_left -= BLOCK;
		for (size_t i = 0; i < BLOCK && left > 0; i++) {
			uint64_t number = 0;

			if (reader->block[i] != '\n' && len < sizeof(line)) {
				line[len++] = reader->block[i];
				continue;
			}
			if (!sb_tar_decimal(line, len, &number) ||
				(!has_count && number > UINT32_MAX))
				return bad_size(err);
			len = 0;
			left = has_count ? left - 1 : number * 2;
			if (has_count)
				sb_extents_add_number(&pax->extents, number);
			has_count = true;
		}
	}
	return 0;
}

static int read_sparse(struct sb_tar_reader *reader, struct sb_error *err)
{
	struct sb_tar_entry *entry = &reader->entry;
	struct sb_pax *pax = &reader->pax;

	if (pax->is_sparse_1 && read_sparse_map(reader, err) < 0)
		return -1;
	entry->stored_bytes = reader->data_left;
	entry->real_bytes = pax->has_real_size ? pax->real_size : reader->data_left;
	if (!sb_extents_fit(&pax->extents, entry->stored_bytes, entry->real_bytes))
		return sb_fail(err, SB_E_INTEGRITY, "the map of a sparse file does not fit it");
	if (pax->sparse_path != NULL) {
		free(entry->path);
		entry->path = SB_STEAL(pax->sparse_path);
	}
	return 0;
}

static void take_owner(struct sb_tar_entry *entry, const struct sb_pax *pax, const char *block)
{
	uint64_t mode = 0;

	if (sb_tar_number(block + AT_MODE, 8, &mode))
		entry->mode = (mode_t)(mode & 07777);
	entry->uid = pax->has_uid ? (uint32_t)pax->uid : small_number(block + AT_UID, 8);
	entry->gid = pax->has_gid ? (uint32_t)pax->gid : small_number(block + AT_GID, 8);
	if (entry->type == '3' || entry->type == '4') {
		entry->major = small_number(block + AT_MAJOR, 8);
		entry->minor = small_number(block + AT_MINOR, 8);
	}
}

/* The block is the entry's own header, behind what may have been said before it. */
static int take_entry(struct sb_tar_reader *reader, struct sb_error *err)
{
	struct sb_tar_entry *entry = &reader->entry;
	struct sb_pax *pax = &reader->pax;
	const char *block = reader->block;
	const bool is_gnu_sparse = block[AT_TYPE] == 'S';
	uint64_t size = pax->size;

	if (!pax->has_size && !sb_tar_number(block + AT_SIZE, 12, &size))
		return bad_size(err);
	entry->path = pax->path != NULL ? SB_STEAL(pax->path) : header_path(block);
	entry->type = plain_type(block, entry->path);
	if (entry->type == '1' || entry->type == '2')
		entry->link = pax->link != NULL ? SB_STEAL(pax->link)
						: field_text(block + AT_LINK, LEN_NAME);
	take_owner(entry, pax, block);
	entry->oddity = pax->oddity;
	memcpy(&entry->attributes, &pax->attributes, sizeof(entry->attributes));
	memset(&pax->attributes, 0, sizeof(pax->attributes));
	reader->data_left = has_no_content(entry->type) ? 0 : size;
	entry->stored_bytes = entry->real_bytes = reader->data_left;
	if (is_gnu_sparse && read_gnu_sparse(reader, err) < 0)
		return -1;
	return pax->is_sparse && entry->type == '0' ? read_sparse(reader, err) : 0;
}

int sb_tar_reader_next(
	struct sb_tar_reader *reader, const struct sb_tar_entry **out, struct sb_error *err)
{
	clear_entry(reader);
	sb_buf_clear(&reader->headers);
	reader->headers_at = reader->offset;
	reader->data_left = reader->data_done = reader->extent_done = 0;
	reader->extent = 0;
	for (;;) {
		const int got = read_block(reader, err);
		const char type = reader->block[AT_TYPE];

		if (got < 0)
			return -1;
		if (got == 0 || is_zero(reader->block, BLOCK)) {
			*out = NULL;
			return 0;
		}
		if (!sb_ustar_has_valid_sum(reader->block))
			return sb_fail(err, SB_E_INTEGRITY,
				"it is no valid tar: there is no header at byte %llu",
				(unsigned long long)(reader->offset - BLOCK));
		if (type != 'x' && type != 'g' && type != 'L' && type != 'K')
			break;
		if (take_extension(reader, type, err) < 0)
			return -1;
	}
	if (take_entry(reader, err) < 0)
		return -1;
	*out = &reader->entry;
	return 0;
}

/* How much may be given out in one piece, and where in the file it stands. */
static uint64_t next_extent(struct sb_tar_reader *reader, uint64_t *out_at)
{
	const struct sb_extents *extents = &reader->pax.extents;

	if (!reader->pax.is_sparse || reader->entry.type != '0') {
		*out_at = reader->data_done;
		return reader->data_left;
	}
	while (reader->extent_done == extents->items[reader->extent].len) {
		reader->extent++;
		reader->extent_done = 0;
	}
	*out_at = extents->items[reader->extent].at + reader->extent_done;
	return extents->items[reader->extent].len - reader->extent_done;
}

ssize_t sb_tar_reader_data(struct sb_tar_reader *reader, const void **out_bytes, uint64_t *out_at,
	struct sb_error *err)
{
	if (reader->data_left == 0)
		return 0;

	const int got = fill(reader, err);

	if (got < 0)
		return -1;
	if (got == 0)
		return sb_fail(err, SB_E_INTEGRITY, "it ends in the middle of a file");

	const uint64_t room = next_extent(reader, out_at);
	const size_t n = reader->left < room ? reader->left : (size_t)room;

	*out_bytes = reader->piece;
	reader->data_left -= n;
	reader->data_done += n;
	reader->extent_done += n;
	consume(reader, n);
	return (ssize_t)n;
}

int sb_tar_reader_padding(
	struct sb_tar_reader *reader, struct sb_tar_region *out, struct sb_error *err)
{
	const size_t len = (size_t)(-reader->data_done & (BLOCK - 1));
	const uint64_t at = reader->offset;
	const ssize_t n = read_up_to(reader, reader->block, len, err);

	if (n < 0)
		return -1;
	*out = (struct sb_tar_region){.offset = at, .bytes = reader->block};
	if (!is_zero(reader->block, (size_t)n))
		out->len = (size_t)n;
	return 0;
}

ssize_t sb_tar_reader_rest(
	struct sb_tar_reader *reader, const void **out_bytes, struct sb_error *err)
{
	const int got = fill(reader, err);

	if (got <= 0)
		return got;

	const size_t n = reader->left;

	*out_bytes = reader->piece;
	consume(reader, n);
	return (ssize_t)n;
}
