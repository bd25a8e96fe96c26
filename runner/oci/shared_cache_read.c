/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "oci/descriptor_json.h"
#include "oci/shared_cache_private.h"

static const char what_cache[] = "build cache";
static const char what_config[] = "config of the build cache";

enum { MAX_LEVEL = 22 /* zstd's */, MAX_TIME = 40 };

static int fail_form(const char *what, struct sb_error *err)
{
	return sb_fail(err, SB_E_INTEGRITY, "%s: %s", what_config, what);
}

static int add_blob(const json_t *json, struct sb_descriptors *blobs, struct sb_descriptor *config,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) d = {0};

	if (sb_descriptor_from_json(json, what_cache, &d, err) < 0)
		return -1;
	if (strcmp(d.media_type, SB_MEDIA_CACHE_CONFIG) == 0) {
		sb_descriptor_release(config);
		*config = d;
	} else {
		*SB_ARRAY_ADD(blobs) = d;
	}
	d = (struct sb_descriptor){0};
	return 0;
}

int sb_shared_cache_parse(const char *json, size_t len, struct sb_descriptors *out_blobs,
	struct sb_descriptor *out_config, struct sb_error *err)
{
	SB_AUTO_JSON root = NULL;
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_VALUE(sb_descriptor) config = {0};
	json_t *manifests = NULL;
	json_t *layers = NULL;
	json_t *own = NULL;

	if (sb_json_parse_object(json, len, what_cache, &root, err) < 0 ||
		sb_json_get_array(root, "manifests", what_cache, &manifests, err) < 0 ||
		sb_json_get_array(root, "layers", what_cache, &layers, err) < 0 ||
		sb_json_get_object(root, "config", what_cache, &own, err) < 0)
		return -1;
	if (manifests != NULL && layers != NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: it has both 'manifests' and 'layers'",
			what_cache);

	const json_t *list = manifests != NULL ? manifests : layers;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (add_blob(json_array_get(list, i), &blobs, &config, err) < 0)
			return -1;
	if (layers != NULL && own != NULL && add_blob(own, &blobs, &config, err) < 0)
		return -1;
	if (!sb_digest_is_set(&config.digest)) {
		(void)sb_fail(err, SB_E_UNSUPPORTED, "it is not a build cache");
		return sb_error_hint(err, "name what --cache-to has written");
	}
	*out_blobs = blobs;
	*out_config = config;
	blobs = (struct sb_descriptors){0};
	config = (struct sb_descriptor){0};
	return 0;
}

static bool has_digits(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return true;
}

/* RFC 3339, as Go writes it: it becomes part of an image's history as it stands. */
static bool is_time(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	const char *p = text;

	if (strlen(text) > MAX_TIME)
		return false;
	for (const char *f = form; *f != '\0'; f++, p++)
		if (*f == 'd' ? !isdigit((unsigned char)*p) : *p != *f)
			return false;
	if (*p == '.') {
		const size_t n = strspn(p + 1, "0123456789");

		if (n == 0)
			return false;
		p += 1 + n;
	}
	if (*p == '+' || *p == '-')
		return strlen(p) == 6 && has_digits(p + 1, 2) && p[3] == ':' &&
		       has_digits(p + 4, 2);
	return strcmp(p, "Z") == 0;
}

/* A place in a list of n. */
static int read_index(
	const json_t *json, const char *key, size_t n, size_t *out, struct sb_error *err)
{
	int64_t index = 0;

	if (!json_is_object(json))
		return fail_form("an entry of a list is not an object", err);
	if (sb_json_get_int(json, key, what_config, &index, err) < 0)
		return -1;
	if (index < 0 || (uint64_t)index >= n)
		return sb_fail(err, SB_E_INTEGRITY, "%s: '%s' is out of range", what_config, key);
	*out = (size_t)index;
	return 0;
}

static int compare_blobs(const void *a, const void *b)
{
	const struct sb_descriptor *const *one = a;
	const struct sb_descriptor *const *other = b;

	return strcmp((*one)->digest.text, (*other)->digest.text);
}

