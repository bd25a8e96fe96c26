/* SPDX-License-Identifier: MIT */
#include "oci/image_docker.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "oci/index.h"

static const char what_manifest[] = "manifest.json";

void sb_saved_images_release(struct sb_saved_images *list)
{
	SB_ARRAY_FOREACH (list, saved) {
		sb_strv_release(&saved->tags);
		sb_strv_release(&saved->layers);
	}
	SB_ARRAY_RELEASE(list);
}

static int parse_saved(const json_t *json, struct sb_saved_image *out, struct sb_error *err)
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

int sb_saved_images_read(const struct sb_tar_index *archive, json_t **out_json,
	struct sb_saved_images *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_saved_images) list = {0};
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
	list = (struct sb_saved_images){0};
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

int sb_saved_read_config(const struct sb_tar_index *archive, const char *path, struct sb_buf *out,
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

bool sb_saved_has_same_tags(const struct sb_saved_image *a, const struct sb_saved_image *b)
{
	if (a->tags.len != b->tags.len)
		return false;
	for (size_t i = 0; i < a->tags.len; i++)
		if (strcmp(a->tags.items[i], b->tags.items[i]) != 0)
			return false;
	return true;
}

struct sb_saved_image *sb_saved_choose_platform(const struct sb_tar_index *archive,
	struct sb_saved_image **matching, size_t n, const struct sb_platform *want,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	size_t i = 0;

	for (size_t j = 0; j < n; j++) {
		SB_AUTO(sb_image_config) config = NULL;
		SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
		struct sb_digest digest;

		if (sb_saved_read_config(
			    archive, matching[j]->config, &json, &digest, &config, err) < 0)
			return NULL;
		SB_ARRAY_ADD(&list)->platform = config->platform;
	}
	return sb_index_choose(&list, want, &i, err) < 0 ? NULL : matching[i];
}
