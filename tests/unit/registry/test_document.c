/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oci/descriptor.h"
#include "registry/document.h"

#define AS_MANIFEST ",\"config\":{},\"layers\":[]}"
#define AS_INDEX ",\"manifests\":[]}"
#define V2 "{\"schemaVersion\":2"
#define TYPED(type) V2 ",\"mediaType\":\"" type "\""

static void manifests_are_told_apart(void **state)
{
	static const struct {
		const char *json, *content_type, *type;
		enum sb_code code;
	} cases[] = {
		{TYPED(SB_MEDIA_OCI_MANIFEST) AS_MANIFEST, NULL, SB_MEDIA_OCI_MANIFEST, SB_OK},
		{TYPED(SB_MEDIA_DOCKER_LIST) AS_INDEX, SB_MEDIA_DOCKER_LIST, SB_MEDIA_DOCKER_LIST,
			SB_OK},
		{TYPED(SB_MEDIA_OCI_INDEX) AS_INDEX, "application/json", SB_MEDIA_OCI_INDEX, SB_OK},
		{V2 AS_MANIFEST, SB_MEDIA_OCI_MANIFEST "; charset=utf-8", SB_MEDIA_OCI_MANIFEST,
			SB_OK},
		{V2 AS_INDEX, NULL, SB_MEDIA_OCI_INDEX, SB_OK},
		{V2 AS_MANIFEST, "text/plain", SB_MEDIA_OCI_MANIFEST, SB_OK},
		/* Named as one thing, served or made as another. */
		{TYPED(SB_MEDIA_OCI_MANIFEST) AS_MANIFEST, SB_MEDIA_OCI_INDEX, NULL,
			SB_E_INTEGRITY},
		{TYPED(SB_MEDIA_OCI_MANIFEST) AS_INDEX, NULL, NULL, SB_E_INTEGRITY},
		{V2 AS_MANIFEST, SB_MEDIA_OCI_INDEX, NULL, SB_E_INTEGRITY},
		{V2 ",\"manifests\":[]" AS_MANIFEST, NULL, NULL, SB_E_INTEGRITY},
		{TYPED(SB_MEDIA_OCI_MANIFEST) ",\"manifests\":[]" AS_MANIFEST, NULL, NULL,
			SB_E_INTEGRITY},
		{V2 "}", NULL, NULL, SB_E_INTEGRITY},
		{"{}", NULL, NULL, SB_E_INTEGRITY},
		{"[]", NULL, NULL, SB_E_INTEGRITY},
		{"", NULL, NULL, SB_E_INTEGRITY},
		{"<html>", "text/html", NULL, SB_E_INTEGRITY},
		{"{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, NULL, SB_E_UNSUPPORTED},
		{"{\"fsLayers\":[]}", "application/vnd.docker.distribution.manifest.v1+prettyjws",
			NULL, SB_E_UNSUPPORTED},
		{TYPED("application/x-other") AS_MANIFEST, NULL, NULL, SB_E_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const char *type = NULL;
		const int result = sb_document_media_type(
			cases[i].json, strlen(cases[i].json), cases[i].content_type, &type, &err);

		if (err.code != cases[i].code)
			fail_msg("%zu: %s", i, err.message != NULL ? err.message : "no error");
		if (result == 0)
			assert_string_equal(type, cases[i].type);
	}
}

static void a_token_is_taken_only_if_it_fits_a_header(void **state)
{
	static const struct {
		const char *json, *token;
		enum sb_code code;
	} cases[] = {
		{"{\"token\":\"abc.D-_~+/==\"}", "abc.D-_~+/==", SB_OK},
		{"{\"access_token\":\"x\"}", "x", SB_OK},
		{"{\"token\":\"\",\"access_token\":\"x\"}", "x", SB_OK},
		{"{\"token\":\"a\",\"access_token\":\"x\",\"expires_in\":300}", "a", SB_OK},
		{"{\"token\":\"a\\r\\nX: y\"}", NULL, SB_E_AUTH},
		{"{\"token\":\"a b\"}", NULL, SB_E_AUTH},
		{"{\"token\":\"\\u00e9\"}", NULL, SB_E_AUTH},
		{"{\"token\":7}", NULL, SB_E_AUTH},
		{"{}", NULL, SB_E_AUTH},
		{"nonsense", NULL, SB_E_INTEGRITY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *token = NULL;
		uint64_t life_s = 0;
		const int result = sb_document_token(
			cases[i].json, strlen(cases[i].json), &token, &life_s, &err);

		assert_int_equal(err.code, cases[i].code);
		if (result == 0)
			assert_string_equal(token, cases[i].token);
		else
			assert_null(strstr(err.message, "a b"));
	}
}

static void a_token_lives_as_long_as_its_server_says(void **state)
{
	static const struct {
		const char *json;
		uint64_t life_s;
	} cases[] = {
		{"{\"token\":\"a\",\"expires_in\":300}", 300},
		{"{\"token\":\"a\"}", 60},
		{"{\"token\":\"a\",\"expires_in\":0}", 60},
		{"{\"token\":\"a\",\"expires_in\":-5}", 60},
		{"{\"token\":\"a\",\"expires_in\":\"soon\"}", 60},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *token = NULL;
		uint64_t life_s = 0;

		assert_int_equal(sb_document_token(cases[i].json, strlen(cases[i].json), &token,
					 &life_s, &err),
			0);
		assert_int_equal(life_s, cases[i].life_s);
	}
}

static void a_huge_token_is_refused(void **state)
{
	enum { LEN = 1 << 20 };
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF json = SB_BUF_INIT(2 * LEN);
	sb_autofree char *token = NULL;
	sb_autofree char *fill = sb_calloc(LEN + 1, 1);
	uint64_t life_s = 0;

	(void)state;
	memset(fill, 'a', LEN);
	assert_int_equal(sb_buf_addf(&json, &err, "{\"token\":\"%s\"}", fill), 0);
	assert_int_equal(sb_document_token(json.data, json.len, &token, &life_s, &err), -1);
	assert_int_equal(err.code, SB_E_AUTH);
	assert_true(strlen(err.message) < 200);
}

static void the_words_of_a_registry_are_shown_shortened(void **state)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{"{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such\"},{}]}",
			"NAME_UNKNOWN: no such"},
		{"{\"errors\":[{\"code\":\"DENIED\"}]}", "DENIED"},
		{"{\"errors\":[{\"message\":\"m\"}]}", "m"},
		{"{\"details\":\"incorrect username\"}", "incorrect username"},
		{"{\"message\":\"limit\"}", "limit"},
		{"{\"errors\":[]}", NULL},
		{"{\"errors\":[7]}", NULL},
		{"{\"errors\":{\"code\":1}}", NULL},
		{"{}", NULL},
		{"[]", NULL},
		{"<html>", NULL},
		{"", NULL},
	};
	sb_autofree char *fill = sb_calloc(5001, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *words = sb_document_error(cases[i].json, strlen(cases[i].json));

		if (cases[i].words == NULL)
			assert_null(words);
		else
			assert_string_equal(words, cases[i].words);
	}
	memset(fill, 'a', 5000);

	sb_autofree char *json =
		sb_asprintf("{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}", fill, fill);
	sb_autofree char *words = sb_document_error(json, strlen(json));

	assert_true(strlen(words) < 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests_are_told_apart),
		cmocka_unit_test(a_token_is_taken_only_if_it_fits_a_header),
		cmocka_unit_test(a_token_lives_as_long_as_its_server_says),
		cmocka_unit_test(a_huge_token_is_refused),
		cmocka_unit_test(the_words_of_a_registry_are_shown_shortened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