/* The blobs by digest, to look them up; caller frees. */
static const struct sb_descriptor **sort_blobs(const struct sb_descriptors *blobs)
{
	const struct sb_descriptor **sorted =
		sb_calloc(blobs->len + 1, sizeof(struct sb_descriptor *));

	for (size_t i = 0; i < blobs->len; i++)
		sorted[i] = &blobs->items[i];
	if (blobs->len > 0)
		qsort(sorted, blobs->len, sizeof(*sorted), compare_blobs);
	return sorted;
}

/* What the blob's annotations say of it. */
static int describe_layer(struct sb_shared_layer *layer, struct sb_error *err)
{
	const struct sb_strv *annotations = &layer->blob.annotations;
	const char *diff_id = sb_env_get(annotations, SB_SHARED_DIFF_ID);
	const char *size = sb_env_get(annotations, SB_SHARED_TAR_SIZE);
	const char *level = sb_env_get(annotations, SB_SHARED_LEVEL);
	uint64_t number = 0;

	if (diff_id != NULL && sb_digest_parse(diff_id, &layer->diff_id, err) < 0)
		return sb_error_context(err, "%s: %s", what_config, SB_SHARED_DIFF_ID);
	if (size != NULL && !sb_number_parse(size, 10, INT64_MAX, &layer->tar_bytes))
		return fail_form(SB_SHARED_TAR_SIZE " is not a number", err);
	if (level != NULL && !sb_number_parse(level, 10, MAX_LEVEL, &number))
		return fail_form(SB_SHARED_LEVEL " is not a level", err);
	layer->level = (int)number;
	return 0;
}

struct reading {
	const struct sb_descriptor **blobs; /* sorted */
	size_t n_blobs;
	struct sb_shared_cache cache;
	struct sb_error *err;
};

static int read_layer(struct reading *r, const json_t *json, size_t n_layers)
{
	struct sb_shared_layer *layer = SB_ARRAY_ADD(&r->cache.layers);
	struct sb_descriptor wanted = {0};
	const struct sb_descriptor *key = &wanted;
	const struct sb_descriptor **found = NULL;
	const char *digest = NULL;
	int64_t parent = 0;

	layer->parent = SB_SHARED_NONE;
	if (!json_is_object(json))
		return fail_form("a layer is not an object", r->err);
	if (sb_json_get_string(json, "blob", what_config, &digest, r->err) < 0 ||
		sb_json_get_int(json, "parent", what_config, &parent, r->err) < 0)
		return -1;
	if (digest == NULL)
		return fail_form("a layer has no blob", r->err);
	if (parent != -1 && read_index(json, "parent", n_layers, &layer->parent, r->err) < 0)
		return -1;
	if (sb_digest_parse(digest, &wanted.digest, r->err) < 0)
		return sb_error_context(r->err, "%s: layer", what_config);
	if (r->n_blobs > 0)
		found = bsearch(&key, r->blobs, r->n_blobs, sizeof(*r->blobs), compare_blobs);
	if (found == NULL)
		return 0;
	sb_descriptor_copy(&layer->blob, *found);
	return describe_layer(layer, r->err);
}

/* Each layer is walked to once: it is `known` to end where one below it does. */
static int check_parents(const struct reading *r)
{
	const size_t n = r->cache.layers.len;
	sb_autofree size_t *walk = sb_calloc(n + 1, sizeof(*walk));

	for (size_t i = 0; i < n; i++) {
		const size_t mark = i + 1;
		size_t at = i;

		while (at != SB_SHARED_NONE && walk[at] == 0) {
			walk[at] = mark;
			at = r->cache.layers.items[at].parent;
		}
		if (at != SB_SHARED_NONE && walk[at] == mark)
			return fail_form("a layer lies on itself", r->err);
	}
	return 0;
}

