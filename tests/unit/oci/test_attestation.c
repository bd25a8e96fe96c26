/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "image_fixture.h"
#include "oci/attestation.h"
#include "oci/reach.h"

static const char predicate[] = "{\"result\":\"clean\"}";

static struct sb_descriptor put_image(struct test_store *store)
{
	struct sb_descriptor d = test_store_put_image(store);

	d.platform = (struct sb_platform){.os = "linux", .architecture = "amd64"};
	return d;
}

static char *read_text(struct sb_layout *layout, const struct sb_descriptor *d)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(1 << 16);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_layout_read_blob(layout, d, &buf, &err) < 0)
		fail_msg("%s", err.message);
	return sb_strdup(buf.data);
}

static struct sb_descriptor attest(struct test_store *store, const char *subject)
{
	SB_AUTO_VALUE(sb_descriptor) image = put_image(store);
	const struct sb_attestation a = {.subject = subject,
		.predicate_type = "https://example.org/search/v1",
		.predicate = predicate,
		.predicate_len = strlen(predicate)};
	SB_AUTO_VALUE(sb_descriptors) entries = {0};
	struct sb_descriptor index = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_descriptor_copy(SB_ARRAY_ADD(&entries), &image);
	if (sb_attestation_store(store->layout, &image, &a, SB_ARRAY_ADD(&entries), &err) < 0 ||
		sb_layout_put_index(store->layout, &entries, &index, &err) < 0)
		fail_msg("%s", err.message);
	return index;
}

static void index_has_the_image_and_a_statement_about_it(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) image = put_image(&store);
	SB_AUTO_VALUE(sb_descriptor) index = attest(&store, "app:1");
	SB_AUTO_VALUE(sb_descriptors) entries = {0};
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO(sb_manifest) manifest = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *text = read_text(store.layout, &index);

	(void)state;
	assert_int_equal(sb_index_parse(text, strlen(text), &entries, &err), 0);
	assert_int_equal(entries.len, 2);
	assert_string_equal(entries.items[0].digest.text, image.digest.text);
	assert_string_equal(entries.items[0].platform.architecture, "amd64");
	assert_string_equal(entries.items[1].platform.os, "unknown");
	assert_string_equal(
		sb_env_get(&entries.items[1].annotations, "vnd.docker.reference.digest"),
		image.digest.text);

	sb_autofree char *manifest_text = read_text(store.layout, &entries.items[1]);

	assert_int_equal(
		sb_manifest_parse(manifest_text, strlen(manifest_text), &manifest, &err), 0);
	assert_int_equal(manifest->layers.len, 1);
	assert_string_equal(manifest->layers.items[0].media_type, "application/vnd.in-toto+json");

	sb_autofree char *statement = read_text(store.layout, &manifest->layers.items[0]);

	assert_non_null(strstr(statement, "\"_type\":\"https://in-toto.io/Statement/v1\""));
	assert_non_null(strstr(statement, sb_digest_hex(&image.digest)));
	assert_non_null(strstr(statement, "\"name\":\"app:1\""));
	assert_non_null(strstr(statement, "\"predicate\":{\"result\":\"clean\"}"));
	/* index, two manifests, two configs, two layers, the statement: nothing is unreachable */
	assert_int_equal(sb_layout_reach(store.layout, &index, &blobs, &err), 0);
	assert_int_equal(blobs.len, 8);
	test_store_end(&store);
}

static void image_of_the_platform_is_chosen_from_the_index(void **state)
{
	struct test_store store = test_store_new();
	const struct sb_platform want = {.os = "linux", .architecture = "amd64"};
	SB_AUTO_VALUE(sb_descriptor) index = attest(&store, NULL);
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_image_from_layout(store.layout, &index, &want, &image, &err), 0);
	assert_int_equal(image->manifest->layers.len, 2);
	test_store_end(&store);
}

static void same_statement_has_the_same_bytes(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) first = attest(&store, "app:1");
	SB_AUTO_VALUE(sb_descriptor) second = attest(&store, "app:1");
	SB_AUTO_VALUE(sb_descriptor) other = attest(&store, "app:2");

	(void)state;
	assert_string_equal(first.digest.text, second.digest.text);
	assert_string_not_equal(first.digest.text, other.digest.text);
	test_store_end(&store);
}

static void predicate_that_is_no_object_is_refused(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) image = put_image(&store);
	const struct sb_attestation a = {
		.predicate_type = "https://example.org/x", .predicate = "[]", .predicate_len = 2};
	struct sb_descriptor out = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_attestation_store(store.layout, &image, &a, &out, &err), -1);
	assert_null(out.media_type);
	test_store_end(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_has_the_image_and_a_statement_about_it),
		cmocka_unit_test(image_of_the_platform_is_chosen_from_the_index),
		cmocka_unit_test(same_statement_has_the_same_bytes),
		cmocka_unit_test(predicate_that_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
