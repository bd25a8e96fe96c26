/* SPDX-License-Identifier: MIT */
#include "oci/image_files.h"

#include <fcntl.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "oci/image_private.h"
#include "oci/layout_private.h"
#include "sys/fd.h"
#include "sys/tree.h"

void sb_image_files_release(struct sb_image_files *files)
{
	SB_ARRAY_FOREACH (files, file)
		free(file->name);
	SB_ARRAY_RELEASE(files);
}

static bool is_part(const struct sb_image *image, const struct sb_digest *digest)
{
	if (!sb_digest_is_set(digest))
		return false;
	if (sb_digest_equal(digest, &image->descriptor.digest) ||
		sb_digest_equal(digest, &image->manifest->config.digest))
		return true;
	SB_ARRAY_FOREACH (&image->manifest->layers, layer)
		if (sb_digest_equal(digest, &layer->digest))
			return true;
	return false;
}

static struct sb_image_file *add_file(
	const struct sb_image *image, const char *name, uint64_t size, struct sb_image_files *out)
{
	struct sb_image_file *file = SB_ARRAY_ADD(out);

	file->name = sb_strdup(name);
	file->size_bytes = size;
	if (!sb_digest_of_file_name(name, &file->digest))
		file->digest = (struct sb_digest){0};
	file->is_part = is_part(image, &file->digest);
	return file;
}

static int by_offset(const void *a, const void *b)
{
	const struct sb_image_file *x = a;
	const struct sb_image_file *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_name(const void *a, const void *b)
{
	const struct sb_image_file *x = a;
	const struct sb_image_file *y = b;
	const int order = strcmp(x->name, y->name);

	return order != 0 ? order : by_offset(a, b);
}

/* What is in no file, between `at` and `end`. */
static void add_between(uint64_t at, uint64_t end, struct sb_image_files *out)
{
	if (at >= end)
		return;
	*SB_ARRAY_ADD(out) =
		(struct sb_image_file){.name = sb_strdup(""), .size_bytes = end - at, .offset = at};
}

static int list_archive(const struct sb_image *image, const struct sb_image_origin *origin,
	struct sb_image_files *out, struct sb_error *err)
{
	uint64_t size = 0;
	uint64_t at = 0;

	if (sb_fd_size(origin->archive->fd, &size, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&origin->archive->entries, entry) {
		struct sb_image_file *file = NULL;

		if (!entry->is_file)
			continue;
		file = add_file(image, entry->name, entry->size_bytes, out);
		file->offset = entry->offset;
		SB_ARRAY_FOREACH (&origin->layers, layer)
			file->is_part |= *layer == entry;
	}

	const size_t n = out->len;

	if (n > 0)
		qsort(out->items, n, sizeof(out->items[0]), by_offset);
	for (size_t i = 0; i < n; i++) {
		const uint64_t offset = out->items[i].offset;

		add_between(at, offset, out);
		at = offset + out->items[i].size_bytes;
	}
	add_between(at, size, out);
	return 0;
}

/* Files of a folder and, up to the depth of blobs/sha256, of those in it. */
static int list_folder(const struct sb_image *image, int dir_fd, const char *path, unsigned depth,
	struct sb_image_files *out, struct sb_error *err)
{
	enum { MAX_DEPTH = 3 };
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(dir_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *name = sb_path_join(path, names.items[i]);
		sb_autofd int sub = -1;
		struct stat st;

		if (fstatat(dir_fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* it is gone */
		if (S_ISREG(st.st_mode))
			(void)add_file(image, name, (uint64_t)st.st_size, out);
		if (!S_ISDIR(st.st_mode) || depth == MAX_DEPTH)
			continue;
		if (out->len > SB_MAX_ARCHIVE_ENTRIES)
			return sb_fail(err, SB_E_LIMIT, "the layout has more than %d files",
				SB_MAX_ARCHIVE_ENTRIES);
		if (sb_at_open_dir(dir_fd, names.items[i], SB_AT_NO_LINKS, &sub, err) < 0 ||
			list_folder(image, sub, name, depth + 1, out, err) < 0)
			return -1;
	}
	return 0;
}

int sb_image_list_files(
	const struct sb_image *image, struct sb_image_files *out, struct sb_error *err)
{
	const struct sb_image_origin *origin = image->origin;
	SB_AUTO_VALUE(sb_image_files) files = {0};

	if (origin->archive != NULL && list_archive(image, origin, &files, err) < 0)
		return -1;
	if (origin->owned_layout != NULL &&
		list_folder(image, origin->owned_layout->fd, ".", 0, &files, err) < 0)
		return -1;
	if (files.len > 0)
		qsort(files.items, files.len, sizeof(files.items[0]), by_name);
	*out = files;
	files = (struct sb_image_files){0};
	return 0;
}

int sb_image_open_file(const struct sb_image *image, const struct sb_image_file *file,
	struct sb_blob_reader **out, struct sb_error *err)
{
	const struct sb_image_origin *origin = image->origin;
	SB_AUTO(sb_blob_reader) reader = SB_NEW(struct sb_blob_reader);

	reader->fd = -1;
	reader->offset = file->offset;
	reader->left = file->size_bytes;
	if (origin->archive != NULL) {
		if (sb_fd_dup(origin->archive->fd, &reader->fd, err) < 0)
			return -1;
	} else if (sb_at_open(origin->owned_layout->fd, file->name, SB_AT_NO_LINKS,
			   O_RDONLY | O_NONBLOCK, &reader->fd, err) < 0) {
		return -1;
	}
	*out = SB_STEAL(reader);
	return 0;
}

int sb_image_open_blob(const struct sb_image *image, const struct sb_digest *digest,
	struct sb_blob_reader **out, struct sb_error *err)
{
	return sb_image_origin_open_blob(image->origin, digest, out, err);
}

const struct sb_descriptor *sb_image_root(const struct sb_image *image)
{
	const struct sb_image_origin *origin = image->origin;

	return &origin->root;
}

const struct sb_buf *sb_image_manifest_json(const struct sb_image *image)
{
	const struct sb_image_origin *origin = image->origin;

	return &origin->manifest_json;
}
