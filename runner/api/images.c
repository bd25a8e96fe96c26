/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/session.h"
#include "base/array.h"
#include "base/limits.h"
#include "base/mem.h"
#include "oci/image.h"
#include "oci/index.h"
#include "oci/reach.h"

/* A blob that an image consists of. */
struct use {
	struct sb_digest blob;
	uint64_t size_bytes;
	size_t image; /* the first of its entries */
};
SB_ARRAY_STRUCT(sb_uses, struct use);

static void sb_uses_release(struct sb_uses *uses)
{
	SB_ARRAY_RELEASE(uses);
}

static size_t first_of(const struct sb_descriptors *list, size_t i)
{
	size_t first = 0;

	while (!sb_digest_equal(&list->items[first].digest, &list->items[i].digest))
		first++;
	return first;
}

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a;
	const struct use *y = b;

	return strcmp(x->blob.text, y->blob.text);
}

/* Of an image that can't be read nothing is known. */
static void collect_uses(
	struct sb_session *session, const struct sb_descriptors *list, struct sb_uses *out)
{
	for (size_t i = 0; i < list->len; i++) {
		SB_AUTO_VALUE(sb_descriptors) blobs = {0};
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;

		if (first_of(list, i) != i)
			continue;
		if (sb_layout_reach(session->store, &list->items[i], &blobs, &ignored) < 0)
			sb_error_ignore(&ignored, "it is listed all the same");
		SB_ARRAY_FOREACH (&blobs, blob) {
			struct use *use = SB_ARRAY_ADD(out);

			use->blob = blob->digest;
			use->size_bytes = blob->size_bytes;
			use->image = i;
		}
	}
	if (out->len > 0)
		qsort(out->items, out->len, sizeof(out->items[0]), compare_uses);
}

/* What would be free without entry i and those of the same digest. */
static uint64_t unique_bytes(
	const struct sb_uses *uses, const struct sb_descriptors *list, size_t i)
{
	const size_t image = first_of(list, i);
	uint64_t bytes = 0;

	for (size_t u = 0; u < uses->len; u++) {
		const struct use *use = &uses->items[u];
		const bool is_shared = (u > 0 && compare_uses(use, use - 1) == 0) ||
				       (u + 1 < uses->len && compare_uses(use, use + 1) == 0);

		if (use->image == image && !is_shared)
			bytes += use->size_bytes;
	}
	return bytes;
}

/* Configs and layers, each once: images for several platforms may share some. */
static void add_size(
	const struct sb_manifest *manifest, struct sb_strv *counted, uint64_t *size_bytes)
{
	const size_t n = manifest->layers.len + 1;

	for (size_t i = 0; i < n; i++) {
		const struct sb_descriptor *blob =
			i == 0 ? &manifest->config : &manifest->layers.items[i - 1];

		if (sb_strv_contains(counted, blob->digest.text))
			continue;
		sb_strv_add(counted, blob->digest.text);
		*size_bytes += blob->size_bytes;
	}
}

/* One manifest, of which the store may lack blobs. */
static void describe_one(struct sb_session *session, const struct sb_descriptor *d,
	struct sb_strv *platforms, struct sb_strv *counted, struct sb_image_info *out)
{
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_image_from_layout(session->store, d, NULL, &image, &failed) < 0) {
		sb_error_ignore(&failed, "the name and digest are worth listing");
		return;
	}
	if (out->created == NULL)
		out->created = sb_strdup_or_null(image->config->created);
	sb_strv_add_nodup(platforms, sb_platform_format(&image->config->platform));
	add_size(image->manifest, counted, &out->size_bytes);
}

/* An index's images; what is attested of them is none. */
static void describe_index(struct sb_session *session, const struct sb_descriptor *d,
	struct sb_strv *platforms, struct sb_strv *counted, struct sb_image_info *out)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_descriptors) entries = {0};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_layout_read_blob(session->store, d, &json, &failed) < 0 ||
		sb_index_parse(json.data, json.len, &entries, &failed) < 0) {
		sb_error_ignore(&failed, "the name and digest are worth listing");
		return;
	}
	SB_ARRAY_FOREACH (&entries, entry)
		if (!sb_descriptor_is_attestation(entry) && !sb_media_is_index(entry->media_type))
			describe_one(session, entry, platforms, counted, out);
}

/* What can't be read is listed all the same, without what is in it. */
static void describe(
	struct sb_session *session, const struct sb_descriptor *d, struct sb_image_info *out)
{
	SB_AUTO_STRV platforms = SB_STRV_INIT;
	SB_AUTO_STRV counted = SB_STRV_INIT;
	const char *name = sb_descriptor_name(d);

	out->name = name != NULL ? sb_session_familiar(name) : sb_strdup("<none>");
	out->digest = sb_strdup(d->digest.text);
	if (sb_media_is_index(d->media_type))
		describe_index(session, d, &platforms, &counted, out);
	else
		describe_one(session, d, &platforms, &counted, out);
	out->platform = sb_strv_join(&platforms, ",");
	if (out->created == NULL)
		out->created = sb_strdup("");
}

int sb_images(const struct sb_store_options *options, struct sb_image_info **out, size_t *out_len,
	struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_VALUE(sb_uses) uses = {0};

	if (sb_session_open(options->root, &session, err) < 0 ||
		sb_layout_list(session.store, &list, err) < 0)
		return -1;
	collect_uses(&session, &list, &uses);

	struct sb_image_info *images = sb_calloc(list.len, sizeof(*images));

	for (size_t i = 0; i < list.len; i++)
		describe(&session, &list.items[i], &images[i]);
	for (size_t i = 0; i < list.len; i++)
		images[i].unique_bytes = unique_bytes(&uses, &list, i);
	*out = images;
	*out_len = list.len;
	return 0;
}

void sb_images_free(struct sb_image_info *images, size_t len)
{
	for (size_t i = 0; images != NULL && i < len; i++) {
		free(images[i].name);
		free(images[i].digest);
		free(images[i].created);
		free(images[i].platform);
	}
	free(images);
}
