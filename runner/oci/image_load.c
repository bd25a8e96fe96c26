/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/image_docker.h"
#include "oci/index.h"
#include "oci/layout_private.h"

enum {
	MAX_NESTING = 8,   /* of indexes; real ones have two levels */
	MAX_LISTED = 4096, /* entries of one image's indexes together: indexes can multiply */
};

void sb_named_images_release(struct sb_named_images *images)
{
	SB_ARRAY_FOREACH (images, image) {
		sb_descriptor_release(&image->manifest);
		sb_strv_release(&image->names);
	}
	SB_ARRAY_RELEASE(images);
}

/* What loading works on. */
struct loading {
	const struct sb_image_origin *origin;
	const struct sb_platform *want;
	enum sb_image_form form;
	struct sb_layout *to;
	struct sb_named_images *out;
	struct sb_strv *notes;
};

static void add_name(struct sb_named_image *image, const char *name)
{
	if (name != NULL && !sb_strv_contains(&image->names, name))
		sb_strv_add(&image->names, name);
}

static struct sb_named_image *find_loaded(const struct loading *l, const struct sb_digest *digest)
{
	SB_ARRAY_FOREACH (l->out, image)
		if (sb_digest_equal(&image->manifest.digest, digest))
			return image;
	return NULL;
}

/* The place of a loaded image in the result: one image is there once, with all its names. */
static struct sb_named_image *place(const struct loading *l, const struct sb_descriptor *manifest)
{
	struct sb_named_image *image = find_loaded(l, &manifest->digest);

	if (image != NULL)
		return image;
	image = SB_ARRAY_ADD(l->out);
	sb_descriptor_copy(&image->manifest, manifest);
	return image;
}

static bool has_blob(const struct sb_image_origin *origin, const struct sb_digest *digest)
{
	struct stat st;

	return origin->layout != NULL
		       ? sb_layout_stat_blob(origin->layout, digest, &st)
		       : sb_tar_index_find(origin->archive, sb_blob_path(digest).text) != NULL;
}

static int copy_raw(const struct loading *l, const struct sb_descriptor *d, struct sb_error *err)
{
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO(sb_blob_writer) writer = NULL;
	struct sb_digest digest;
	uint64_t bytes = 0;

	if (sb_layout_holds(l->to, d))
		return 0;
	if (sb_image_origin_open_blob(l->origin, &d->digest, &reader, err) < 0 ||
		sb_blob_writer_new(l->to, &writer, err) < 0 ||
		sb_blob_reader_copy(reader, sb_layout_interrupt(l->to), sb_blob_writer_fd(writer),
			&digest, &bytes, err) < 0)
		return -1;
	if (bytes != d->size_bytes || !sb_digest_equal(&digest, &d->digest))
		return sb_fail(err, SB_E_INTEGRITY, "the content of blob %s has the digest %s",
			d->digest.text, digest.text);
	return sb_blob_writer_commit(writer, &digest, err);
}

