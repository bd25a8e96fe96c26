/* SPDX-License-Identifier: MIT */
#include "inspect/file_find.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/size.h"
#include "base/suggest.h"
#include "inspect/layer_stream.h"
#include "inspect/tar_reader.h"
#include "leak/scan.h"

static bool has_prefix(const struct sb_digest *digest, const char *hex)
{
	return sb_digest_is_set(digest) && strncmp(sb_digest_hex(digest), hex, strlen(hex)) == 0;
}

static bool is_layer_called(const struct sb_image *image, size_t i, const char *hex)
{
	return has_prefix(&image->manifest->layers.items[i].digest, hex) ||
	       (i < image->config->diff_ids.len &&
		       has_prefix(&image->config->diff_ids.items[i], hex));
}

int sb_image_find_layer(
	const struct sb_image *image, const char *text, size_t *out_layer, struct sb_error *err)
{
	enum { MAX_NUMBER_DIGITS = 3, MIN_HEX_DIGITS = 4 };
	const size_t n = image->manifest->layers.len;
	const char *hex = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;
	size_t found = n;
	uint64_t number = 0;

	if (strlen(text) <= MAX_NUMBER_DIGITS && sb_number_parse(text, 10, n, &number) &&
		number > 0) {
		*out_layer = (size_t)number - 1;
		return 0;
	}
	if (strlen(hex) < MIN_HEX_DIGITS || hex[strspn(hex, "0123456789abcdef")] != '\0') {
		sb_fail(err, SB_E_USAGE, "there is no layer '%s': the image has %zu", text, n);
		return sb_error_hint(err, "a layer is a number from 1, or the beginning of a "
					  "digest");
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_layer_called(image, i, hex))
			continue;
		if (found < n)
			return sb_fail(err, SB_E_USAGE,
				"'%s' is the beginning of several layers' digests", text);
		found = i;
	}
	if (found == n)
		return sb_fail(
			err, SB_E_USAGE, "no layer has a digest that begins with '%s'", text);
	*out_layer = found;
	return 0;
}

/* What a layer has at a path. */
struct found {
	char type; /* of the tar entry; 0: nothing, 'w': it is taken away */
	uint64_t offset;
	char *link;
};

/* One pass over a layer. */
struct search {
	const char *path;
	struct found found;
	struct sb_suggestion near;
	char *nearest; /* owned, what near.best points at */
};

static ssize_t read_from_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_blob_reader_read(self, bytes, len, err);
}

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	return sb_layer_stream_next(self, out_bytes, err);
}

static void consider(struct search *search, const char *path)
{
	char *copy = sb_strdup(path);

	sb_suggestion_consider(&search->near, copy);
	if (search->near.best == copy) {
		free(search->nearest);
		search->nearest = copy;
	} else {
		free(copy);
	}
}

/* "a/.wh.b" takes away "a/b". */
static bool is_whiteout_of(const char *entry, const char *path)
{
	sb_autofree char *folder = sb_path_dir(path);
	sb_autofree char *base = sb_path_base(path);
	sb_autofree char *name = sb_asprintf(".wh.%s", base);
	sb_autofree char *whiteout = sb_path_join(folder, name);

	return strcmp(whiteout, entry) == 0;
}

static void look_at(struct search *search, const struct sb_tar_entry *entry, uint64_t offset)
{
	sb_autofree char *path = sb_path_below_root(entry->path);
	const bool is_it = strcmp(path, search->path) == 0;

	if (!is_it && entry->type == '0')
		consider(search, path);
	if (!is_it && (search->found.type != 0 || !is_whiteout_of(path, search->path)))
		return;
	free(search->found.link);
	search->found = (struct found){
		.type = is_it ? entry->type : 'w',
		.offset = offset,
		.link = sb_strdup_or_null(entry->link),
	};
}

