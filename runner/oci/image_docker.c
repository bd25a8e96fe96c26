/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "oci/image_private.h"
#include "oci/index.h"

static const char what_manifest[] = "manifest.json";
static const char form[] = "docker archive";

/* One entry of manifest.json. */
struct saved_image {
	const char *config; /* borrowed from the JSON */
	struct sb_strv tags;
	struct sb_strv layers;
	struct sb_platform platform;
};
SB_ARRAY_STRUCT(saved_images, struct saved_image);

static void saved_images_release(struct saved_images *list)
{
	SB_ARRAY_FOREACH (list, saved) {
		sb_strv_release(&saved->tags);
		sb_strv_release(&saved->layers);
	}
	SB_ARRAY_RELEASE(list);
}

static int parse_saved(const json_t *json, struct saved_image *out, struct sb_error *err)
{
	if (!json_is_object(json))
		return sb_fail(err, SB_E_INTEGRITY, "%s: an entry is not an object", what_manifest);
	if (sb_json_get_string(json, "Config", what_manifest, &out->config, err) < 0 ||
		sb_json_get_strings(json, "RepoTags", what_manifest, &out->tags, NULL, err) < 0 ||
		sb_json_get_strings(json, "Layers", what_manifest, &out->layers, NULL, err) < 0)
		return -1;
	if (out->config == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'Config' is missing", what_manifest);
	if (out->layers.len > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "the image has %zu layers, more than %d",
			out->layers.len, SB_MAX_LAYERS);
	return 0;
}

/* *out_json owns what the entries borrow. */
static int load_manifest(const struct sb_tar_index *archive, json_t **out_json,
	struct saved_images *out, struct sb_error *err)
{
	SB_AUTO_VALUE(saved_images) list = {0};
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_JSON json = NULL;

	if (sb_tar_index_read(archive, sb_tar_index_find(archive, what_manifest), SB_MAX_JSON, &buf,
		    err) < 0 ||
		sb_json_parse_array(buf.data, buf.len, what_manifest, &json, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (parse_saved(json_array_get(json, i), SB_ARRAY_ADD(&list), err) < 0)
			return -1;
	*out_json = SB_STEAL(json);
	*out = list;
	list = (struct saved_images){0};
	return 0;
}

bool sb_digest_of_file_name(const char *path, struct sb_digest *out)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofree char *base = sb_path_base(path);
	const char *hex = strncmp(base, "sha256:", 7) == 0 ? base + 7 : base;
	sb_autofree char *text = sb_asprintf("sha256:%.64s", hex);

	if (strlen(hex) < 64 || (hex[64] != '\0' && strcmp(hex + 64, ".json") != 0))
		return false;
	if (sb_digest_parse(text, out, &ignored) == 0)
		return true;
	sb_error_ignore(&ignored, "a name that claims no digest can't be held to it");
	return false;
}

static int read_config(const struct sb_tar_index *archive, const char *path, struct sb_buf *out,
	struct sb_digest *out_digest, struct sb_image_config **out_config, struct sb_error *err)
{
	const struct sb_tar_entry *entry = sb_tar_index_find(archive, path);
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	struct sb_digest claimed;
	struct sb_digest digest;

	if (entry == NULL)
		return sb_fail(err, SB_E_INTEGRITY,
			"the image's config '%s' is missing in the archive", path);
	if (sb_tar_index_read(archive, entry, SB_MAX_JSON, &buf, err) < 0)
		return -1;
	sb_digest_of(buf.data, buf.len, &digest);
	if (sb_digest_of_file_name(path, &claimed) && !sb_digest_equal(&claimed, &digest))
		return sb_fail(err, SB_E_INTEGRITY,
			"the content of the config '%s' has the digest %s", path, digest.text);
	if (sb_image_config_parse(buf.data, buf.len, out_config, err) < 0)
		return sb_error_context(err, "'%s'", path);
	*out_digest = digest;
	*out = buf;
	buf = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	return 0;
}

static bool has_name(const struct saved_image *saved, const char *name)
{
	struct sb_digest id;

	for (size_t i = 0; i < saved->tags.len; i++)
		if (sb_image_name_is(saved->tags.items[i], name))
			return true;
	return sb_digest_of_file_name(saved->config, &id) &&
	       (strcmp(name, id.text) == 0 || strcmp(name, sb_digest_hex(&id)) == 0);
}

static bool has_same_tags(const struct saved_image *a, const struct saved_image *b)
{
	if (a->tags.len != b->tags.len)
		return false;
	for (size_t i = 0; i < a->tags.len; i++)
		if (strcmp(a->tags.items[i], b->tags.items[i]) != 0)
			return false;
	return true;
}

/* One image saved for several platforms has an entry for each, with the same tags. */
static struct saved_image *choose_platform(const struct sb_tar_index *archive,
	struct saved_image **matching, size_t n, const struct sb_platform *want,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	size_t i = 0;

	for (size_t j = 0; j < n; j++) {
		SB_AUTO(sb_image_config) config = NULL;
		SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
		struct sb_digest digest;

		if (read_config(archive, matching[j]->config, &json, &digest, &config, err) < 0)
			return NULL;
		SB_ARRAY_ADD(&list)->platform = config->platform;
	}
	return sb_index_choose(&list, want, &i, err) < 0 ? NULL : matching[i];
}

/* NULL with the error set. */
static struct saved_image *choose(const struct sb_tar_index *archive,
	const struct saved_images *list, const struct sb_image_open_options *options,
	struct sb_error *err)
{
	SB_ARRAY(struct saved_image *) matching = {0};
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct saved_image *chosen = NULL;
	bool is_one = true;

	SB_ARRAY_FOREACH (list, saved) {
		sb_strv_add(&names, saved->tags.len > 0 ? saved->tags.items[0] : saved->config);
		if (options->name != NULL && !has_name(saved, options->name))
			continue;
		*SB_ARRAY_ADD(&matching) = saved;
		is_one = is_one && has_same_tags(matching.items[0], saved);
	}
	if (matching.len == 0)
		sb_image_fail_choice(options->name, &names, form, err);
	else if (matching.len == 1)
		chosen = matching.items[0];
	else if (is_one && matching.items[0]->tags.len > 0)
		chosen = choose_platform(archive, matching.items, matching.len, options->want, err);
	else
		sb_image_fail_choice(NULL, &names, form, err);
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
	const struct saved_image *saved, struct sb_image *image, struct sb_error *err)
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

static const char *name_of(const struct saved_image *saved, const char *wanted)
{
	for (size_t i = 0; wanted != NULL && i < saved->tags.len; i++)
		if (sb_image_name_is(saved->tags.items[i], wanted))
			return saved->tags.items[i];
	return saved->tags.len > 0 ? saved->tags.items[0] : NULL;
}

int sb_image_from_docker_archive(struct sb_image_origin **origin,
	const struct sb_image_open_options *options, struct sb_image **out, struct sb_error *err)
{
	SB_AUTO(sb_image) image = SB_NEW(struct sb_image);
	const struct sb_tar_index *archive = (*origin)->archive;
	SB_AUTO_VALUE(saved_images) list = {0};
	SB_AUTO_JSON json = NULL;
	struct saved_image *saved = NULL;

	image->origin = SB_STEAL(*origin);
	image->config_json = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	image->form = sb_strdup(form);
	image->manifest = sb_manifest_new();
	image->manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	if (load_manifest(archive, &json, &list, err) < 0)
		return -1;
	saved = choose(archive, &list, options, err);
	if (saved == NULL)
		return -1;

	struct sb_descriptor *config = &image->manifest->config;

	if (read_config(archive, saved->config, &image->config_json, &config->digest,
		    &image->config, err) < 0)
		return -1;
	config->media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	config->size_bytes = image->config_json.len;
	image->name = sb_strdup_or_null(name_of(saved, options->name));
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