/* What a manifest consists of is not looked at: a statement about an image is no image. */
static int copy_attestation(
	const struct loading *l, const struct sb_descriptor *d, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO(sb_manifest) manifest = NULL;
	struct sb_digest digest;

	if (sb_image_origin_read_json(l->origin, d, &json, err) < 0 ||
		sb_manifest_parse(json.data, json.len, &manifest, err) < 0 ||
		copy_raw(l, &manifest->config, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&manifest->layers, layer)
		if (copy_raw(l, layer, err) < 0)
			return -1;
	return sb_layout_put_bytes(l->to, json.data, json.len, &digest, err);
}

static int copy_image(const struct loading *l, const struct sb_descriptor *d,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO(sb_image_origin) origin = sb_image_origin_borrow(l->origin);
	SB_AUTO(sb_image) image = NULL;

	if (sb_image_from_descriptor(
		    &origin, d, l->want, sb_image_form_name(l->form), &image, err) < 0)
		return -1;
	return sb_image_copy_to_layout(image, l->to, out, err);
}

/* Are all the manifests there that an index lists, on all its levels? */
static int is_whole(const struct loading *l, const struct sb_descriptors *list, unsigned depth,
	size_t *n_listed, bool *out, struct sb_error *err)
{
	*n_listed += list->len;
	if (depth == MAX_NESTING || *n_listed > MAX_LISTED)
		return sb_fail(err, SB_E_LIMIT,
			"its indexes are nested more than %d deep, or list more than %d images",
			MAX_NESTING, MAX_LISTED);
	SB_ARRAY_FOREACH (list, d) {
		SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_VALUE(sb_descriptors) nested = {0};

		*out = *out && has_blob(l->origin, &d->digest);
		if (!*out || !sb_media_is_index(d->media_type))
			continue;
		if (sb_image_origin_read_json(l->origin, d, &json, err) < 0 ||
			sb_index_parse(json.data, json.len, &nested, err) < 0 ||
			is_whole(l, &nested, depth + 1, n_listed, out, err) < 0)
			return -1;
	}
	return 0;
}

static int copy_index(const struct loading *l, const struct sb_buf *json,
	const struct sb_descriptors *list, struct sb_error *err)
{
	struct sb_digest digest;

	SB_ARRAY_FOREACH (list, d) {
		SB_AUTO_BUF nested_json = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_VALUE(sb_descriptors) nested = {0};
		SB_AUTO_VALUE(sb_descriptor) copied = {0};
		int rc = 0;

		if (sb_descriptor_is_attestation(d))
			rc = copy_attestation(l, d, err);
		else if (!sb_media_is_index(d->media_type))
			rc = copy_image(l, d, &copied, err);
		else if (sb_image_origin_read_json(l->origin, d, &nested_json, err) < 0 ||
			 sb_index_parse(nested_json.data, nested_json.len, &nested, err) < 0)
			rc = -1;
		else
			rc = copy_index(l, &nested_json, &nested, err);
		if (rc < 0)
			return -1;
	}
	return sb_layout_put_bytes(l->to, json->data, json->len, &digest, err);
}

static void note_platform(
	const struct loading *l, const char *name, const struct sb_descriptor *image)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	SB_AUTO(sb_image) read = NULL;

	if (sb_image_from_layout(l->to, image, l->want, &read, &ignored) < 0) {
		sb_error_ignore(&ignored, "only for the note");
		return;
	}

	sb_autofree char *platform = sb_platform_format(&read->config->platform);

	sb_strv_addf(l->notes, "%s: of its platforms only %s is loaded",
		name != NULL ? name : image->digest.text, platform);
}

/* An entry of index.json: *out is what it became. */
static int load_entry(const struct loading *l, const struct sb_descriptor *d,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	size_t n_listed = 0;
	bool whole = true;

	if (sb_image_origin_read_json(l->origin, d, &json, err) < 0)
		return -1;
	if (!sb_image_is_index(d, &json))
		return copy_image(l, d, out, err);
	if (sb_index_parse(json.data, json.len, &list, err) < 0 ||
		is_whole(l, &list, 0, &n_listed, &whole, err) < 0)
		return -1;
	if (!whole) {
		if (copy_image(l, d, out, err) < 0)
			return -1;
		note_platform(l, sb_descriptor_name(d), out);
		return 0;
	}
	if (copy_index(l, &json, &list, err) < 0)
		return -1;
	*out = (struct sb_descriptor){.media_type = sb_strdup(SB_MEDIA_OCI_INDEX),
		.digest = d->digest,
		.size_bytes = json.len};
	if (d->media_type != NULL && strcmp(d->media_type, SB_MEDIA_DOCKER_LIST) == 0) {
		free(out->media_type);
		out->media_type = sb_strdup(SB_MEDIA_DOCKER_LIST);
	}
	return 0;
}

/* containerd's annotation has the whole name, where ref.name may be the tag alone. */
static const char *entry_name(const struct sb_descriptor *d)
{
	const char *full = sb_env_get(&d->annotations, SB_ANNOTATION_IMAGE_NAME);

	return full != NULL ? full : sb_descriptor_name(d);
}

