/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/manifest.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define CONFIG \
	"\"config\":{\"mediaType\":\"" SB_MEDIA_OCI_CONFIG "\",\"digest\":\"" D1 "\",\"size\":7}"
#define LAYER(type, digest, size) \
	"{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size "}"
#define GZIP LAYER(SB_MEDIA_OCI_LAYER_GZIP, D2, "9")

static const char oci[] = "{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\"," CONFIG
			  ",\"layers\":[" GZIP "],\"annotations\":{\"a\":\"b\"}}";

static void a_manifest_survives_a_round_trip(void **state)
{
	SB_AUTO(sb_manifest) manifest = NULL;
	SB_AUTO_BUF out = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_manifest_parse(oci, strlen(oci), &manifest, &err), 0);
	assert_string_equal(manifest->config.digest.text, D1);
	assert_int_equal(manifest->layers.len, 1);
	assert_true(manifest->layers.items[0].size_bytes == 9);
	assert_int_equal(sb_manifest_write(manifest, &out, &err), 0);
	assert_string_equal(out.data, oci);
}

static void the_form_is_told_apart_where_the_media_type_is_missing(void **state)
{
	static const char plain[] = "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}";
	static const char docker[] =
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" SB_MEDIA_DOCKER_CONFIG
		"\",\"digest\":\"" D1 "\",\"size\":1},\"layers\":[]}";
	SB_AUTO(sb_manifest) first = NULL;
	SB_AUTO(sb_manifest) second = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_manifest_parse(plain, strlen(plain), &first, &err), 0);
	assert_string_equal(first->media_type, SB_MEDIA_OCI_MANIFEST);
	assert_int_equal(sb_manifest_parse(docker, strlen(docker), &second, &err), 0);
	assert_string_equal(second->media_type, SB_MEDIA_DOCKER_MANIFEST);
}

static void foreign_layers_keep_their_urls(void **state)
{
	static const char json[] =
		"{\"schemaVersion\":2," CONFIG
		",\"layers\":[{\"mediaType\":\"application/vnd.docker.image.rootfs.foreign.diff."
		"tar.gzip\",\"digest\":\"" D2 "\",\"size\":1,\"urls\":[\"https://x/y\"]}]}";
	SB_AUTO(sb_manifest) manifest = NULL;
	SB_AUTO_BUF out = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_manifest_parse(json, strlen(json), &manifest, &err), 0);
	assert_true(sb_media_is_foreign_layer(manifest->layers.items[0].media_type));
	assert_false(sb_media_is_foreign_layer(SB_MEDIA_DOCKER_LAYER_GZIP));
	assert_int_equal(sb_manifest_write(manifest, &out, &err), 0);
	assert_non_null(strstr(out.data, "\"urls\":[\"https://x/y\"]"));
}

static void broken_manifests_are_refused_with_the_place(void **state)
{
	static const struct {
		const char *json;
		enum sb_code code;
		const char *says;
	} cases[] = {
		{"{}", SB_E_INTEGRITY, "'config'"},
		{"[]", SB_E_INTEGRITY, "object"},
		{"{\"schemaVersion\":1,\"fsLayers\":[]}", SB_E_UNSUPPORTED, "version 1"},
		{"{\"schemaVersion\":3}", SB_E_UNSUPPORTED, "version 3"},
		{"{\"mediaType\":\"application/vnd.x\"}", SB_E_UNSUPPORTED, "vnd.x"},
		{"{\"mediaType\":\"" SB_MEDIA_OCI_INDEX "\"}", SB_E_UNSUPPORTED, "index"},
		{"{\"manifests\":[]," CONFIG ",\"layers\":[]}", SB_E_INTEGRITY, "'manifests'"},
		{"{" CONFIG "}", SB_E_INTEGRITY, "'layers'"},
		{"{" CONFIG ",\"layers\":{}}", SB_E_INTEGRITY, "'layers'"},
		{"{" CONFIG ",\"layers\":[3]}", SB_E_INTEGRITY, "layer 1"},
		{"{" CONFIG ",\"layers\":[" GZIP "," LAYER("x", D2, "-1") "]}", SB_E_INTEGRITY,
			"layer 2: 'size' is negative"},
		{"{" CONFIG ",\"layers\":[" LAYER("x", D2, "1.5") "]}", SB_E_INTEGRITY, "'size'"},
		{"{" CONFIG ",\"layers\":[{\"mediaType\":\"x\",\"digest\":\"" D2 "\"}]}",
			SB_E_INTEGRITY, "'size' is missing"},
		{"{" CONFIG ",\"layers\":[{\"mediaType\":\"x\",\"size\":1}]}", SB_E_INTEGRITY,
			"'digest' is missing"},
		{"{" CONFIG ",\"layers\":[{\"digest\":\"" D2 "\",\"size\":1}]}", SB_E_INTEGRITY,
			"'mediaType' is missing"},
		{"{" CONFIG ",\"layers\":[" LAYER("x", "sha256:../../etc/passwd", "1") "]}",
			SB_E_INTEGRITY, "not a digest"},
		{"{" CONFIG ",\"layers\":[" LAYER("x", "sha512:11", "1") "]}", SB_E_UNSUPPORTED,
			"sha256"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO(sb_manifest) manifest = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_manifest_parse(cases[i].json, strlen(cases[i].json), &manifest, &err) == 0)
			fail_msg("taken: %s", cases[i].json);
		if (err.code != cases[i].code || strstr(err.message, cases[i].says) == NULL)
			fail_msg("%s: %s: %s", cases[i].json, sb_code_name(err.code), err.message);
	}
}

