/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/descriptor_json.h"
#include "oci/image_private.h"
#include "oci/index.h"
#include "oci/layout_private.h"
#include "oci/reach.h"
#include "oci/reference.h"
#include "oci/tar_out.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/transfer.h"

static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

/* Opens a blob for writing it out. *out_fd is -1 for a foreign layer that is not there: its
 * absence is legal. */
static int open_for_export(
	struct sb_layout *layout, const struct sb_descriptor *d, int *out_fd, struct sb_error *err)
{
	sb_autofd int fd = -1;
	uint64_t size = 0;
	struct stat st;

	*out_fd = -1;
	if (sb_media_is_foreign_layer(d->media_type) &&
		!sb_layout_stat_blob(layout, &d->digest, &st))
		return 0;
	if (sb_layout_open_blob(layout, &d->digest, &fd, err) < 0 || sb_fd_size(fd, &size, err) < 0)
		return -1;
	if (size != d->size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"blob %s has %" PRIu64 " bytes, its descriptor says %" PRIu64,
			d->digest.text, size, d->size_bytes);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

static int put_blobs(struct sb_tar_out *tar, struct sb_layout *layout,
	const struct sb_descriptors *blobs, struct sb_error *err)
{
	if (sb_tar_out_folder(tar, "blobs/", err) < 0 ||
		sb_tar_out_folder(tar, "blobs/sha256/", err) < 0)
		return -1;
	SB_ARRAY_FOREACH (blobs, d) {
		sb_autofd int fd = -1;

		if (open_for_export(layout, d, &fd, err) < 0)
			return -1;
		if (fd >= 0 && sb_tar_out_file(tar, sb_blob_path(&d->digest).text, fd,
				       d->size_bytes, err) < 0)
			return -1;
	}
	return 0;
}

/* A name that is a whole reference stands in containerd's annotation too, as Docker writes it. */
static void set_names(struct sb_descriptor *d, const char *ref_name, const char *image_name)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	sb_env_unset(&d->annotations, SB_ANNOTATION_REF_NAME);
	sb_env_unset(&d->annotations, SB_ANNOTATION_IMAGE_NAME);
	if (ref_name != NULL)
		sb_env_set(&d->annotations, SB_ANNOTATION_REF_NAME, ref_name);
	if (image_name == NULL)
		return;
	if (sb_reference_parse(image_name, &ref, &ignored) < 0) {
		sb_error_ignore(&ignored, "a name that is no reference stays as it is");
		return;
	}

	sb_autofree char *full = sb_reference_format(&ref);

	sb_env_set(&d->annotations, SB_ANNOTATION_IMAGE_NAME, full);
}

static int put_json(struct sb_tar_out *tar, const char *name, const json_t *json, const char *bad,
	struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);

	if (sb_json_dump(json, name, bad, &buf, err) < 0)
		return -1;
	return sb_tar_out_bytes(tar, name, buf.data, buf.len, err);
}

/* One entry a name, or one without. */
static void append_oci(json_t *index, const struct sb_named_image *image, const char **bad)
{
	SB_AUTO_VALUE(sb_descriptor) named = {0};

	sb_descriptor_copy(&named, &image->manifest);
	for (size_t i = 0; i < image->names.len; i++) {
		set_names(&named, image->names.items[i], image->names.items[i]);
		sb_index_append(index, &named, bad);
	}
	if (image->names.len > 0)
		return;
	set_names(&named, NULL, NULL);
	sb_index_append(index, &named, bad);
}

static int reach_all(struct sb_layout *layout, const struct sb_named_images *images,
	struct sb_descriptors *out, struct sb_error *err)
{
	SB_ARRAY_FOREACH (images, image)
		if (sb_layout_reach(layout, &image->manifest, out, err) < 0)
			return -1;
	return 0;
}

int sb_image_write_oci_archive(struct sb_layout *layout, const struct sb_named_images *images,
	int out_fd, struct sb_error *err)
{
	struct sb_tar_out tar = {.fd = out_fd, .interrupt = layout->interrupt};
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_JSON index = sb_index_new_json();
	const char *bad = NULL;

	SB_ARRAY_FOREACH (images, image)
		append_oci(index, image, &bad);
	if (reach_all(layout, images, &blobs, err) < 0 ||
		sb_tar_out_bytes(&tar, "oci-layout", marker, sizeof(marker) - 1, err) < 0 ||
		put_json(&tar, "index.json", index, bad, err) < 0 ||
		put_blobs(&tar, layout, &blobs, err) < 0 || sb_tar_out_end(&tar, err) < 0)
		return sb_error_context(err, "write an OCI archive");
	return 0;
}

