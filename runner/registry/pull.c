/* SPDX-License-Identifier: MIT */
#include "registry/pull.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/config.h"
#include "registry/blob.h"
#include "registry/client.h"
#include "registry/fetch_manifest.h"
#include "registry/pull_within.h"

enum { REPORT_EVERY_MS = 100 };

struct progress {
	const struct sb_pull_options *options;
	const char *what;
	uint64_t before;  /* bytes of the blobs that are done */
	uint64_t current; /* bytes of the one that is under way */
	uint64_t total;
	uint64_t last_ms;
	bool is_cancelled;
};

static uint64_t now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void report(struct progress *progress)
{
	const struct sb_pull_options *options = progress->options;

	progress->last_ms = now_ms();
	if (options->on_progress != NULL &&
		!options->on_progress(options->data, progress->what,
			progress->before + progress->current, progress->total))
		progress->is_cancelled = true;
}

static bool keep_going(void *data)
{
	struct progress *progress = data;

	if (now_ms() - progress->last_ms >= REPORT_EVERY_MS)
		report(progress);
	return !progress->is_cancelled;
}

static int fetch_blob(struct sb_client *client, const struct sb_reference *ref,
	const struct sb_descriptor *blob, struct sb_layout *to, struct progress *progress,
	struct sb_error *err)
{
	enum { SHORT_DIGEST_BYTES = 7 + 12 };
	sb_autofree char *name = sb_memdup0(blob->digest.text, SHORT_DIGEST_BYTES);
	int result = -1;

	progress->what = name;
	report(progress);
	if (progress->is_cancelled)
		(void)sb_fail(err, SB_E_CANCELLED, "cancelled");
	else
		result = sb_blob_fetch(client, ref, blob, to, &progress->current, err);
	if (result == 0) {
		progress->before += progress->current;
		progress->current = 0;
		report(progress);
	}
	progress->what = "";
	return result;
}

static bool is_foreign(const char *media_type)
{
	return strstr(media_type, ".rootfs.foreign.") != NULL ||
	       strstr(media_type, ".layer.nondistributable.") != NULL;
}

static bool is_image_config(const char *media_type)
{
	return strcmp(media_type, SB_MEDIA_OCI_CONFIG) == 0 ||
	       strcmp(media_type, SB_MEDIA_DOCKER_CONFIG) == 0;
}

/* What can be known to fail is refused before anything large is fetched. */
static int check_manifest(const struct sb_manifest *manifest, struct sb_layout *to,
	uint64_t *out_total, struct sb_error *err)
{
	uint64_t total = manifest->config.size_bytes;

	if (!is_image_config(manifest->config.media_type))
		return sb_fail(err, SB_E_UNSUPPORTED,
			"it is not a container image: its config is of type '%s'",
			manifest->config.media_type);
	if (manifest->config.size_bytes > SB_MAX_JSON)
		return sb_fail(err, SB_E_LIMIT, "its config has %" PRIu64 " bytes, more than %d",
			manifest->config.size_bytes, SB_MAX_JSON);
	if (manifest->layers.len > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "it has %zu layers, more than %d",
			manifest->layers.len, SB_MAX_LAYERS);
	SB_ARRAY_FOREACH (&manifest->layers, layer) {
		if (is_foreign(layer->media_type) && !sb_layout_has_blob(to, &layer->digest))
			return sb_fail(err, SB_E_UNSUPPORTED,
				"layer %s is a foreign one ('%s'), which its registry does not "
				"hold and which is not fetched from elsewhere",
				layer->digest.text, layer->media_type);
		if (__builtin_add_overflow(total, layer->size_bytes, &total))
			return sb_fail(err, SB_E_INTEGRITY, "its layers' sizes are absurd");
	}
	*out_total = total;
	return 0;
}

/* A config that no one could use is refused before the layers are fetched. */
static int check_config(
	const struct sb_manifest *manifest, struct sb_layout *layout, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO(sb_image_config) config = NULL;

	if (sb_layout_read_blob(layout, &manifest->config, &json, err) < 0 ||
		sb_image_config_parse(json.data, json.len, &config, err) < 0)
		return sb_error_context(err, "config %s", manifest->config.digest.text);
	if (config->diff_ids.len != manifest->layers.len)
		return sb_fail(err, SB_E_INTEGRITY,
			"the manifest has %zu layers, the config names %zu", manifest->layers.len,
			config->diff_ids.len);
	return 0;
}

static int pull_image(struct sb_client *client, const struct sb_reference *ref,
	const struct sb_platform *want, struct sb_layout *to, struct progress *progress,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(0);
	SB_AUTO_VALUE(sb_descriptor) descriptor = {0};
	SB_AUTO(sb_manifest) manifest = NULL;
	struct sb_digest stored;

	if (sb_manifest_fetch(client, ref, want, to, &json, &descriptor, err) < 0 ||
		sb_manifest_parse(json.data, json.len, &manifest, err) < 0 ||
		check_manifest(manifest, to, &progress->total, err) < 0)
		return -1;
	if (fetch_blob(client, ref, &manifest->config, to, progress, err) < 0 ||
		check_config(manifest, to, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&manifest->layers, layer) {
		if (fetch_blob(client, ref, layer, to, progress, err) < 0)
			return -1;
	}
	/* Last, so that a manifest in the layout is one whose blobs are there. */
	if (sb_layout_put_bytes(to, json.data, json.len, &stored, err) < 0)
		return -1;
	*out = descriptor;
	descriptor = (struct sb_descriptor){0};
	return 0;
}

int sb_registry_pull_within(const struct sb_reference *ref, const struct sb_pull_options *options,
	const struct sb_http_limits *limits, struct sb_layout *to, struct sb_descriptor *out,
	struct sb_error *err)
{
	SB_AUTO(sb_client) client = NULL;
	sb_autofree char *name = sb_reference_format(ref);
	const struct sb_platform host = sb_platform_host();
	struct progress progress = {.options = options, .what = name};

	if (sb_client_new(ref, limits, keep_going, &progress, &client, err) < 0 ||
		pull_image(client, ref, options->want != NULL ? options->want : &host, to,
			&progress, out, err) < 0)
		return sb_error_context(err, "pull '%s'", name);
	return 0;
}

int sb_registry_pull(const struct sb_reference *ref, const struct sb_pull_options *options,
	struct sb_layout *to, struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_http_limits limits = SB_HTTP_LIMITS_INIT;

	return sb_registry_pull_within(ref, options, &limits, to, out, err);
}
