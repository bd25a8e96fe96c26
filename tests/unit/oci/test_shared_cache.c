/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/shared_cache.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define T1 "2026-01-02T03:04:05.000000006Z"

static struct sb_digest digest(const char *text)
{
	struct sb_digest out = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_digest_parse(text, &out, &err), 0);
	return out;
}

static void add_layer(struct sb_shared_cache *cache, const char *blob, size_t parent)
{
	struct sb_shared_layer *layer = SB_ARRAY_ADD(&cache->layers);

	layer->blob.media_type = sb_strdup(SB_MEDIA_OCI_LAYER_GZIP);
	layer->blob.digest = digest(blob);
	layer->blob.size_bytes = 10;
	layer->diff_id = digest(D3);
	layer->tar_bytes = 1024;
	layer->level = 9;
	layer->parent = parent;
}

static void add_record(struct sb_shared_cache *cache, const char *key, size_t layer, size_t input)
{
	*SB_ARRAY_ADD(&cache->records) = (struct sb_shared_record){.key = digest(key),
		.layer = layer,
		.created = layer != SB_SHARED_NONE ? sb_strdup(T1) : NULL,
		.input = input};
}

/* Two layers of which the one that lies on top has the smaller digest, a record of each, and one
 * of files. */
static void fill(struct sb_shared_cache *cache)
{
	add_layer(cache, D2, SB_SHARED_NONE);
	add_layer(cache, D1, 0);
	add_record(cache, D3, 0, SB_SHARED_NONE);
	add_record(cache, D1, 1, 0);
	add_record(cache, D2, SB_SHARED_NONE, SB_SHARED_NONE);
	cache->records.items[2].content = digest(D1);
	sb_shared_cache_sort(cache);
}

static void write_both(const struct sb_shared_cache *cache, enum sb_shared_form form,
	struct sb_buf *config, struct sb_buf *manifest, const char **type)
{
	SB_AUTO_VALUE(sb_descriptor) d = {.media_type = sb_strdup(SB_MEDIA_CACHE_CONFIG)};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_shared_cache_write_config(cache, config, &err), 0);
	sb_digest_of(config->data, config->len, &d.digest);
	d.size_bytes = config->len;
	assert_int_equal(sb_shared_cache_write(cache, form, &d, manifest, type, &err), 0);
}

static void a_cache_survives_a_round_trip(void **state)
{
	static const struct {
		enum sb_shared_form form;
		const char *media_type;
		const char *layer_type;
	} cases[] = {
		{SB_SHARED_MANIFEST, SB_MEDIA_OCI_MANIFEST, SB_MEDIA_OCI_LAYER_GZIP},
		{SB_SHARED_INDEX, SB_MEDIA_OCI_INDEX, SB_MEDIA_OCI_LAYER_GZIP},
		{SB_SHARED_LIST, SB_MEDIA_DOCKER_LIST, SB_MEDIA_DOCKER_LAYER_GZIP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_shared_cache) cache = {0};
		SB_AUTO_VALUE(sb_shared_cache) read = {0};
		SB_AUTO_VALUE(sb_descriptors) blobs = {0};
		SB_AUTO_VALUE(sb_descriptor) config_d = {0};
		SB_AUTO_BUF config = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_BUF manifest = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const struct sb_digest key = digest(D1);
		const struct sb_digest of_files = digest(D2);
		const struct sb_shared_record *record = NULL;
		const char *type = NULL;

		fill(&cache);
		write_both(&cache, cases[i].form, &config, &manifest, &type);
		assert_string_equal(type, cases[i].media_type);
		assert_int_equal(
			sb_shared_cache_parse(manifest.data, manifest.len, &blobs, &config_d, &err),
			0);
		assert_int_equal(blobs.len, 2);
		assert_string_equal(blobs.items[0].media_type, cases[i].layer_type);
		assert_int_equal(config_d.size_bytes, config.len);
		assert_int_equal(
			sb_shared_cache_parse_config(config.data, config.len, &blobs, &read, &err),
			0);
		assert_int_equal(read.layers.len, 2);
		assert_int_equal(read.records.len, 3);
		record = sb_shared_cache_find(&read, &key);
		assert_non_null(record);
		assert_string_equal(record->created, T1);
		assert_int_equal(record->layer, 0);
		assert_string_equal(read.layers.items[0].blob.digest.text, D1);
		assert_string_equal(read.layers.items[0].diff_id.text, D3);
		assert_int_equal(read.layers.items[0].tar_bytes, 1024);
		assert_int_equal(read.layers.items[0].level, 9);
		assert_int_equal(read.layers.items[0].parent, 1);
		assert_string_equal(sb_shared_cache_find(&read, &of_files)->content.text, D1);
	}
}

static void the_order_of_the_steps_does_not_show(void **state)
{
	SB_AUTO_VALUE(sb_shared_cache) one = {0};
	SB_AUTO_VALUE(sb_shared_cache) other = {0};
	SB_AUTO_BUF a = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_BUF b = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	add_layer(&one, D1, SB_SHARED_NONE);
	add_layer(&one, D2, SB_SHARED_NONE);
	add_layer(&one, D2, 0);
	add_record(&one, D1, 0, SB_SHARED_NONE);
	add_record(&one, D2, 1, SB_SHARED_NONE);
	add_record(&one, D3, 2, 0);
	add_layer(&other, D2, SB_SHARED_NONE);
	add_layer(&other, D1, SB_SHARED_NONE);
	add_layer(&other, D2, 1);
	add_record(&other, D2, 0, SB_SHARED_NONE);
	add_record(&other, D1, 1, SB_SHARED_NONE);
	add_record(&other, D3, 2, 1);
	sb_shared_cache_sort(&one);
	sb_shared_cache_sort(&other);
	assert_int_equal(sb_shared_cache_write_config(&one, &a, &err), 0);
	assert_int_equal(sb_shared_cache_write_config(&other, &b, &err), 0);
	assert_string_equal(a.data, b.data);
}

