/* SPDX-License-Identifier: MIT */
#include "oci/image.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/image_private.h"
#include "oci/layout_private.h"
#include "oci/reference.h"
#include "oci/spool.h"
#include "sys/fd.h"

struct sb_image_origin *sb_image_origin_new(void)
{
	struct sb_image_origin *origin = SB_NEW(struct sb_image_origin);

	origin->manifest_json = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	return origin;
}

void sb_image_origin_free(struct sb_image_origin *origin)
{
	if (origin == NULL)
		return;
	sb_layout_free(origin->owned_layout);
	sb_tar_index_free(origin->owned_archive);
	SB_ARRAY_RELEASE(&origin->layers);
	sb_buf_release(&origin->manifest_json);
	sb_descriptor_release(&origin->root);
	free(origin);
}

void sb_image_free(struct sb_image *image)
{
	if (image == NULL)
		return;
	sb_descriptor_release(&image->descriptor);
	sb_manifest_free(image->manifest);
	sb_image_config_free(image->config);
	sb_buf_release(&image->config_json);
	free(image->form);
	free(image->name);
	sb_image_origin_free(image->origin);
	free(image);
}

void sb_blob_reader_free(struct sb_blob_reader *r)
{
	if (r == NULL)
		return;
	sb_fd_closep(&r->fd);
	free(r);
}

