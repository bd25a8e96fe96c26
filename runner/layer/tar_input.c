/* SPDX-License-Identifier: MIT */
#include "layer/tar_input.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

#include <archive_entry.h>

#include "base/mem.h"
#include "base/ustar.h"

/* A multiple of a tar block, so that a header never lies in two. */
enum { CHUNK = 256 << 10 };

struct chunk {
	char *bytes;
	uint64_t start; /* offset in the tar */
	size_t len;
};

struct sb_tar_input {
	struct sb_decompressor *from;
	struct sb_interrupt *interrupt;
	struct archive *tar;
	struct sb_hasher *hasher;
	struct sb_tar_watcher watcher;
	/* Names in pax headers are UTF-8, and libarchive turns them into the thread's locale's own
	 * bytes, with a complaint where that has no such letters; a file's name is those bytes,
	 * whatever the locale. */
	locale_t utf8;
	locale_t before;
	uint64_t tar_bytes;
	/* The last two chunks that libarchive got: the current entry's header lies in one of them.
	 */
	struct chunk chunks[2];
	unsigned current;
	const char *piece; /* what the decompressor gave and no chunk took yet */
	size_t piece_len;
	bool is_ended;
	struct sb_error error; /* of what we read from, while libarchive stands in between */
};

static int fill_chunk(struct sb_tar_input *input, struct chunk *chunk, struct sb_error *err)
{
	if (sb_interrupt_check(input->interrupt, err) < 0)
		return -1;
	chunk->start = input->tar_bytes;
	chunk->len = 0;
	while (chunk->len < CHUNK && !input->is_ended) {
		if (input->piece_len == 0) {
			const void *piece = NULL;
			const ssize_t n = sb_decompressor_read(input->from, &piece, err);

			if (n < 0)
				return -1;
			input->piece = piece;
			input->piece_len = (size_t)n;
			input->is_ended = n == 0;
		}

		const size_t room = CHUNK - chunk->len;
		const size_t n = input->piece_len < room ? input->piece_len : room;

		if (n == 0)
			continue; /* an empty piece has no address to count from */
		memcpy(chunk->bytes + chunk->len, input->piece, n);
		chunk->len += n;
		input->piece += n;
		input->piece_len -= n;
	}
	sb_hasher_add(input->hasher, chunk->bytes, chunk->len);
	if (input->watcher.on_bytes != NULL)
		input->watcher.on_bytes(input->watcher.self, chunk->bytes, chunk->len);
	input->tar_bytes += chunk->len;
	return 0;
}

static la_ssize_t read_for_archive(struct archive *archive, void *self, const void **out_bytes)
{
	struct sb_tar_input *input = self;

	input->current ^= 1;

	struct chunk *chunk = &input->chunks[input->current];

	if (sb_error_is_set(&input->error) || fill_chunk(input, chunk, &input->error) < 0) {
		archive_set_error(archive, EIO, "read");
		return -1;
	}
	*out_bytes = chunk->bytes;
	return (la_ssize_t)chunk->len;
}

static int fail_archive(struct sb_tar_input *input, struct sb_error *err)
{
	const char *why = archive_error_string(input->tar);

	if (sb_error_is_set(&input->error)) {
		sb_error_move(err, &input->error);
		return -1;
	}
	return sb_fail(err, SB_E_INTEGRITY, "not a valid tar archive: %s",
		why != NULL ? why : "unknown error");
}

static void use_utf8(struct sb_tar_input *input)
{
	input->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (input->utf8 != (locale_t)0)
		input->before = uselocale(input->utf8);
}

static void use_again(struct sb_tar_input *input)
{
	if (input->utf8 == (locale_t)0)
		return;
	(void)uselocale(input->before);
	freelocale(input->utf8);
}

int sb_tar_input_open(struct sb_reader from, bool is_layer, const struct sb_tar_watcher *watcher,
	struct sb_tar_input **out, struct sb_error *err)
{
	SB_AUTO(sb_tar_input) input = SB_NEW(struct sb_tar_input);

