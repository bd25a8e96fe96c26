/* SPDX-License-Identifier: MIT */
#include "registry/pull.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/config.h"
#include "registry/blob.h"
#include "registry/client.h"
#include "registry/clock.h"
#include "registry/fetch_manifest.h"
#include "registry/parallel.h"
#include "registry/pull_within.h"
#include "registry/registries.h"

enum { REPORT_EVERY_MS = 100, SHORT_DIGEST_BYTES = 7 + 12 };

struct progress {
	const struct sb_pull_options *options;
	const char *what;
	uint64_t before; /* bytes of the blobs that are done */
	uint64_t total;
	uint64_t last_ms;
	bool is_cancelled;
};

static void report(struct progress *progress, uint64_t done)
{
	const struct sb_pull_options *options = progress->options;

	progress->last_ms = sb_clock_ms();
	if (options->on_progress != NULL &&
		!options->on_progress(options->data, progress->what, done, progress->total))
		progress->is_cancelled = true;
}

static bool keep_going(void *data)
{
	struct progress *progress = data;

	if (sb_clock_ms() - progress->last_ms >= REPORT_EVERY_MS)
		report(progress, progress->before);
	return !progress->is_cancelled;
}

/* What several threads fetch, each blob once. */
struct fetching {
	struct progress *progress;
	struct sb_layout *to;
	const struct sb_manifest *manifest;
	size_t n_ready; /* of its layers, from the first on */
	SB_ARRAY(const struct sb_descriptor *) blobs;
};

static int fetch_one(void *data, size_t i, struct sb_client *client, _Atomic uint64_t *done,
	struct sb_error *err)
{
	const struct fetching *fetching = data;

	return sb_blob_fetch(client, fetching->blobs.items[i], fetching->to, done, err);
}

static bool on_fetched(void *data, size_t i, uint64_t done)
{
	const struct fetching *fetching = data;
	struct progress *progress = fetching->progress;
	sb_autofree char *name =
		sb_memdup0(fetching->blobs.items[i]->digest.text, SHORT_DIGEST_BYTES);

	progress->what = name;
	report(progress, progress->before + done);
	progress->what = "";
	return !progress->is_cancelled;
}

static int tell_ready(const struct fetching *fetching, struct sb_error *err)
{
	const struct sb_pull_options *options = fetching->progress->options;

	return options->on_layers == NULL ? 0
					  : options->on_layers(options->data, fetching->manifest,
						    fetching->n_ready, err);
}

static bool is_among_first(
	const struct fetching *fetching, const struct sb_descriptor *layer, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sb_digest_equal(&fetching->blobs.items[i]->digest, &layer->digest))
			return true;
	return false;
}

/* A blob may be several layers. */
static int on_one_done(void *data, size_t i, struct sb_error *err)
{
	struct fetching *fetching = data;
	const struct sb_descriptors *layers = &fetching->manifest->layers;

	while (fetching->n_ready < layers->len &&
		is_among_first(fetching, &layers->items[fetching->n_ready], i + 1))
		fetching->n_ready++;
	return tell_ready(fetching, err);
}

static void add_blob(struct fetching *fetching, const struct sb_descriptor *blob)
{
	SB_ARRAY_FOREACH (&fetching->blobs, other) {
		if (!sb_digest_equal(&(*other)->digest, &blob->digest))
			continue;
		fetching->progress->before += blob->size_bytes;
		return;
	}
	*SB_ARRAY_ADD(&fetching->blobs) = blob;
}

static int fetch_blobs(struct sb_access *access, const struct sb_http_limits *limits,
	struct fetching *fetching, struct sb_error *err)
{
	const struct sb_parallel parallel = {
		.access = access,
		.limits = limits,
		.n_jobs = fetching->blobs.len,
		.run = fetch_one,
		.on_progress = on_fetched,
		.on_done = fetching->progress->options->on_layers != NULL ? on_one_done : NULL,
		.data = fetching,
	};
	const int rc = sb_parallel_run(&parallel, err);

	if (rc == 0)
		SB_ARRAY_FOREACH (&fetching->blobs, blob)
			fetching->progress->before += (*blob)->size_bytes;
	SB_ARRAY_RELEASE(&fetching->blobs);
	return rc;
}

static bool is_image_config(const char *media_type)
{
	return strcmp(media_type, SB_MEDIA_OCI_CONFIG) == 0 ||
	       strcmp(media_type, SB_MEDIA_DOCKER_CONFIG) == 0;
}