/* A name as docker save writes it: "alpine:3", "quay.io/a/b:1"; without a digest, which docker load
 * does not take. A name that is no reference stays as it is. Caller frees. */
static char *repo_tag(const char *name)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_reference_parse(name, &ref, &ignored) < 0 || ref.tag == NULL)
		return sb_strdup(name);
	ref.digest = (struct sb_digest){0};
	return sb_reference_familiar(&ref);
}

/* One entry of manifest.json. */
static json_t *docker_entry(
	const struct sb_manifest *manifest, const struct sb_strv *tags, const char **bad)
{
	json_t *entry = json_object();
	SB_AUTO_STRV layers = SB_STRV_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;

	SB_ARRAY_FOREACH (&manifest->layers, layer)
		sb_strv_add(&layers, sb_blob_path(&layer->digest).text);
	for (size_t i = 0; i < tags->len; i++)
		sb_strv_add_nodup(&names, repo_tag(tags->items[i]));
	sb_json_put_string(entry, "Config", sb_blob_path(&manifest->config.digest).text, bad);
	sb_json_put_strings(entry, "RepoTags", &names, bad);
	sb_json_put_strings(entry, "Layers", &layers, bad);
	return entry;
}

/* As Docker does: an entry a tag, which is the ref.name. */
static void append_docker(json_t *index, const struct sb_named_image *image, const char **bad)
{
	SB_AUTO_VALUE(sb_descriptor) named = {0};

	sb_descriptor_copy(&named, &image->manifest);
	set_names(&named, NULL, NULL);
	for (size_t i = 0; i < image->names.len; i++) {
		const char *name = image->names.items[i];
		SB_AUTO_VALUE(sb_reference) ref = {0};
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;
		const bool is_ref = sb_reference_parse(name, &ref, &ignored) == 0;

		set_names(&named, is_ref && ref.tag != NULL ? ref.tag : name, name);
		sb_index_append(index, &named, bad);
	}
	if (image->names.len == 0)
		sb_index_append(index, &named, bad);
}

static int check_all_present(
	const struct sb_manifest *manifest, struct sb_layout *layout, struct sb_error *err)
{
	struct stat st;

	for (size_t i = 0; i < manifest->layers.len; i++)
		if (!sb_layout_stat_blob(layout, &manifest->layers.items[i].digest, &st))
			return sb_fail(err, SB_E_UNSUPPORTED,
				"layer %zu (%s) is not there, and an archive for docker load needs "
				"all",
				i + 1, manifest->layers.items[i].digest.text);
	return 0;
}

static int add_docker_image(struct sb_layout *layout, const struct sb_named_image *image,
	json_t *index, json_t *saved, const char **bad, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO(sb_manifest) parsed = NULL;

	if (sb_media_is_index(image->manifest.media_type))
		return sb_fail(err, SB_E_BUG, "an index in a docker archive");
	if (sb_layout_read_blob(layout, &image->manifest, &json, err) < 0 ||
		sb_manifest_parse(json.data, json.len, &parsed, err) < 0 ||
		check_all_present(parsed, layout, err) < 0)
		return -1;
	SB_BUG_ON(json_array_append_new(saved, docker_entry(parsed, &image->names, bad)) != 0);
	append_docker(index, image, bad);
	return 0;
}

int sb_image_write_docker_archive(struct sb_layout *layout, const struct sb_named_images *images,
	int out_fd, struct sb_error *err)
{
	struct sb_tar_out tar = {.fd = out_fd, .interrupt = layout->interrupt};
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_JSON index = sb_index_new_json();
	SB_AUTO_JSON saved = json_array();
	const char *bad = NULL;

	SB_ARRAY_FOREACH (images, image)
		if (add_docker_image(layout, image, index, saved, &bad, err) < 0)
			return sb_error_context(err, "write a docker archive");
	if (reach_all(layout, images, &blobs, err) < 0 ||
		sb_tar_out_bytes(&tar, "oci-layout", marker, sizeof(marker) - 1, err) < 0 ||
		put_json(&tar, "index.json", index, bad, err) < 0 ||
		put_json(&tar, "manifest.json", saved, bad, err) < 0 ||
		put_blobs(&tar, layout, &blobs, err) < 0 || sb_tar_out_end(&tar, err) < 0)
		return sb_error_context(err, "write a docker archive");
	return 0;
}