/* The first result counts, as the best one comes first. */
static int read_result(struct reading *r, const json_t *results, struct sb_shared_record *record)
{
	const json_t *first = json_array_get(results, 0);
	const char *created = NULL;

	if (first == NULL)
		return 0;
	if (read_index(first, "layer", r->cache.layers.len, &record->layer, r->err) < 0 ||
		sb_json_get_string(first, "createdAt", what_config, &created, r->err) < 0)
		return -1;
	if (created == NULL || !is_time(created))
		return fail_form("'createdAt' is not a time", r->err);
	record->created = sb_strdup(created);
	return 0;
}

static int read_inputs(
	struct reading *r, const json_t *inputs, size_t n_records, struct sb_shared_record *record)
{
	for (size_t i = 0; i < json_array_size(inputs); i++) {
		const json_t *links = json_array_get(inputs, i);

		if (!json_is_array(links))
			return fail_form("an input is not a list", r->err);
		for (size_t j = 0; j < json_array_size(links); j++)
			if (read_index(json_array_get(links, j), "link", n_records, &record->input,
				    r->err) < 0)
				return -1;
	}
	return 0;
}

static int read_record(struct reading *r, const json_t *json, size_t n_records)
{
	struct sb_shared_record *record = SB_ARRAY_ADD(&r->cache.records);
	const char *key = NULL;
	const char *content = NULL;
	json_t *results = NULL;
	json_t *inputs = NULL;

	record->layer = record->input = SB_SHARED_NONE;
	if (!json_is_object(json))
		return fail_form("a record is not an object", r->err);
	if (sb_json_get_string(json, "digest", what_config, &key, r->err) < 0 ||
		sb_json_get_string(json, SB_SHARED_CONTENT, what_config, &content, r->err) < 0 ||
		sb_json_get_array(json, "layers", what_config, &results, r->err) < 0 ||
		sb_json_get_array(json, "inputs", what_config, &inputs, r->err) < 0)
		return -1;
	if (key == NULL)
		return fail_form("a record has no digest", r->err);
	if (sb_digest_parse(key, &record->key, r->err) < 0 ||
		(content != NULL && sb_digest_parse(content, &record->content, r->err) < 0))
		return sb_error_context(r->err, "%s: record", what_config);
	return read_result(r, results, record) < 0 ? -1 : read_inputs(r, inputs, n_records, record);
}

/* BuildKit may have several of a key, which differ by their inputs; ours has one. */
static void drop_duplicates(struct sb_shared_cache *cache)
{
	size_t n = 0;

	for (size_t i = 0; i < cache->records.len; i++) {
		struct sb_shared_record *record = &cache->records.items[i];

		if (n > 0 && sb_digest_equal(&cache->records.items[n - 1].key, &record->key)) {
			free(record->created);
			continue;
		}
		cache->records.items[n++] = *record;
		cache->records.items[n - 1].input = SB_SHARED_NONE;
	}
	cache->records.len = n;
}

static int read_config(struct reading *r, const json_t *json)
{
	json_t *layers = NULL;
	json_t *records = NULL;

	if (sb_json_get_array(json, "layers", what_config, &layers, r->err) < 0 ||
		sb_json_get_array(json, "records", what_config, &records, r->err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(layers); i++)
		if (read_layer(r, json_array_get(layers, i), json_array_size(layers)) < 0)
			return -1;
	if (check_parents(r) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(records); i++)
		if (read_record(r, json_array_get(records, i), json_array_size(records)) < 0)
			return -1;
	sb_shared_cache_sort_records(&r->cache);
	drop_duplicates(&r->cache);
	return 0;
}

int sb_shared_cache_parse_config(const char *json, size_t len, const struct sb_descriptors *blobs,
	struct sb_shared_cache *out, struct sb_error *err)
{
	SB_AUTO_JSON root = NULL;
	sb_autofree const struct sb_descriptor **sorted = sort_blobs(blobs);
	struct reading r = {.blobs = sorted, .n_blobs = blobs->len, .err = err};

	if (sb_json_parse_object(json, len, what_config, &root, err) < 0 ||
		read_config(&r, root) < 0) {
		sb_shared_cache_release(&r.cache);
		return -1;
	}
	*out = r.cache;
	return 0;
}
