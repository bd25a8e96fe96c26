/* SPDX-License-Identifier: MIT */
#include "oci/shared_cache.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/descriptor_json.h"
#include "oci/shared_cache_private.h"

static const char what_config[] = "config of the build cache";

void sb_shared_cache_release(struct sb_shared_cache *cache)
{
	SB_ARRAY_FOREACH (&cache->layers, layer)
		sb_descriptor_release(&layer->blob);
	SB_ARRAY_RELEASE(&cache->layers);
	SB_ARRAY_FOREACH (&cache->records, record)
		free(record->created);
	SB_ARRAY_RELEASE(&cache->records);
}

const struct sb_shared_record *sb_shared_cache_find(
	const struct sb_shared_cache *cache, const struct sb_digest *key)
{
	size_t low = 0;
	size_t high = cache->records.len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct sb_shared_record *record = &cache->records.items[middle];
		const int order = strcmp(record->key.text, key->text);

		if (order == 0)
			return record;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Where each item of an array went, by the place that it had. */
struct move {
	size_t from;
	const char *text; /* it is sorted by */
	const char *rest; /* and by this where that is the same */
};

static int compare_moves(const void *a, const void *b)
{
	const struct move *one = a;
	const struct move *other = b;
	const int order = strcmp(one->text, other->text);

	if (order != 0)
		return order;
	return strcmp(one->rest, other->rest);
}

/* `moves` sorted; gives for each old place the new one. Caller frees. */
static size_t *new_places(struct move *moves, size_t n)
{
	size_t *places = sb_calloc(n + 1, sizeof(*places));

	if (n > 0)
		qsort(moves, n, sizeof(*moves), compare_moves);
	for (size_t i = 0; i < n; i++)
		places[moves[i].from] = i;
	return places;
}

/* What a layer and those that it lies on come to: two layers of one blob differ by it. */
static void chain_of(const struct sb_shared_cache *cache, const struct sb_digest *chains, size_t i,
	struct sb_digest *out)
{
	const struct sb_shared_layer *layer = &cache->layers.items[i];
	const char *below = layer->parent != SB_SHARED_NONE ? chains[layer->parent].text : "";
	sb_autofree char *text = sb_asprintf("%s %s", layer->blob.digest.text, below);

	sb_digest_of(text, strlen(text), out);
}

static size_t moved(const size_t *places, size_t i)
{
	return i != SB_SHARED_NONE ? places[i] : SB_SHARED_NONE;
}

/* Layers stand behind those that they lie on, so that each chain is known when it is asked for. */
static void sort_layers(struct sb_shared_cache *cache)
{
	const size_t n = cache->layers.len;
	sb_autofree struct sb_digest *chains = sb_calloc(n + 1, sizeof(*chains));
	sb_autofree struct move *moves = sb_calloc(n + 1, sizeof(*moves));
	sb_autofree struct sb_shared_layer *sorted = sb_calloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; i < n; i++) {
		chain_of(cache, chains, i, &chains[i]);
		moves[i] =
			(struct move){i, cache->layers.items[i].blob.digest.text, chains[i].text};
	}

	sb_autofree size_t *places = new_places(moves, n);

	for (size_t i = 0; i < n; i++) {
		sorted[places[i]] = cache->layers.items[i];
		sorted[places[i]].parent = moved(places, cache->layers.items[i].parent);
	}
	if (n > 0)
		memcpy(cache->layers.items, sorted, n * sizeof(*sorted));
	SB_ARRAY_FOREACH (&cache->records, record)
		record->layer = moved(places, record->layer);
}

void sb_shared_cache_sort_records(struct sb_shared_cache *cache)
{
	const size_t n = cache->records.len;
	sb_autofree struct move *moves = sb_calloc(n + 1, sizeof(*moves));
	sb_autofree struct sb_shared_record *sorted = sb_calloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		moves[i] = (struct move){i, cache->records.items[i].key.text, ""};

	sb_autofree size_t *places = new_places(moves, n);

	for (size_t i = 0; i < n; i++) {
		sorted[places[i]] = cache->records.items[i];
		sorted[places[i]].input = moved(places, cache->records.items[i].input);
	}
	if (n > 0)
		memcpy(cache->records.items, sorted, n * sizeof(*sorted));
}

void sb_shared_cache_sort(struct sb_shared_cache *cache)
{
	sort_layers(cache);
	sb_shared_cache_sort_records(cache);
}

static json_t *layer_json(
	const struct sb_shared_layer *layer, const char *created, const char **bad)
{
	json_t *json = json_object();
	json_t *annotations = json_object();

	sb_json_put_string(json, "blob", layer->blob.digest.text, bad);
	sb_json_put_int(
		json, "parent", layer->parent == SB_SHARED_NONE ? -1 : (int64_t)layer->parent);
	sb_json_put_string(annotations, "mediaType", layer->blob.media_type, bad);
	sb_json_put_string(annotations, "diffID", layer->diff_id.text, bad);
	sb_json_put_int(annotations, "size", (int64_t)layer->blob.size_bytes);
	sb_json_put_string(annotations, "createdAt", created, bad);
	sb_json_put(json, "annotations", annotations);
	return json;
}

