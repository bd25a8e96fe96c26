/* SPDX-License-Identifier: MIT */
#include "build/cache_export.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "build/cache_collect.h"
#include "build/destination.h"
#include "build/export_registry.h"
#include "oci/image.h"
#include "oci/reference.h"

struct target {
	const struct sb_cache_option *option;
	struct sb_collect_options collect;
	struct sb_destination to; /* of a folder */
};

struct sb_cache_exports {
	SB_ARRAY(struct target) targets;
};

void sb_cache_exports_free(struct sb_cache_exports *exports)
{
	if (exports == NULL)
		return;
	SB_ARRAY_FOREACH (&exports->targets, t)
		sb_destination_release(&t->to);
	SB_ARRAY_RELEASE(&exports->targets);
	free(exports);
}

static int open_target(struct target *t, struct sb_error *err)
{
	const struct sb_cache_option *o = t->option;

	t->collect.has_all = o->has_all;
	t->collect.has_compression = o->compression != NULL;
	t->collect.level = o->compression_level;
	if (o->compression != NULL &&
		sb_compression_parse(o->compression, &t->collect.compression, err) < 0)
		return -1;
	return o->is_folder ? sb_destination_open(o->where, true, &t->to, err)
			    : sb_export_names_check(o->where, err);
}

int sb_cache_exports_open(const struct sb_cache_option *options, size_t n,
	struct sb_cache_exports **out, struct sb_error *err)
{
	SB_AUTO(sb_cache_exports) exports = SB_NEW(struct sb_cache_exports);

	for (size_t i = 0; i < n; i++) {
		struct target *t = SB_ARRAY_ADD(&exports->targets);

		*t = (struct target){.option = &options[i], .to = SB_DESTINATION_INIT};
		if (open_target(t, err) < 0)
			return sb_error_context(err, "--cache-to");
	}
	*out = SB_STEAL(exports);
	return 0;
}

static enum sb_shared_form form_of(const struct target *t, const struct sb_shared_cache *cache)
{
	if (t->option->is_docker)
		return SB_SHARED_LIST;
	/* Readers of manifests hold them to what overlayfs can stack. */
	return t->option->is_index || cache->layers.len > SB_MAX_LAYERS ? SB_SHARED_INDEX
									: SB_SHARED_MANIFEST;
}

/* Config and manifest into the store, whose blobs are what is sent or copied. */
static int put(struct sb_build *build, const struct target *t, struct sb_shared_cache *cache,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_BUF config_json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_descriptor) config = {.media_type = sb_strdup(SB_MEDIA_CACHE_CONFIG)};
	const char *media_type = NULL;

	if (sb_shared_cache_write_config(cache, &config_json, err) < 0 ||
		sb_layout_put_bytes(
			build->store, config_json.data, config_json.len, &config.digest, err) < 0)
		return -1;
	config.size_bytes = config_json.len;
	if (sb_shared_cache_write(cache, form_of(t, cache), &config, &json, &media_type, err) < 0 ||
		sb_layout_put_bytes(build->store, json.data, json.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(media_type);
	out->size_bytes = json.len;
	return 0;
}

/* Into the store, from where they are sent or copied on. `there` has some of them; or NULL. */
static int fetch_absent(struct sb_build *build, const struct sb_absent_blobs *absent,
	struct sb_layout *there, struct sb_error *err)
{
	SB_ARRAY_FOREACH (absent, it) {
		if (there != NULL &&
			sb_layout_has_whole_blob(there, &it->blob.digest, it->blob.size_bytes))
			continue;
		if (sb_cache_source_fetch(it->source, build, &it->blob, err) < 0)
			return sb_error_context(
				err, "cache '%s'", sb_cache_source_name(it->source));
	}
	return 0;
}

static int write_folder(struct sb_build *build, const struct target *t,
	const struct sb_descriptor *manifest, const struct sb_absent_blobs *absent,
	struct sb_error *err)
{
	SB_AUTO(sb_layout) there = NULL;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_layout_open(t->to.dir_fd, false, &there, &ignored) < 0)
		sb_error_ignore(&ignored, "it is made by the first who writes");
	return fetch_absent(build, absent, there, err) < 0
		       ? -1
		       : sb_image_replace_in_oci_folder(build->store, manifest,
				 t->option->tag != NULL ? t->option->tag : "latest", t->to.dir_fd,
				 err);
}

static bool is_all_there(const struct target *t, const struct sb_absent_blobs *absent)
{
	SB_AUTO_VALUE(sb_reference) to = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_reference_parse(t->option->where, &to, &ignored) < 0) {
		sb_error_ignore(&ignored, "the names are checked at the start");
		return false;
	}
	SB_ARRAY_FOREACH (absent, it) {
		const struct sb_reference *from = sb_cache_source_reference(it->source);

		if (from == NULL || strcmp(from->registry, to.registry) != 0 ||
			strcmp(from->repository, to.repository) != 0)
			return false;
	}
	return true;
}

/* What lies in the repository already need not be fetched to be written there, unless it is gone
 * since. */
static int write_registry(struct sb_build *build, const struct target *t,
	const struct sb_descriptor *manifest, const struct sb_absent_blobs *absent,
	struct sb_error *err)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (is_all_there(t, absent)) {
		if (sb_export_cache(build, manifest, t->option->where, true, &failed) == 0)
			return 0;
		if (failed.code != SB_E_NOT_FOUND || absent->len == 0) {
			sb_error_move(err, &failed);
			return -1;
		}
		sb_error_ignore(&failed, "it is fetched then");
	}
	return fetch_absent(build, absent, NULL, err) < 0
		       ? -1
		       : sb_export_cache(build, manifest, t->option->where, false, err);
}

static int write_target(const struct target *t, struct sb_build *build, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_shared_cache) cache = {0};
	SB_AUTO_VALUE(sb_absent_blobs) absent = {0};
	SB_AUTO_VALUE(sb_descriptor) manifest = {0};

	if (sb_cache_collect(build, &t->collect, &cache, &absent, err) < 0)
		return -1;
	if (cache.layers.len == 0) {
		sb_events_notice(&build->events,
			"no step of the build has a layer that could be cached: no cache is "
			"written",
			NULL);
		return 0;
	}
	if (put(build, t, &cache, &manifest, err) < 0 ||
		(t->option->is_folder ? write_folder(build, t, &manifest, &absent, err)
				      : write_registry(build, t, &manifest, &absent, err)) < 0)
		return -1;

	sb_autofree char *text = sb_asprintf("cache: %s", t->option->where);

	sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_EXPORT, .text = text});
	return 0;
}

static void warn(struct sb_build *build, struct sb_error *failed)
{
	sb_autofree char *text = sb_asprintf("the cache is not written: %s", failed->message);

	sb_events_warn(&build->events, text, failed->hint);
	sb_error_release(failed);
}

int sb_cache_exports_write(
	struct sb_cache_exports *exports, struct sb_build *build, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&exports->targets, t) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (sb_interrupt_check(build->interrupt, err) < 0)
			return -1;
		if (write_target(t, build, &failed) == 0)
			continue;
		(void)sb_error_context(&failed, "--cache-to '%s'", t->option->where);
		if (t->option->ignores_error && failed.code != SB_E_CANCELLED) {
			warn(build, &failed);
			continue;
		}
		sb_error_move(err, &failed);
		return -1;
	}
	return 0;
}