	use_utf8(input);
	if (watcher != NULL)
		input->watcher = *watcher;
	input->from = sb_decompressor_new(from, is_layer);
	input->interrupt = from.interrupt;
	input->hasher = sb_hasher_new();
	for (size_t i = 0; i < 2; i++)
		input->chunks[i].bytes = sb_malloc(CHUNK);
	input->tar = archive_read_new();
	SB_BUG_ON(input->tar == NULL);
	SB_BUG_ON(archive_read_support_format_tar(input->tar) != ARCHIVE_OK);
	SB_BUG_ON(archive_read_support_format_empty(input->tar) != ARCHIVE_OK);
	if (archive_read_open(input->tar, input, NULL, read_for_archive, NULL) != ARCHIVE_OK)
		return fail_archive(input, err);
	*out = SB_STEAL(input);
	return 0;
}

void sb_tar_input_free(struct sb_tar_input *input)
{
	if (input == NULL)
		return;
	if (input->tar != NULL)
		(void)archive_read_free(input->tar);
	use_again(input);
	sb_decompressor_free(input->from);
	sb_hasher_free(input->hasher);
	for (size_t i = 0; i < 2; i++)
		free(input->chunks[i].bytes);
	sb_error_release(&input->error);
	free(input);
}

/* The 512 bytes before the current entry's content, or NULL where they are no tar header (a sparse
 * file's map may stand in between). */
static const struct sb_ustar *current_header(const struct sb_tar_input *input)
{
	const la_int64_t end = archive_filter_bytes(input->tar, 0);
	const char *header = NULL;

	for (size_t i = 0; i < 2; i++) {
		const struct chunk *chunk = &input->chunks[i];
		const uint64_t start = (uint64_t)end - SB_TAR_BLOCK;

		if (end >= SB_TAR_BLOCK && start >= chunk->start &&
			start + SB_TAR_BLOCK <= chunk->start + chunk->len)
			header = chunk->bytes + (start - chunk->start);
	}
	return header != NULL && sb_ustar_has_valid_sum(header) ? (const void *)header : NULL;
}

/* libarchive takes a type that it does not know for a file, as POSIX wants it; a layer that means
 * something else by it would be unpacked wrongly. */
static int check_type(struct sb_tar_input *input, struct archive_entry *entry, struct sb_error *err)
{
	static const char known[] = "01234567S"; /* S: sparse file of GNU tar */
	const struct sb_ustar *header = current_header(input);
	const char type = header != NULL ? header->type : SB_TAR_FILE;
	const char *name = archive_entry_pathname(entry);

	if (type == '\0' || strchr(known, type) != NULL)
		return 0;
	return sb_fail(err, SB_E_INTEGRITY, "'%s' has the unknown tar type '%c'",
		name != NULL ? name : "", type);
}

int sb_tar_input_next(struct sb_tar_input *input, struct archive_entry **out_entry,
	struct sb_notes *notes, struct sb_error *err)
{
	struct archive_entry *entry = NULL;
	const int result = archive_read_next_header(input->tar, &entry);

	/* A tar that could not be read at all looks empty. */
	if (result == ARCHIVE_EOF && !sb_error_is_set(&input->error)) {
		*out_entry = NULL;
		return 0;
	}
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return fail_archive(input, err);
	if (result == ARCHIVE_WARN && archive_error_string(input->tar) != NULL)
		sb_note_once(notes, SB_NOTE_ARCHIVE, "unusual tar header: %s",
			archive_error_string(input->tar));
	if (check_type(input, entry, err) < 0)
		return -1;
	*out_entry = entry;
	return 0;
}

int sb_tar_input_data(struct sb_tar_input *input, const void **out_bytes, size_t *out_len,
	int64_t *out_offset, struct sb_error *err)
{
	size_t len = 0;
	int result = ARCHIVE_OK;

	while (len == 0 && result == ARCHIVE_OK)
		result = archive_read_data_block(input->tar, out_bytes, &len, out_offset);
	if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
		return fail_archive(input, err);
	*out_len = result == ARCHIVE_OK ? len : 0;
	return 0;
}

int sb_tar_input_finish(struct sb_tar_input *input, struct sb_applied *out, struct sb_error *err)
{
	while (!input->is_ended)
		if (fill_chunk(input, &input->chunks[0], err) < 0)
			return -1;
	if (sb_decompressor_finish(input->from, &out->digest, &out->size_bytes, err) < 0)
		return -1;
	sb_hasher_finish(input->hasher, &out->diff_id);
	out->tar_bytes = input->tar_bytes;
	return 0;
}
