/* SPDX-License-Identifier: MIT */
#include "build/result.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "build/base_image.h"
#include "build/commit.h"
#include "leak/json_strings.h"

/* The config is searched too: a value that came through an ARG is found in an ENV or a LABEL. */
int sb_result_search_text(struct sb_content_search *search, const char *what, const char *text,
	size_t len, struct sb_error *err)
{
	struct sb_leak leak;

	if (!sb_content_search_text(search, text, len, &leak))
		return 0;
	(void)sb_fail(err, SB_E_LEAK, "secret '%s' found in the image's %s (%s)", leak.secret_id,
		what, leak.form);
	return sb_error_hint(err, "ENV, LABEL, CMD and the history are part of the image: give the "
				  "secret to the step that "
				  "needs it with RUN --mount=type=secret");
}

struct json {
	struct sb_build *build;
	const char *what;
};

static int search_json_string(
	void *self, size_t offset, const char *bytes, size_t len, struct sb_error *err)
{
	const struct json *json = self;

	(void)offset;
	return sb_result_search_text(json->build->worker.search, json->what, bytes, len, err);
}

static int search_json(
	struct sb_build *build, const char *what, const struct sb_buf *text, struct sb_error *err)
{
	struct json json = {build, what};

	if (sb_result_search_text(build->worker.search, what, text->data, text->len, err) < 0)
		return -1;
	return sb_json_each_escaped(text->data, text->len, search_json_string, &json, err);
}

static void apply_labels(const struct sb_build *build, struct sb_image_config *config)
{
	for (size_t i = 0; i < build->labels.len; i++) {
		const char *item = build->labels.items[i];
		sb_autofree char *key = sb_memdup0(item, strcspn(item, "="));

		sb_env_set(&config->labels, key, strchr(item, '=') + 1);
	}
}

static int search_labels(struct sb_build *build, struct sb_error *err)
{
	for (size_t i = 0; i < build->labels.len; i++) {
		const char *label = build->labels.items[i];

		if (sb_result_search_text(
			    build->worker.search, "labels", label, strlen(label), err) < 0)
			return sb_error_context(err, "--label");
	}
	return 0;
}

static int write_config(struct sb_build *build, struct sb_image_config *config,
	struct sb_manifest *manifest, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);

	if (search_labels(build, err) < 0)
		return -1;
	apply_labels(build, config);
	sb_commit_fill_times(
		build, build->stages.items[build->plan->target]->n_base_history, config);
	if (sb_image_config_write(config, &json, err) < 0 ||
		search_json(build, "config", &json, err) < 0 ||
		sb_layout_put_bytes(
			build->store, json.data, json.len, &manifest->config.digest, err) < 0)
		return -1;
	build->config_digest = manifest->config.digest;
	manifest->config.media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	manifest->config.size_bytes = json.len;
	return 0;
}

/* A base's layers keep their bytes; Docker's media types are OCI's under another name. */
static const char *oci_media_type(const char *media_type)
{
	if (strcmp(media_type, SB_MEDIA_DOCKER_LAYER_GZIP) == 0)
		return SB_MEDIA_OCI_LAYER_GZIP;
	if (strcmp(media_type, SB_MEDIA_DOCKER_LAYER) == 0)
		return SB_MEDIA_OCI_LAYER;
	return media_type;
}

/* Blobs that no image needs yet are kept for an hour after their last use. */
static int fail_removed(const struct sb_descriptor *layer, bool is_base, struct sb_error *err)
{
	if (is_base) {
		(void)sb_fail(err, SB_E_NOT_FOUND, "layer %s of the base image is not in the store",
			layer->digest.text);
		return sb_error_hint(err, "pull or import the base image again");
	}
	(void)sb_fail(err, SB_E_NOT_FOUND,
		"layer %s was removed from the store while it was built on", layer->digest.text);
	return sb_error_hint(err, "build again");
}

/* Of a base that nobody looked into, only what its blobs are called is known. */
static int verify_base(
	struct sb_build *build, const struct sb_stage_state *state, struct sb_error *err)
{
	const struct sb_plan *plan = build->plan;
	const struct sb_stage *stage = &plan->stages.items[plan->target];

	for (size_t i = 0; i < state->n_base_layers; i++) {
		if (sb_base_image_verify(build, state, i, err) == 0)
			continue;
		while (stage->base.kind == SB_BASE_STAGE)
			stage = &plan->stages.items[stage->base.stage];
		(void)sb_error_context(err, "base image '%s'", stage->base.name);
		return sb_error_locate(err, stage->from->at);
	}
	return 0;
}

int sb_result_write(struct sb_build *build, struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_stage_state *state = build->stages.items[build->plan->target];
	SB_AUTO(sb_image_config) config = sb_image_config_dup(state->config);
	SB_AUTO(sb_manifest) manifest = sb_manifest_new();
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);

	free(manifest->media_type);
	manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	SB_ARRAY_FOREACH (&state->layers, layer) {
		struct sb_descriptor *copy = SB_ARRAY_ADD(&manifest->layers);

		sb_descriptor_copy(copy, layer);
		free(copy->media_type);
		copy->media_type = sb_strdup(oci_media_type(layer->media_type));
		if (!sb_layout_has_blob(build->store, &layer->digest))
			return fail_removed(
				layer, layer < state->layers.items + state->n_base_layers, err);
	}
	if (verify_base(build, state, err) < 0)
		return -1;
	if (write_config(build, config, manifest, err) < 0 ||
		sb_manifest_write(manifest, &json, err) < 0 ||
		sb_layout_put_bytes(build->store, json.data, json.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	out->size_bytes = json.len;
	out->platform = config->platform;
	return 0;
}
