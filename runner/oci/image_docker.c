/* SPDX-License-Identifier: MIT */
#include "oci/image_docker.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/index.h"

static bool has_name(const struct sb_saved_image *saved, const char *name)
{
	struct sb_digest id;

	for (size_t i = 0; i < saved->tags.len; i++)
		if (sb_image_name_is(saved->tags.items[i], name))
			return true;
	return sb_digest_of_file_name(saved->config, &id) &&
	       (strcmp(name, id.text) == 0 || strcmp(name, sb_digest_hex(&id)) == 0);
}

/* NULL with the error set. */
static struct sb_saved_image *choose(const struct sb_tar_index *archive,
	const struct sb_saved_images *list, const struct sb_image_open_options *options,
	struct sb_error *err)
{
	SB_ARRAY(struct sb_saved_image *) matching = {0};
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct sb_saved_image *chosen = NULL;
	bool is_one = true;

	SB_ARRAY_FOREACH (list, saved) {
		sb_strv_add(&names, saved->tags.len > 0 ? saved->tags.items[0] : saved->config);
		if (options->name != NULL && !has_name(saved, options->name))
			continue;
		*SB_ARRAY_ADD(&matching) = saved;
		is_one = is_one && sb_saved_has_same_tags(matching.items[0], saved);
	}
	if (matching.len == 0)
		sb_image_fail_choice(
			options->name, &names, sb_image_form_name(SB_FORM_DOCKER_ARCHIVE), err);
	else if (matching.len == 1)
		chosen = matching.items[0];
	else if (is_one && matching.items[0]->tags.len > 0)
		chosen = sb_saved_choose_platform(
			archive, matching.items, matching.len, options->want, err);
	else
		sb_image_fail_choice(NULL, &names, sb_image_form_name(SB_FORM_DOCKER_ARCHIVE), err);
	SB_ARRAY_RELEASE(&matching);
	return chosen;
}

static bool is_blob_path(const char *path)
{
	static const char blobs[] = "blobs/sha256/";

	return strncmp(path, blobs, sizeof(blobs) - 1) == 0;
}

/* What is known of a layer without reading it. The digest of an uncompressed one is its diff_id,
 * which the reader finds right or wrong; that of a compressed one in the old form is not known. */
static int describe_layer(const struct sb_tar_index *archive, const struct sb_tar_entry *entry,
	const char *path, const struct sb_digest *diff_id, struct sb_descriptor *out,
	struct sb_error *err)
{
	SB_AUTO(sb_blob_reader) reader = NULL;
	const char *media_type = NULL;

	if (sb_blob_reader_of_entry(archive, entry, &reader, err) < 0 ||
		sb_layer_media_type_of(reader, &media_type, err) < 0)
		return -1;
	out->media_type = sb_strdup(media_type);
	out->size_bytes = entry->size_bytes;
	if (is_blob_path(path) && sb_digest_of_file_name(path, &out->digest))
		return 0;
	if (strcmp(media_type, SB_MEDIA_OCI_LAYER) == 0)
		out->digest = *diff_id;
	return 0;
}

static int find_layers(
	const struct sb_saved_image *saved, struct sb_image *image, struct sb_error *err)
{
	struct sb_image_origin *origin = image->origin;

	for (size_t i = 0; i < saved->layers.len; i++) {
		const char *path = saved->layers.items[i];
		const struct sb_tar_entry *entry = sb_tar_index_find(origin->archive, path);

		if (entry == NULL)
			return sb_fail(err, SB_E_INTEGRITY,
				"layer %zu ('%s') is missing in the archive", i + 1, path);
		*SB_ARRAY_ADD(&origin->layers) = entry;
		if (describe_layer(origin->archive, entry, path, &image->config->diff_ids.items[i],
			    SB_ARRAY_ADD(&image->manifest->layers), err) < 0)
			return sb_error_context(err, "layer %zu ('%s')", i + 1, path);
	}
	return 0;
}

static bool is_same_image(const struct sb_manifest *a, const struct sb_manifest *b)
{
	if (!sb_digest_equal(&a->config.digest, &b->config.digest) ||
		a->layers.len != b->layers.len)
		return false;
	for (size_t i = 0; i < a->layers.len; i++)
		if (!sb_digest_equal(&a->layers.items[i].digest, &b->layers.items[i].digest) ||
			a->layers.items[i].size_bytes != b->layers.items[i].size_bytes)
			return false;
	return true;
}