static void too_many_layers_are_refused(void **state)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO(sb_manifest) manifest = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buf_add_str(&json, "{" CONFIG ",\"layers\":[" GZIP, &err), 0);
	for (size_t i = 0; i < SB_MAX_LAYERS; i++)
		assert_int_equal(sb_buf_add_str(&json, "," GZIP, &err), 0);
	assert_int_equal(sb_buf_add_str(&json, "]}", &err), 0);
	assert_int_equal(sb_manifest_parse(json.data, json.len, &manifest, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

#define ENTRY(rest) \
	"{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":1" rest "}"
#define ON(os, arch, variant) \
	ENTRY(",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch \
	      "\",\"variant\":\"" variant "\"}")
#define ATTESTATION \
	ENTRY(",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},\"annotations\":{" \
	      "\"vnd.docker.reference.type\":\"attestation-manifest\"}")

static void the_image_for_a_platform_is_chosen(void **state)
{
	static const struct {
		const char *entries;
		const char *want;
		int chosen; /* -1: none */
	} cases[] = {
		{ON("linux", "amd64", "") "," ON("linux", "arm64", "v8"), "linux/arm64", 1},
		{ON("linux", "amd64", "") "," ON("linux", "arm64", "v8"), "linux/amd64", 0},
		{ON("linux", "arm", "v5") "," ON("linux", "arm", "v6"), "linux/arm/v7", 1},
		{ON("linux", "arm", "v7") "," ON("linux", "arm", "v6"), "linux/arm/v6", 1},
		{ON("windows", "amd64", "") "," ON("linux", "amd64", ""), "linux/amd64", 1},
		{ON("linux", "amd64", "") "," ON("linux", "amd64", ""), "linux/amd64", 0},
		{ATTESTATION "," ON("linux", "amd64", ""), "linux/amd64", 1},
		{ENTRY("") "," ATTESTATION, "linux/s390x", 0},
		{ENTRY(""), "linux/amd64", 0},
		{ENTRY("") "," ENTRY(""), "linux/amd64", -1},
		{ON("linux", "amd64", ""), "linux/s390x", -1},
		{ATTESTATION, "linux/amd64", -1},
		{"", "linux/amd64", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_descriptors) list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *json =
			sb_asprintf("{\"schemaVersion\":2,\"manifests\":[%s]}", cases[i].entries);
		struct sb_platform want;
		size_t chosen = 99;

		assert_int_equal(sb_platform_parse(cases[i].want, &want, &err), 0);
		assert_int_equal(sb_index_parse(json, strlen(json), &list, &err), 0);

		const int rc = sb_index_choose(&list, &want, &chosen, &err);

		if (rc != (cases[i].chosen < 0 ? -1 : 0) ||
			(rc == 0 && chosen != (size_t)cases[i].chosen))
			fail_msg("%s for %s: %d, %zu", cases[i].entries, cases[i].want, rc, chosen);
		if (rc < 0)
			assert_int_equal(err.code, SB_E_NOT_FOUND);
	}
}

static void a_missing_platform_lists_those_that_there_are(void **state)
{
	static const char json[] = "{\"manifests\":[" ON("linux", "amd64", "") "," ON(
		"linux", "arm", "v7") "," ATTESTATION "]}";
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_platform want = {.os = "linux", .architecture = "s390x"};
	size_t i = 0;

	(void)state;
	assert_int_equal(sb_index_parse(json, strlen(json), &list, &err), 0);
	assert_int_equal(sb_index_choose(&list, &want, &i, &err), -1);
	assert_string_equal(err.message,
		"the image is not made for linux/s390x, only for: linux/amd64, linux/arm/v7");
}

static void broken_indexes_are_refused(void **state)
{
	static const char *const cases[] = {"{}", "{\"manifests\":{}}", "{\"manifests\":[1]}",
		"{\"manifests\":[],\"layers\":[]}", "{\"schemaVersion\":1,\"manifests\":[]}",
		"{\"manifests\":[{}]}", "{\"manifests\":[" ENTRY(",\"annotations\":[]") "]}",
		"{\"manifests\":[" ENTRY(",\"platform\":\"linux\"") "]}"};
	static const char none[] = "{\"manifests\":null}";
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_ERROR no_err = SB_ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_index_parse(cases[i], strlen(cases[i]), &list, &err) == 0)
			fail_msg("taken: %s", cases[i]);
	}
	assert_int_equal(sb_index_parse(none, strlen(none), &list, &no_err), 0);
	assert_int_equal(list.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_survives_a_round_trip),
		cmocka_unit_test(the_form_is_told_apart_where_the_media_type_is_missing),
		cmocka_unit_test(foreign_layers_keep_their_urls),
		cmocka_unit_test(broken_manifests_are_refused_with_the_place),
		cmocka_unit_test(too_many_layers_are_refused),
		cmocka_unit_test(the_image_for_a_platform_is_chosen),
		cmocka_unit_test(a_missing_platform_lists_those_that_there_are),
		cmocka_unit_test(broken_indexes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
