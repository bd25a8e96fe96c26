/* SPDX-License-Identifier: MIT */
#include "oci/attestation.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/config.h"
#include "oci/descriptor_json.h"

#define MEDIA_IN_TOTO "application/vnd.in-toto+json"

static int store_json(struct sb_layout *layout, const json_t *json, const char *what,
	const char *bad, const char *media_type, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);

	if (sb_json_dump(json, what, bad, &buf, err) < 0 ||
		sb_layout_put_bytes(layout, buf.data, buf.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(media_type);
	out->size_bytes = buf.len;
	return 0;
}

static json_t *make_subject(const struct sb_descriptor *image, const char *name, const char **bad)
{
	json_t *list = json_array();
	json_t *subject = json_object();
	json_t *digest = json_object();

	sb_json_put_string(digest, "sha256", sb_digest_hex(&image->digest), bad);
	sb_json_put_string(subject, "name", name != NULL ? name : "_", bad);
	sb_json_put(subject, "digest", digest);
	SB_BUG_ON(json_array_append_new(list, subject) != 0);
	return list;
}

static int store_statement(struct sb_layout *layout, const struct sb_descriptor *image,
	const struct sb_attestation *a, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_JSON statement = json_object();
	json_t *predicate = NULL;
	const char *bad = NULL;

	if (sb_json_parse_object(a->predicate, a->predicate_len, "predicate", &predicate, err) < 0)
		return -1;
	sb_json_put_string(statement, "_type", "https://in-toto.io/Statement/v1", &bad);
	sb_json_put(statement, "subject", make_subject(image, a->subject, &bad));
	sb_json_put_string(statement, "predicateType", a->predicate_type, &bad);
	sb_json_put(statement, "predicate", predicate);
	return store_json(layout, statement, "statement", bad, MEDIA_IN_TOTO, out, err);
}

/* A manifest's config is an image's, here of one layer that is the statement. */
static int store_config(struct sb_layout *layout, const struct sb_digest *statement,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_JSON config = json_object();
	json_t *rootfs = json_object();
	SB_AUTO_STRV diff_ids = SB_STRV_INIT;
	const char *bad = NULL;

	sb_strv_add(&diff_ids, statement->text);
	sb_json_put_string(config, "architecture", "unknown", &bad);
	sb_json_put_string(config, "os", "unknown", &bad);
	sb_json_put(config, "config", json_object());
	sb_json_put_string(rootfs, "type", "layers", &bad);
	sb_json_put_strings(rootfs, "diff_ids", &diff_ids, &bad);
	sb_json_put(config, "rootfs", rootfs);
	return store_json(layout, config, "attestation config", bad, SB_MEDIA_OCI_CONFIG, out, err);
}

static int store(struct sb_layout *layout, const struct sb_descriptor *image,
	const struct sb_attestation *a, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO(sb_manifest) manifest = sb_manifest_new();
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	struct sb_descriptor *layer = SB_ARRAY_ADD(&manifest->layers);

	manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	if (store_statement(layout, image, a, layer, err) < 0 ||
		store_config(layout, &layer->digest, &manifest->config, err) < 0)
		return -1;
	sb_env_set(&layer->annotations, "in-toto.io/predicate-type", a->predicate_type);
	if (sb_manifest_write(manifest, &json, err) < 0 ||
		sb_layout_put_bytes(layout, json.data, json.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	out->size_bytes = json.len;
	sb_env_set(&out->annotations, "vnd.docker.reference.digest", image->digest.text);
	sb_env_set(&out->annotations, "vnd.docker.reference.type", "attestation-manifest");
	out->platform = (struct sb_platform){.os = "unknown", .architecture = "unknown"};
	return 0;
}

int sb_attestation_store(struct sb_layout *layout, const struct sb_descriptor *image,
	const struct sb_attestation *attestation, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) manifest = {0};

	if (store(layout, image, attestation, &manifest, err) < 0)
		return sb_error_context(err, "attestation");
	*out = manifest;
	manifest = (struct sb_descriptor){0};
	return 0;
}