/* A config as BuildKit's exporter writes it, with roots, inputs and a chain of its inline form. */
static void what_buildkit_writes_is_read(void **state)
{
	static const char config[] =
		"{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":-1},{\"blob\":\"" D2 "\"}],"
		"\"records\":[{\"digest\":\"" D1 "\"},{\"digest\":\"" D1
		"\",\"inputs\":[[{\"link\":0}]],\"layers\":[{\"createdAt\":"
		"\"2024-01-02T03:04:05+01:00\",\"layer\":1}]},"
		"{\"digest\":\"" D2 "\",\"chains\":[{\"layers\":[0,1],\"createdAt\":\"0001-01-01T00"
		":00:00Z\"}],\"inputs\":[[{\"selector\":\"sel\",\"link\":1}]]}]}";
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_VALUE(sb_shared_cache) cache = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(
		sb_shared_cache_parse_config(config, strlen(config), &blobs, &cache, &err), 0);
	assert_int_equal(cache.layers.items[1].parent, 0);
	assert_false(sb_digest_is_set(&cache.layers.items[0].blob.digest));
	assert_int_equal(cache.records.len, 2);
}

static void what_does_not_have_the_form_is_refused(void **state)
{
#define LAYERS "{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":-1}],\"records\":["
	static const char *const configs[] = {
		"",
		"[]",
		"{\"layers\":{}}",
		"{\"layers\":[1]}",
		"{\"layers\":[{\"parent\":-1}]}",
		"{\"layers\":[{\"blob\":\"sha256:1\",\"parent\":-1}]}",
		"{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":-2}]}",
		"{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":1}]}",
		"{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":9223372036854775807}]}",
		"{\"layers\":[{\"blob\":\"" D1 "\"}]}",
		"{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":1},{\"blob\":\"" D2
		"\",\"parent\":0}]}",
		LAYERS "1]}",
		LAYERS "{}]}",
		LAYERS "{\"digest\":\"x\"}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"safebuild.content\":\"../../etc\"}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[1]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[{\"layer\":1,\"createdAt\":\"" T1
		       "\"}]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[{\"layer\":-1,\"createdAt\":\"" T1
		       "\"}]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[{\"layer\":0}]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[{\"layer\":0,\"createdAt\":\"now\"}]}]}",
		LAYERS "{\"digest\":\"" D1
		       "\",\"layers\":[{\"layer\":0,\"createdAt\":\"2026-01-02T03:04:05\"}]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[{\"layer\":0,\"createdAt\":\"2026-01-"
		       "02T03:04:05.Z\"}]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"layers\":[{\"layer\":0,\"createdAt\":\"2026-01-"
		       "02T03:04:05Z\\nX\"}]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"inputs\":[1]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"inputs\":[[{\"link\":1}]]}]}",
		LAYERS "{\"digest\":\"" D1 "\",\"inputs\":[[7]]}]}",
	};
	const struct sb_descriptors none = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct sb_shared_cache cache = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_shared_cache_parse_config(
					 configs[i], strlen(configs[i]), &none, &cache, &err),
			-1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
	}
}

static void annotations_that_lie_are_refused(void **state)
{
	static const char config[] = "{\"layers\":[{\"blob\":\"" D1 "\",\"parent\":-1}]}";
	static const char *const annotations[] = {"safebuild.tar-size=-1",
		"safebuild.tar-size=18446744073709551616", "safebuild.compression-level=23",
		"containerd.io/uncompressed=sha256:zz"};

	(void)state;
	for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++) {
		SB_AUTO_VALUE(sb_descriptors) blobs = {0};
		struct sb_descriptor *blob = SB_ARRAY_ADD(&blobs);
		struct sb_shared_cache cache = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		blob->digest = digest(D1);
		sb_strv_add(&blob->annotations, annotations[i]);
		assert_int_equal(
			sb_shared_cache_parse_config(config, strlen(config), &blobs, &cache, &err),
			-1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
	}
}

static void what_is_no_cache_is_told(void **state)
{
	static const struct {
		const char *json;
		enum sb_code code;
	} cases[] = {
		{"{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"a\",\"digest\":"
		 "\"" D1 "\",\"size\":1}}",
			SB_E_UNSUPPORTED},
		{"{\"schemaVersion\":2,\"manifests\":[]}", SB_E_UNSUPPORTED},
		{"{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", SB_E_INTEGRITY},
		{"{\"manifests\":[{\"mediaType\":\"" SB_MEDIA_CACHE_CONFIG "\",\"digest\":\"" D1
		 "\",\"size\":-1}]}",
			SB_E_INTEGRITY},
		{"{\"manifests\":[{\"mediaType\":\"", SB_E_INTEGRITY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_descriptors blobs = {0};
		struct sb_descriptor config = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_shared_cache_parse(cases[i].json, strlen(cases[i].json), &blobs,
					 &config, &err),
			-1);
		assert_int_equal(err.code, cases[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cache_survives_a_round_trip),
		cmocka_unit_test(the_order_of_the_steps_does_not_show),
		cmocka_unit_test(what_buildkit_writes_is_read),
		cmocka_unit_test(what_does_not_have_the_form_is_refused),
		cmocka_unit_test(annotations_that_lie_are_refused),
		cmocka_unit_test(what_is_no_cache_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