/* Looks through an index for the manifest of this very image. */
static bool find_manifest(struct sb_image *image, const struct sb_descriptors *list, unsigned depth)
{
	enum { MAX_NESTING = 4 };
	struct sb_image_origin *origin = image->origin;

	SB_ARRAY_FOREACH (list, d) {
		SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_VALUE(sb_descriptors) nested = {0};
		SB_AUTO(sb_manifest) manifest = NULL;
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;

		/* Parts of an index may well be missing in what was saved. */
		if (sb_descriptor_is_attestation(d) ||
			sb_image_origin_read_json(origin, d, &json, &ignored) < 0)
			continue;
		if (sb_media_is_index(d->media_type)) {
			if (depth < MAX_NESTING &&
				sb_index_parse(json.data, json.len, &nested, &ignored) == 0 &&
				find_manifest(image, &nested, depth + 1))
				return true;
			continue;
		}
		if (sb_manifest_parse(json.data, json.len, &manifest, &ignored) < 0 ||
			!is_same_image(manifest, image->manifest))
			continue;
		sb_descriptor_copy(&image->descriptor, d);
		sb_manifest_free(image->manifest);
		image->manifest = SB_STEAL(manifest);
		sb_buf_release(&origin->manifest_json);
		origin->manifest_json = json;
		json = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
		return true;
	}
	return false;
}

/* Archives since Docker 25 have an OCI index too. Its manifest says more (digest, annotations), but
 * manifest.json decides on layers and their order: 25.0.0 wrote the manifest's in disorder. */
static void adopt_oci_manifest(struct sb_image *image)
{
	const struct sb_image_origin *origin = image->origin;
	const struct sb_tar_entry *entry = sb_tar_index_find(origin->archive, "index.json");
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (entry == NULL)
		return;
	if (sb_tar_index_read(origin->archive, entry, SB_MAX_JSON, &json, &ignored) < 0 ||
		sb_index_parse(json.data, json.len, &list, &ignored) < 0) {
		sb_error_ignore(&ignored, "manifest.json describes the image in full");
		return;
	}
	(void)find_manifest(image, &list, 0);
}

static const char *name_of(const struct sb_saved_image *saved, const char *wanted)
{
	for (size_t i = 0; wanted != NULL && i < saved->tags.len; i++)
		if (sb_image_name_is(saved->tags.items[i], wanted))
			return saved->tags.items[i];
	return saved->tags.len > 0 ? saved->tags.items[0] : NULL;
}

int sb_saved_open(struct sb_image_origin **origin, const struct sb_saved_image *saved,
	const char *name, struct sb_image **out, struct sb_error *err)
{
	SB_AUTO(sb_image) image = SB_NEW(struct sb_image);
	struct sb_descriptor *config = NULL;

	image->origin = SB_STEAL(*origin);
	image->config_json = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	image->form = sb_strdup(sb_image_form_name(SB_FORM_DOCKER_ARCHIVE));
	image->name = sb_strdup_or_null(name);
	image->manifest = sb_manifest_new();
	image->manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	config = &image->manifest->config;
	if (sb_saved_read_config(((struct sb_image_origin *)image->origin)->archive, saved->config,
		    &image->config_json, &config->digest, &image->config, err) < 0)
		return -1;
	config->media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	config->size_bytes = image->config_json.len;
	if (saved->layers.len != image->config->diff_ids.len)
		return sb_fail(err, SB_E_INTEGRITY,
			"manifest.json lists %zu layers, but the config has %zu diff_ids",
			saved->layers.len, image->config->diff_ids.len);
	if (find_layers(saved, image, err) < 0)
		return -1;
	adopt_oci_manifest(image);
	*out = SB_STEAL(image);
	return 0;
}

int sb_image_from_docker_archive(struct sb_image_origin **origin,
	const struct sb_image_open_options *options, struct sb_image **out, struct sb_error *err)
{
	SB_AUTO(sb_image_origin) from = SB_STEAL(*origin);
	SB_AUTO_VALUE(sb_saved_images) list = {0};
	SB_AUTO_JSON json = NULL;
	const struct sb_saved_image *saved = NULL;

	if (sb_saved_images_read(from->archive, &json, &list, err) < 0)
		return -1;
	saved = choose(from->archive, &list, options, err);
	if (saved == NULL)
		return -1;
	return sb_saved_open(&from, saved, name_of(saved, options->name), out, err);
}