/* What can be known to fail is refused before anything large is fetched. */
static int check_manifest(const struct sb_manifest *manifest, struct sb_layout *to,
	uint64_t *inout_total, struct sb_error *err)
{
	uint64_t total = *inout_total;

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
	if (__builtin_add_overflow(total, manifest->config.size_bytes, &total))
		return sb_fail(err, SB_E_INTEGRITY, "its layers' sizes are absurd");
	SB_ARRAY_FOREACH (&manifest->layers, layer) {
		if (sb_media_is_foreign_layer(layer->media_type) &&
			!sb_layout_has_blob(to, &layer->digest))
			return sb_fail(err, SB_E_UNSUPPORTED,
				"layer %s is a foreign one ('%s'), which its registry does not "
				"hold and which is not fetched from elsewhere",
				layer->digest.text, layer->media_type);
		if (__builtin_add_overflow(total, layer->size_bytes, &total))
			return sb_fail(err, SB_E_INTEGRITY, "its layers' sizes are absurd");
	}
	*inout_total = total;
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

static int fetch_content(struct sb_access *access, struct sb_client *client,
	const struct sb_http_limits *limits, const struct sb_manifest *manifest,
	struct sb_layout *to, struct progress *progress, struct sb_error *err)
{
	struct fetching fetching = {.progress = progress, .to = to, .manifest = manifest};
	_Atomic uint64_t done = 0;

	if (sb_blob_fetch(client, &manifest->config, to, &done, err) < 0 ||
		check_config(manifest, to, err) < 0)
		return -1;
	progress->before += done;
	report(progress, progress->before);
	if (tell_ready(&fetching, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&manifest->layers, layer)
		add_blob(&fetching, layer);
	return fetch_blobs(access, limits, &fetching, err);
}

/* One of the manifests that are pulled. */
struct wanted {
	struct sb_buf json;
	struct sb_manifest *manifest;
};
SB_ARRAY_STRUCT(sb_wanteds, struct wanted);

static void sb_wanteds_release(struct sb_wanteds *list)
{
	SB_ARRAY_FOREACH (list, wanted) {
		sb_buf_release(&wanted->json);
		sb_manifest_free(wanted->manifest);
	}
	SB_ARRAY_RELEASE(list);
}

static int read_manifest(struct wanted *wanted, struct sb_layout *to, struct progress *progress,
	struct sb_error *err)
{
	if (sb_manifest_parse(wanted->json.data, wanted->json.len, &wanted->manifest, err) < 0)
		return -1;
	return check_manifest(wanted->manifest, to, &progress->total, err);
}

static int fetch_one_manifest(struct sb_client *client, struct sb_layout *to,
	struct progress *progress, struct sb_wanteds *list, struct sb_descriptor *out,
	struct sb_error *err)
{
	struct wanted *wanted = SB_ARRAY_ADD(list);
	struct sb_digest named;

	*wanted = (struct wanted){.json = SB_BUF_INIT(0)};
	if (sb_manifest_fetch(
		    client, progress->options->want, to, &wanted->json, out, &named, err) < 0 ||
		read_manifest(wanted, to, progress, err) < 0)
		return -1;
	if (progress->options->out_named != NULL)
		*progress->options->out_named = named;
	return 0;
}

/* What an index lists: images, and what is attested of them. */
static int fetch_listed_manifests(struct sb_client *client, const struct sb_buf *index,
	struct sb_layout *to, struct progress *progress, struct sb_wanteds *list,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) listed = {0};

	if (sb_index_parse(index->data, index->len, &listed, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&listed, entry) {
		SB_AUTO_VALUE(sb_descriptor) found = {0};
		struct wanted *wanted = SB_ARRAY_ADD(list);

		*wanted = (struct wanted){.json = SB_BUF_INIT(0)};
		if (sb_manifest_fetch_listed(client, entry, to, &wanted->json, &found, err) < 0)
			return -1;
		if (read_manifest(wanted, to, progress, err) < 0)
			return sb_error_context(err, "manifest %s", entry->digest.text);
	}
	return 0;
}

/* Each manifest behind its content, so that one in the layout is one whose blobs are there. */
static int fetch_contents(struct sb_access *access, struct sb_client *client,
	const struct sb_http_limits *limits, const struct sb_wanteds *list, struct sb_layout *to,
	struct progress *progress, struct sb_error *err)
{
	report(progress, 0);
	SB_ARRAY_FOREACH (list, wanted) {
		struct sb_digest stored;

		if (fetch_content(access, client, limits, wanted->manifest, to, progress, err) <
				0 ||
			sb_layout_put_bytes(to, wanted->json.data, wanted->json.len, &stored, err) <
				0)
			return -1;
	}
	return 0;
}

static int pull_index(struct sb_access *access, struct sb_client *client,
	const struct sb_http_limits *limits, struct sb_layout *to, struct progress *progress,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(0);
	SB_AUTO_VALUE(sb_descriptor) top = {0};
	SB_AUTO_VALUE(sb_wanteds) list = {0};
	struct sb_digest stored;

	if (sb_manifest_fetch_named(client, to, &json, &top, err) < 0)
		return -1;
	if (!sb_media_is_index(top.media_type)) {
		struct wanted *wanted = SB_ARRAY_ADD(&list);

		*wanted = (struct wanted){.json = json};
		json = (struct sb_buf)SB_BUF_INIT(0);
		if (read_manifest(wanted, to, progress, err) < 0)
			return -1;
	} else if (fetch_listed_manifests(client, &json, to, progress, &list, err) < 0) {
		return -1;
	}
	if (fetch_contents(access, client, limits, &list, to, progress, err) < 0 ||
		(json.len > 0 && sb_layout_put_bytes(to, json.data, json.len, &stored, err) < 0))
		return -1;
	if (progress->options->out_named != NULL)
		*progress->options->out_named = top.digest;
	*out = top;
	top = (struct sb_descriptor){0};
	return 0;
}

static int pull_image(struct sb_access *access, const struct sb_http_limits *limits,
	struct sb_layout *to, struct progress *progress, struct sb_descriptor *out,
	struct sb_error *err)
{
	SB_AUTO(sb_client) client = NULL;
	SB_AUTO_VALUE(sb_descriptor) descriptor = {0};
	SB_AUTO_VALUE(sb_wanteds) list = {0};

	progress->before = progress->total = 0;
	report(progress, 0);
	if (sb_client_new(access, limits, keep_going, progress, &client, err) < 0)
		return -1;
	if (progress->options->all_platforms)
		return pull_index(access, client, limits, to, progress, out, err);
	if (fetch_one_manifest(client, to, progress, &list, &descriptor, err) < 0 ||
		fetch_contents(access, client, limits, &list, to, progress, err) < 0)
		return -1;
	*out = descriptor;
	descriptor = (struct sb_descriptor){0};
	return 0;
}

static int pull_from(const struct sb_endpoint *endpoint, const struct sb_pull_options *options,
	const struct sb_http_limits *limits, struct sb_layout *to, struct progress *progress,
	struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_access_options way = {
		.ref = &endpoint->ref,
		.is_insecure = endpoint->is_insecure,
		.is_secure = endpoint->is_secure,
		.auth_file = options->auth_file,
		.interrupt = sb_layout_interrupt(to),
	};
	SB_AUTO(sb_access) access = NULL;

	if (sb_access_new(&way, &access, err) < 0)
		return -1;
	if (pull_image(access, limits, to, progress, out, err) < 0)
		return sb_access_redact(access, err);
	return 0;
}

static bool may_be_elsewhere(enum sb_code code)
{
	return code == SB_E_NOT_FOUND || code == SB_E_AUTH || code == SB_E_NETWORK ||
	       code == SB_E_INTEGRITY;
}

/* The registry itself is the last, and its error is the whole's. */
static int pull_from_any(const struct sb_endpoints *endpoints,
	const struct sb_pull_options *options, const struct sb_http_limits *limits,
	struct sb_layout *to, struct progress *progress, struct sb_descriptor *out,
	struct sb_error *err)
{
	for (size_t i = 0;; i++) {
		const struct sb_endpoint *endpoint = &endpoints->items[i];
		SB_AUTO_ERROR failure = SB_ERROR_INIT;

		if (pull_from(endpoint, options, limits, to, progress, out, &failure) == 0)
			return 0;
		if (i + 1 < endpoints->len && may_be_elsewhere(failure.code)) {
			sb_error_ignore(&failure, "another place may have it");
			continue;
		}
		sb_error_move(err, &failure);
		return -1;
	}
}

int sb_registry_pull_within(const struct sb_reference *ref, const struct sb_pull_options *options,
	const struct sb_http_limits *limits, struct sb_layout *to, struct sb_descriptor *out,
	struct sb_error *err)
{
	sb_autofree char *name = sb_reference_format(ref);
	struct progress progress = {.options = options, .what = name};
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_VALUE(sb_endpoints) endpoints = {0};

	if (sb_registries_load(&registries, err) < 0 ||
		sb_registries_endpoints(&registries, ref, false, &endpoints, err) < 0 ||
		pull_from_any(&endpoints, options, limits, to, &progress, out, err) < 0)
		return sb_error_context(err, "pull '%s'", name);
	return 0;
}

int sb_registry_pull(const struct sb_reference *ref, const struct sb_pull_options *options,
	struct sb_layout *to, struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_http_limits limits = SB_HTTP_LIMITS_INIT;

	return sb_registry_pull_within(ref, options, &limits, to, out, err);
}

int sb_registry_pull_name(const char *name, const struct sb_pull_options *options,
	struct sb_layout *to, struct sb_descriptor *out, struct sb_reference *out_ref,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_VALUE(sb_references) meanings = {0};

	if (sb_registries_load(&registries, err) < 0 ||
		sb_registries_meanings(&registries, name, &meanings, err) < 0)
		return -1;
	for (size_t i = 0;; i++) {
		SB_AUTO_ERROR failure = SB_ERROR_INIT;

		if (sb_registry_pull(&meanings.items[i], options, to, out, &failure) == 0) {
			*out_ref = meanings.items[i];
			meanings.items[i] = (struct sb_reference){0};
			return 0;
		}
		if (i + 1 < meanings.len &&
			(failure.code == SB_E_NOT_FOUND || failure.code == SB_E_AUTH)) {
			sb_error_ignore(&failure, "the name may be another registry's");
			continue;
		}
		sb_error_move(err, &failure);
		return -1;
	}
}