static int pass_over(struct sb_tar_reader *tar, struct sb_error *err)
{
	const void *bytes = NULL;
	struct sb_tar_region padding;
	uint64_t at = 0;
	ssize_t n = 0;

	while ((n = sb_tar_reader_data(tar, &bytes, &at, err)) > 0)
		continue;
	return n < 0 ? -1 : sb_tar_reader_padding(tar, &padding, err);
}

static int search_stream(
	struct search *search, struct sb_layer_stream *stream, struct sb_error *err)
{
	const struct sb_tar_source pieces = {next_piece, stream};
	SB_AUTO(sb_tar_reader) tar = sb_tar_reader_new(&pieces);
	const struct sb_tar_entry *entry = NULL;

	for (;;) {
		if (sb_tar_reader_next(tar, &entry, err) < 0)
			return -1;
		if (entry == NULL)
			return 0;
		look_at(search, entry, sb_tar_reader_header(tar).offset);
		if (pass_over(tar, err) < 0)
			return -1;
	}
}

static int search_layer(
	struct search *search, struct sb_image *image, size_t layer, struct sb_error *err)
{
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(NULL);
	SB_AUTO_VALUE(sb_search) hits = {0};
	SB_AUTO(sb_blob_reader) blob = NULL;
	SB_AUTO(sb_layer_stream) stream = NULL;

	if (sb_image_read_layer(image, layer, &blob, err) < 0)
		return -1;

	const struct sb_byte_source source = {.read = read_from_blob, .self = blob};

	if (sb_layer_stream_open(&source, &hits, scanner, &stream, err) < 0)
		return -1;
	return search_stream(search, stream, err);
}

static int fail_kind(
	const struct search *search, size_t layer, const char *path, struct sb_error *err)
{
	static const char *const kinds[] = {"a file", "a hard link", "a symbolic link", "a device",
		"a device", "a folder", "a FIFO"};
	const struct found *found = &search->found;

	if (found->type == 0) {
		sb_fail(err, SB_E_NOT_FOUND, "layer %zu has no '%s'", layer + 1, path);
		if (search->near.best != NULL)
			return sb_error_hint(err, "did you mean '%s'?", search->near.best);
		return -1;
	}
	if (found->type == 'w') {
		sb_fail(err, SB_E_NOT_FOUND, "layer %zu deletes '%s'", layer + 1, path);
		return sb_error_hint(err, "the report says which layer has it");
	}
	sb_fail(err, SB_E_NOT_FOUND, "in layer %zu '%s' is %s, not a file", layer + 1, path,
		found->type >= '0' && found->type <= '6' ? kinds[found->type - '0']
							 : "of an unknown kind");
	return found->link != NULL ? sb_error_hint(err, "it leads to '%s'", found->link) : -1;
}

static void search_release(struct search *search)
{
	free(search->found.link);
	free(search->nearest);
}

int sb_image_find_file(struct sb_image *image, size_t layer, const char *path, size_t *out_layer,
	uint64_t *out_offset, struct sb_error *err)
{
	sb_autofree char *wanted = sb_path_below_root(path);

	/* A hard link's name may itself be one, to a lower layer's: each turn is a layer down, but
	 * for a link within its layer. */
	for (size_t at = layer, turns = 0; turns < 2 * image->manifest->layers.len + 2; turns++) {
		__attribute__((cleanup(search_release))) struct search search = {
			.path = wanted, .near = {.typed = wanted}};

		if (search_layer(&search, image, at, err) < 0)
			return sb_error_context(err, "layer %zu", at + 1);
		if (search.found.type == '0') {
			*out_layer = at;
			*out_offset = search.found.offset;
			return 0;
		}
		if (search.found.type == '1') {
			free(wanted);
			wanted = sb_path_below_root(search.found.link);
			continue;
		}
		/* What a layer takes away it may still link to. */
		if (turns == 0 || at == 0 || (search.found.type != 0 && search.found.type != 'w'))
			return fail_kind(&search, at, wanted, err);
		at--;
	}
	return sb_fail(err, SB_E_INTEGRITY, "'%s' is a hard link that leads to itself", path);
}