ssize_t sb_blob_reader_read(struct sb_blob_reader *r, void *bytes, size_t len, struct sb_error *err)
{
	const size_t most = r->left < len ? (size_t)r->left : len;
	ssize_t n = -1;

	if (most == 0)
		return 0;
	do
		n = pread(r->fd, bytes, most, (off_t)r->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sb_fail_errno(err, "read");
	if (n == 0)
		return sb_fail(
			err, SB_E_INTEGRITY, "file ends %" PRIu64 " bytes too early", r->left);
	r->offset += (uint64_t)n;
	r->left -= (uint64_t)n;
	return n;
}

int sb_blob_reader_of_entry(const struct sb_tar_index *archive, const struct sb_tar_entry *entry,
	struct sb_blob_reader **out, struct sb_error *err)
{
	SB_AUTO(sb_blob_reader) reader = SB_NEW(struct sb_blob_reader);

	reader->fd = -1;
	if (sb_fd_dup(archive->fd, &reader->fd, err) < 0)
		return -1;
	reader->offset = entry->offset;
	reader->left = entry->size_bytes;
	*out = SB_STEAL(reader);
	return 0;
}

static int open_in_layout(struct sb_layout *layout, const struct sb_digest *digest,
	struct sb_blob_reader **out, struct sb_error *err)
{
	SB_AUTO(sb_blob_reader) reader = SB_NEW(struct sb_blob_reader);

	reader->fd = -1;
	if (sb_layout_open_blob(layout, digest, &reader->fd, err) < 0 ||
		sb_fd_size(reader->fd, &reader->left, err) < 0)
		return -1;
	*out = SB_STEAL(reader);
	return 0;
}

int sb_image_origin_open_blob(const struct sb_image_origin *origin, const struct sb_digest *digest,
	struct sb_blob_reader **out, struct sb_error *err)
{
	const struct sb_tar_entry *entry = NULL;

	if (origin->layout != NULL)
		return open_in_layout(origin->layout, digest, out, err);
	entry = sb_tar_index_find(origin->archive, sb_blob_path(digest).text);
	if (entry == NULL)
		return sb_fail(
			err, SB_E_NOT_FOUND, "blob %s is missing in the archive", digest->text);
	return sb_blob_reader_of_entry(origin->archive, entry, out, err);
}

int sb_image_origin_read_json(const struct sb_image_origin *origin, const struct sb_descriptor *d,
	struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	const struct sb_tar_entry *entry = NULL;

	if (origin->layout != NULL)
		return sb_layout_read_blob(origin->layout, d, out, err);
	entry = sb_tar_index_find(origin->archive, sb_blob_path(&d->digest).text);
	if (entry == NULL)
		return sb_fail(
			err, SB_E_NOT_FOUND, "blob %s is missing in the archive", d->digest.text);
	if (sb_tar_index_read(origin->archive, entry, SB_MAX_JSON, &buf, err) < 0)
		return -1;
	if (sb_descriptor_verify(d, &buf, err) < 0)
		return -1;
	*out = buf;
	buf = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	return 0;
}

int sb_layer_media_type_of(
	const struct sb_blob_reader *reader, const char **out, struct sb_error *err)
{
	unsigned char first[10] = {0};
	const size_t len = reader->left < sizeof(first) ? (size_t)reader->left : sizeof(first);

	if (sb_fd_pread_all(reader->fd, first, len, reader->offset, err) < 0)
		return -1;
	if (memcmp(first,
		    "\xfd"
		    "7zXZ",
		    6) == 0)
		return sb_fail(
			err, SB_E_UNSUPPORTED, "layers compressed with xz are not supported");
	if (memcmp(first, "BZh", 3) == 0 && memcmp(first + 4, "1AY&SY", 6) == 0)
		return sb_fail(
			err, SB_E_UNSUPPORTED, "layers compressed with bzip2 are not supported");
	if (first[0] == 0x1f && first[1] == 0x8b)
		*out = SB_MEDIA_OCI_LAYER_GZIP;
	else if (memcmp(first, "\x28\xb5\x2f\xfd", 4) == 0 ||
		 ((first[0] & 0xf0) == 0x50 && memcmp(first + 1, "\x2a\x4d\x18", 3) == 0))
		*out = SB_MEDIA_OCI_LAYER_ZSTD; /* or a skippable frame, as zstd:chunked has */
	else
		*out = SB_MEDIA_OCI_LAYER;
	return 0;
}

int sb_image_read_layer(
	struct sb_image *image, size_t i, struct sb_blob_reader **out, struct sb_error *err)
{
	const struct sb_image_origin *origin = image->origin;
	const struct sb_descriptor *layer = image->manifest->layers.items + i;
	SB_AUTO_ERROR cause = SB_ERROR_INIT;

	SB_BUG_ON(i >= image->manifest->layers.len);
	if (i < origin->layers.len)
		return sb_blob_reader_of_entry(origin->archive, origin->layers.items[i], out, err);
	if (sb_image_origin_open_blob(origin, &layer->digest, out, &cause) == 0)
		return 0;
	if (cause.code == SB_E_NOT_FOUND && sb_media_is_foreign_layer(layer->media_type)) {
		sb_error_ignore(&cause, "such a layer may be left out; what is said instead");
		return sb_fail(err, SB_E_UNSUPPORTED,
			"layer %zu (%s) is kept at its vendor's and not in the image", i + 1,
			layer->digest.text);
	}
	sb_error_move(err, &cause);
	return sb_error_context(err, "layer %zu", i + 1);
}

int sb_image_from_layout(struct sb_layout *layout, const struct sb_descriptor *d,
	const struct sb_platform *want, struct sb_image **out, struct sb_error *err)
{
	SB_AUTO(sb_image_origin) origin = sb_image_origin_new();

	origin->layout = layout;
	sb_descriptor_copy(&origin->root, d);
	return sb_image_from_descriptor(&origin, d, want, "oci layout", out, err);
}

const char *sb_image_form_name(enum sb_image_form form)
{
	static const char *const names[] = {[SB_FORM_LAYOUT] = "oci layout",
		[SB_FORM_OCI_ARCHIVE] = "oci archive",
		[SB_FORM_DOCKER_ARCHIVE] = "docker archive"};

	return names[form];
}

struct sb_image_origin *sb_image_origin_borrow(const struct sb_image_origin *from)
{
	struct sb_image_origin *origin = sb_image_origin_new();

	origin->layout = from->layout;
	origin->archive = from->archive;
	return origin;
}

static int open_folder(int fd, struct sb_image_origin *origin, struct sb_error *err)
{
	if (sb_layout_open(fd, false, &origin->owned_layout, err) < 0) {
		if (err->code == SB_E_NOT_FOUND)
			err->code = SB_E_INTEGRITY;
		return -1;
	}
	origin->layout = origin->owned_layout;
	return 0;
}

static int fail_not_an_image(const struct sb_tar_index *archive, struct sb_error *err)
{
	static const char *const usual[] = {"etc", "bin", "usr", "lib", "var"};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		n += sb_tar_index_has_below(archive, usual[i]) ? 1 : 0;
	sb_fail(err, n >= 2 ? SB_E_UNSUPPORTED : SB_E_INTEGRITY,
		"it is not an image: the archive has no manifest.json and no index.json");
	if (n >= 2)
		return sb_error_hint(err,
			"it looks like a root file system: make an image of it with "
			"`safebuild import FILE NAME`");
	return -1;
}

static int open_archive(
	int fd, struct sb_image_origin *origin, enum sb_image_form *out_form, struct sb_error *err)
{
	if (sb_tar_index_new(fd, &origin->owned_archive, err) < 0)
		return sb_error_context(err, "it can't be read as an image");
	origin->archive = origin->owned_archive;

	const bool is_docker = sb_tar_index_find(origin->archive, "manifest.json") != NULL;
	const bool is_oci = sb_tar_index_find(origin->archive, "index.json") != NULL;

	if ((is_docker || is_oci) && origin->archive->is_cut_short)
		return sb_fail(err, SB_E_LIMIT, "the image archive has more than %d files",
			SB_MAX_ARCHIVE_ENTRIES);
	if (!is_docker && !is_oci)
		return fail_not_an_image(origin->archive, err);
	*out_form = is_docker ? SB_FORM_DOCKER_ARCHIVE : SB_FORM_OCI_ARCHIVE;
	return 0;
}

int sb_image_origin_open(int fd, const struct sb_image_open_options *options,
	struct sb_image_origin **out, enum sb_image_form *out_form, struct sb_error *err)
{
	SB_AUTO(sb_image_origin) origin = sb_image_origin_new();
	sb_autofd int spooled = -1;
	bool is_spooled = false;
	struct stat st;

	*out_form = SB_FORM_LAYOUT;
	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "stat");
	if (S_ISDIR(st.st_mode)) {
		if (open_folder(fd, origin, err) < 0)
			return -1;
		*out = SB_STEAL(origin);
		return 0;
	}
	if (sb_spool_is_needed(fd, &is_spooled, err) < 0)
		return -1;
	if (is_spooled && sb_spool(fd, options->tmp_dir_fd, options->interrupt, &spooled, err) < 0)
		return -1;
	if (open_archive(is_spooled ? spooled : fd, origin, out_form, err) < 0)
		return -1;
	*out = SB_STEAL(origin);
	return 0;
}

int sb_image_origin_index(
	const struct sb_image_origin *origin, struct sb_descriptors *out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);

	if (origin->layout != NULL)
		return sb_layout_list(origin->layout, out, err);
	if (sb_tar_index_read(origin->archive, sb_tar_index_find(origin->archive, "index.json"),
		    SB_MAX_JSON, &buf, err) < 0)
		return -1;
	if (sb_index_parse(buf.data, buf.len, out, err) < 0)
		return sb_error_context(err, "index.json");
	return 0;
}

int sb_image_open_fd(int fd, const struct sb_image_open_options *options, struct sb_image **out,
	struct sb_error *err)
{
	SB_AUTO(sb_image_origin) origin = NULL;
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	enum sb_image_form form = SB_FORM_LAYOUT;

	if (sb_image_origin_open(fd, options, &origin, &form, err) < 0)
		return -1;
	if (form == SB_FORM_DOCKER_ARCHIVE)
		return sb_image_from_docker_archive(&origin, options, out, err);
	if (sb_image_origin_index(origin, &list, err) < 0)
		return -1;
	return sb_image_from_index(&origin, &list, options, sb_image_form_name(form), out, err);
}