static int load_oci(const struct loading *l, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_VALUE(sb_descriptors) all = {0};

	if (sb_image_origin_index(l->origin, &list, err) < 0 ||
		sb_image_collect(l->origin, &list, &all, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&all, d) {
		SB_AUTO_VALUE(sb_descriptor) loaded = {0};

		if (find_loaded(l, &d->digest) == NULL && load_entry(l, d, &loaded, err) < 0)
			return sb_error_context(err, "image '%s'",
				entry_name(d) != NULL ? entry_name(d) : d->digest.text);
		add_name(loaded.media_type != NULL ? place(l, &loaded) : find_loaded(l, &d->digest),
			entry_name(d));
	}
	return 0;
}

/* The entries with the tags of entry i, of which it is the first; NULL where it is not. */
static struct sb_saved_image *choose_saved(const struct loading *l,
	const struct sb_saved_images *list, size_t i, size_t *out_n, struct sb_error *err)
{
	SB_ARRAY(struct sb_saved_image *) same = {0};
	struct sb_saved_image *const first = &list->items[i];
	struct sb_saved_image *chosen = first;

	for (size_t j = 0; first->tags.len > 0 && j < list->len; j++)
		if (sb_saved_has_same_tags(first, &list->items[j]))
			*SB_ARRAY_ADD(&same) = &list->items[j];
	*out_n = same.len;
	if (same.len > 1)
		chosen = same.items[0] != first ? NULL
						: sb_saved_choose_platform(l->origin->archive,
							  same.items, same.len, l->want, err);
	SB_ARRAY_RELEASE(&same);
	return chosen;
}

static int load_saved(const struct loading *l, const struct sb_saved_image *saved, bool is_chosen,
	struct sb_error *err)
{
	SB_AUTO(sb_image_origin) origin = sb_image_origin_borrow(l->origin);
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const char *name = saved->tags.len > 0 ? saved->tags.items[0] : NULL;
	struct sb_named_image *loaded = NULL;

	if (sb_saved_open(&origin, saved, name, &image, err) < 0 ||
		sb_image_copy_to_layout(image, l->to, &d, err) < 0)
		return sb_error_context(err, "image '%s'", name != NULL ? name : saved->config);
	loaded = place(l, &d);
	for (size_t i = 0; i < saved->tags.len; i++)
		add_name(loaded, saved->tags.items[i]);
	if (is_chosen)
		note_platform(l, name, &d);
	return 0;
}

static int load_docker(const struct loading *l, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_saved_images) list = {0};
	SB_AUTO_JSON json = NULL;

	if (sb_saved_images_read(l->origin->archive, &json, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.len; i++) {
		size_t n = 0;
		const struct sb_saved_image *saved = choose_saved(l, &list, i, &n, err);

		if (sb_error_is_set(err))
			return -1;
		if (saved != NULL && load_saved(l, saved, n > 1, err) < 0)
			return -1;
	}
	return 0;
}

int sb_image_load_all(int fd, const struct sb_image_open_options *options, struct sb_layout *to,
	struct sb_named_images *out, struct sb_strv *notes, struct sb_error *err)
{
	SB_AUTO(sb_image_origin) origin = NULL;
	SB_AUTO_VALUE(sb_named_images) images = {0};
	struct loading l = {.want = options->want, .to = to, .out = &images, .notes = notes};

	if (sb_image_origin_open(fd, options, &origin, &l.form, err) < 0)
		return -1;
	l.origin = origin;
	if ((l.form == SB_FORM_DOCKER_ARCHIVE ? load_docker : load_oci)(&l, err) < 0)
		return -1;
	if (images.len == 0)
		return sb_fail(err, SB_E_NOT_FOUND, "there is no image in the %s",
			sb_image_form_name(l.form));
	*out = images;
	images = (struct sb_named_images){0};
	return 0;
}
