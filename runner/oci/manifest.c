/* SPDX-License-Identifier: MIT */
#include "oci/manifest.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/descriptor_json.h"

static const char what_manifest[] = "image manifest";

void sb_descriptors_release(struct sb_descriptors *list)
{
	SB_ARRAY_FOREACH (list, d)
		sb_descriptor_release(d);
	SB_ARRAY_RELEASE(list);
}

struct sb_manifest *sb_manifest_new(void)
{
	return SB_NEW(struct sb_manifest);
}

void sb_manifest_free(struct sb_manifest *manifest)
{
	if (manifest == NULL)
		return;
	free(manifest->media_type);
	sb_descriptor_release(&manifest->config);
	sb_descriptors_release(&manifest->layers);
	sb_strv_release(&manifest->annotations);
	free(manifest);
}

static int check_schema(const json_t *json, struct sb_error *err)
{
	int64_t version = 2;

	if (sb_json_get_int(json, "schemaVersion", what_manifest, &version, err) < 0)
		return -1;
	if (version == 1) {
		sb_fail(err, SB_E_UNSUPPORTED, "%s: schema version 1 is not supported",
			what_manifest);
		return sb_error_hint(
			err, "pull and push the image with a current tool, which converts it");
	}
	if (version != 2)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"%s: schema version %" JSON_INTEGER_FORMAT " is not supported",
			what_manifest, (json_int_t)version);
	/* One that is both means different images to different readers (CVE-2021-41190). */
	if (json_object_get(json, "manifests") != NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s has 'manifests', as only an index has",
			what_manifest);
	return 0;
}

/* OCI made the field optional; the config's type tells the two forms apart then. */
static const char *unsaid_media_type(const struct sb_manifest *manifest)
{
	return strcmp(manifest->config.media_type, SB_MEDIA_DOCKER_CONFIG) == 0
		       ? SB_MEDIA_DOCKER_MANIFEST
		       : SB_MEDIA_OCI_MANIFEST;
}

static int read_media_type(const json_t *json, struct sb_manifest *manifest, struct sb_error *err)
{
	const char *type = NULL;

	if (sb_json_get_string(json, "mediaType", what_manifest, &type, err) < 0)
		return -1;
	if (type != NULL && strcmp(type, SB_MEDIA_OCI_MANIFEST) != 0 &&
		strcmp(type, SB_MEDIA_DOCKER_MANIFEST) != 0)
		return sb_fail(
			err, SB_E_UNSUPPORTED, "'%s' is not a supported kind of manifest", type);
	if (type != NULL)
		manifest->media_type = sb_strdup(type);
	return 0;
}

static int read_layers(const json_t *json, struct sb_manifest *manifest, struct sb_error *err)
{
	json_t *layers = NULL;

	if (sb_json_get_array(json, "layers", what_manifest, &layers, err) < 0)
		return -1;
	if (layers == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'layers' is missing", what_manifest);
	if (json_array_size(layers) > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "the image has %zu layers, more than %d",
			json_array_size(layers), SB_MAX_LAYERS);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		char what[64];

		(void)snprintf(what, sizeof(what), "%s: layer %zu", what_manifest, i + 1);
		if (sb_descriptor_from_json(json_array_get(layers, i), what,
			    SB_ARRAY_ADD(&manifest->layers), err) < 0)
			return -1;
	}
	return 0;
}

int sb_manifest_parse(
	const char *json_text, size_t len, struct sb_manifest **out, struct sb_error *err)
{
	SB_AUTO(sb_manifest) manifest = sb_manifest_new();
	SB_AUTO_JSON json = NULL;
	const json_t *config = NULL;

	if (sb_json_parse_object(json_text, len, what_manifest, &json, err) < 0 ||
		read_media_type(json, manifest, err) < 0 || check_schema(json, err) < 0)
		return -1;
	config = json_object_get(json, "config");
	if (config == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'config' is missing", what_manifest);
	if (sb_descriptor_from_json(config, "image manifest: config", &manifest->config, err) < 0 ||
		read_layers(json, manifest, err) < 0 ||
		sb_json_get_map(json, "annotations", what_manifest, &manifest->annotations, err) <
			0)
		return -1;
	if (manifest->media_type == NULL)
		manifest->media_type = sb_strdup(unsaid_media_type(manifest));
	*out = SB_STEAL(manifest);
	return 0;
}

int sb_manifest_write(const struct sb_manifest *manifest, struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_JSON json = json_object();
	json_t *layers = json_array();
	const char *bad = NULL;

	sb_json_put_int(json, "schemaVersion", 2);
	sb_json_put_string(json, "mediaType", manifest->media_type, &bad);
	sb_json_put(json, "config", sb_descriptor_to_json(&manifest->config, &bad));
	SB_ARRAY_FOREACH (&manifest->layers, layer)
		SB_BUG_ON(json_array_append_new(layers, sb_descriptor_to_json(layer, &bad)) != 0);
	sb_json_put(json, "layers", layers);
	sb_json_put_map(json, "annotations", &manifest->annotations, NULL, &bad);
	return sb_json_dump(json, what_manifest, bad, out, err);
}