static int copy_blob(struct sb_layout *from, struct sb_layout *to, const struct sb_descriptor *d,
	struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	sb_autofd int fd = -1;

	if (sb_layout_holds(to, d))
		return 0;
	if (open_for_export(from, d, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (sb_blob_writer_new(to, &writer, err) < 0 ||
		sb_transfer_range(
			from->interrupt, fd, 0, d->size_bytes, sb_blob_writer_fd(writer), err) < 0)
		return -1;
	return sb_blob_writer_commit(writer, &d->digest, err);
}

/* An exported folder holds what the specification names and nothing else. Another writer that is at
 * work makes its own again. */
static void remove_own_files(const struct sb_layout *layout)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int lock = -1;

	if (sb_lock_try(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, &ignored) < 0 ||
		lock < 0)
		return;
	(void)unlinkat(layout->fd, SB_LAYOUT_TMP, AT_REMOVEDIR);
	(void)unlinkat(layout->fd, SB_LAYOUT_LOCK, 0);
}

static int add_names(struct sb_layout *to, const struct sb_named_image *image, struct sb_error *err)
{
	if (image->names.len == 0)
		return sb_layout_add(to, &image->manifest, NULL, err);
	for (size_t i = 0; i < image->names.len; i++)
		if (sb_layout_add(to, &image->manifest, image->names.items[i], err) < 0)
			return -1;
	return 0;
}

int sb_image_write_oci_folder(struct sb_layout *layout, const struct sb_named_images *images,
	int dir_fd, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO(sb_layout) to = NULL;

	if (reach_all(layout, images, &blobs, err) < 0 ||
		sb_layout_open(dir_fd, true, &to, err) < 0)
		return sb_error_context(err, "write an OCI layout");
	SB_ARRAY_FOREACH (&blobs, d)
		if (copy_blob(layout, to, d, err) < 0)
			return sb_error_context(err, "write an OCI layout");
	SB_ARRAY_FOREACH (images, image)
		if (add_names(to, image, err) < 0)
			return sb_error_context(err, "write an OCI layout");
	remove_own_files(to);
	return 0;
}

/* Unset where nothing has the name. */
static int find_named(
	struct sb_layout *layout, const char *name, struct sb_digest *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO_ERROR missing = SB_ERROR_INIT;

	if (sb_layout_find(layout, name, &d, &missing) == 0) {
		*out = d.digest;
		return 0;
	}
	if (missing.code == SB_E_NOT_FOUND)
		return 0;
	sb_error_move(err, &missing);
	return -1;
}

static int remove_nameless(
	struct sb_layout *layout, const struct sb_digest *digest, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_ERROR gone = SB_ERROR_INIT;
	bool is_listed = false;

	if (sb_layout_list(layout, &list, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&list, d) {
		if (!sb_digest_equal(&d->digest, digest))
			continue;
		if (sb_descriptor_name(d) != NULL)
			return 0;
		is_listed = true;
	}
	if (!is_listed || sb_layout_remove(layout, digest->text, &gone) == 0)
		return 0;
	if (gone.code == SB_E_NOT_FOUND)
		return 0;
	sb_error_move(err, &gone);
	return -1;
}

int sb_image_replace_in_oci_folder(struct sb_layout *layout, const struct sb_descriptor *manifest,
	const char *name, int dir_fd, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO(sb_layout) to = NULL;
	struct sb_digest before = {0};

	if (sb_layout_open(dir_fd, true, &to, err) < 0)
		return -1;
	sb_layout_set_interrupt(to, layout->interrupt);
	if (find_named(to, name, &before, err) < 0 ||
		sb_layout_reach(layout, manifest, &blobs, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&blobs, d)
		if (copy_blob(layout, to, d, err) < 0)
			return -1;
	if (sb_layout_add(to, manifest, name, err) < 0)
		return -1;
	if (sb_digest_is_set(&before) && !sb_digest_equal(&before, &manifest->digest) &&
		remove_nameless(to, &before, err) < 0)
		return -1;
	remove_own_files(to);
	return 0;
}