static json_t *list_of(json_t *item)
{
	json_t *list = json_array();

	SB_BUG_ON(json_array_append_new(list, item) != 0);
	return list;
}

static json_t *record_json(const struct sb_shared_record *record, const char **bad)
{
	json_t *json = json_object();

	if (record->layer != SB_SHARED_NONE) {
		json_t *result = json_object();

		sb_json_put_int(result, "layer", (int64_t)record->layer);
		sb_json_put_string(result, "createdAt", record->created, bad);
		sb_json_put(json, "layers", list_of(result));
	}
	sb_json_put_string(json, "digest", record->key.text, bad);
	if (record->input != SB_SHARED_NONE) {
		json_t *input = json_object();

		sb_json_put_int(input, "link", (int64_t)record->input);
		sb_json_put(json, "inputs", list_of(list_of(input)));
	}
	if (sb_digest_is_set(&record->content))
		sb_json_put_string(json, SB_SHARED_CONTENT, record->content.text, bad);
	return json;
}

/* When a layer was made, by the first record that has it. */
static const char *created_of(const struct sb_shared_cache *cache, size_t layer)
{
	SB_ARRAY_FOREACH (&cache->records, record)
		if (record->layer == layer)
			return record->created;
	return "1970-01-01T00:00:00Z";
}

int sb_shared_cache_write_config(
	const struct sb_shared_cache *cache, struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_JSON json = json_object();
	json_t *layers = json_array();
	json_t *records = json_array();
	const char *bad = NULL;

	for (size_t i = 0; i < cache->layers.len; i++)
		SB_BUG_ON(json_array_append_new(layers, layer_json(&cache->layers.items[i],
								created_of(cache, i), &bad)) != 0);
	SB_ARRAY_FOREACH (&cache->records, record)
		SB_BUG_ON(json_array_append_new(records, record_json(record, &bad)) != 0);
	sb_json_put(json, "layers", layers);
	sb_json_put(json, "records", records);
	return sb_json_dump(json, what_config, bad, out, err);
}

static const char *docker_type(const char *media_type)
{
	if (strcmp(media_type, SB_MEDIA_OCI_LAYER_GZIP) == 0)
		return SB_MEDIA_DOCKER_LAYER_GZIP;
	if (strcmp(media_type, SB_MEDIA_OCI_LAYER_ZSTD) == 0)
		return SB_MEDIA_DOCKER_LAYER_ZSTD;
	return strcmp(media_type, SB_MEDIA_OCI_LAYER) == 0 ? SB_MEDIA_DOCKER_LAYER : media_type;
}

static json_t *blob_json(const struct sb_shared_layer *layer, enum sb_shared_form form,
	const char *created, const char **bad)
{
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	sb_autofree char *size = sb_asprintf("%" PRIu64, layer->tar_bytes);
	sb_autofree char *level = sb_asprintf("%d", layer->level);

	sb_descriptor_copy(&d, &layer->blob);
	sb_strv_clear(&d.annotations);
	sb_env_set(&d.annotations, SB_SHARED_CREATED, created);
	sb_env_set(&d.annotations, SB_SHARED_DIFF_ID, layer->diff_id.text);
	sb_env_set(&d.annotations, SB_SHARED_TAR_SIZE, size);
	if (layer->level != 0)
		sb_env_set(&d.annotations, SB_SHARED_LEVEL, level);
	if (form == SB_SHARED_LIST) {
		free(d.media_type);
		d.media_type = sb_strdup(docker_type(layer->blob.media_type));
	}
	return sb_descriptor_to_json(&d, bad);
}

/* A blob that lies on several others is listed once. */
static bool is_listed(const struct sb_shared_cache *cache, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (sb_digest_equal(&cache->layers.items[j].blob.digest,
			    &cache->layers.items[i].blob.digest))
			return true;
	return false;
}

int sb_shared_cache_write(const struct sb_shared_cache *cache, enum sb_shared_form form,
	const struct sb_descriptor *config, struct sb_buf *out, const char **out_type,
	struct sb_error *err)
{
	static const char *const types[] = {[SB_SHARED_MANIFEST] = SB_MEDIA_OCI_MANIFEST,
		[SB_SHARED_INDEX] = SB_MEDIA_OCI_INDEX,
		[SB_SHARED_LIST] = SB_MEDIA_DOCKER_LIST};
	SB_AUTO_JSON json = json_object();
	json_t *blobs = json_array();
	const char *bad = NULL;

	sb_json_put_int(json, "schemaVersion", 2);
	sb_json_put_string(json, "mediaType", types[form], &bad);
	for (size_t i = 0; i < cache->layers.len; i++)
		if (!is_listed(cache, i))
			SB_BUG_ON(json_array_append_new(
					  blobs, blob_json(&cache->layers.items[i], form,
							 created_of(cache, i), &bad)) != 0);
	if (form == SB_SHARED_MANIFEST)
		sb_json_put(json, "config", sb_descriptor_to_json(config, &bad));
	else
		SB_BUG_ON(json_array_append_new(blobs, sb_descriptor_to_json(config, &bad)) != 0);
	sb_json_put(json, form == SB_SHARED_MANIFEST ? "layers" : "manifests", blobs);
	*out_type = types[form];
	return sb_json_dump(json, "build cache", bad, out, err);
}
