/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include <archive.h>
#include <cmocka.h>

#include "base/mem.h"
#include "image_fixture.h"
#include "sys/fd.h"

#define ONE "layer one"
#define TWO "layer two"
#define REF_NAME "org.opencontainers.image.ref.name"

static int load(int fd, struct test_store *to, struct sb_named_images *out, struct sb_strv *notes,
	struct sb_error *err)
{
	const struct sb_platform want = {.os = "linux", .architecture = "amd64"};
	const struct sb_image_open_options options = {.want = &want, .tmp_dir_fd = to->fd};

	return sb_image_load_all(fd, &options, to->layout, out, notes, err);
}

static char *config_for(const char *architecture)
{
	const struct sb_digest one = test_digest(ONE);
	const struct sb_digest two = test_digest(TWO);

	return sb_asprintf("{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":"
			   "\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		architecture, one.text, two.text);
}

/* An entry of an index; more: further members of the object. */
static char *entry(const char *media_type, const char *json, const char *more)
{
	const struct sb_digest digest = test_digest(json);

	return sb_asprintf("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", media_type,
		digest.text, strlen(json), more);
}

/* An OCI archive with an index for two platforms and a statement about them, called multi:1;
 * `missing`: without the second platform's manifest. */
static int multi_archive(bool missing, struct sb_digest *out_index)
{
	static const char statement[] = "{\"statement\":1}";
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);
	sb_autofree char *config1 = config_for("amd64");
	sb_autofree char *config2 = config_for("arm64");
	sb_autofree char *m1 = test_manifest(config1, ONE, TWO);
	sb_autofree char *m2 = test_manifest(config2, ONE, TWO);
	sb_autofree char *m3 = test_manifest(statement, statement, statement);
	sb_autofree char *e1 = entry(SB_MEDIA_OCI_MANIFEST, m1,
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	sb_autofree char *e2 = entry(SB_MEDIA_OCI_MANIFEST, m2,
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}");
	sb_autofree char *e3 = entry(SB_MEDIA_OCI_MANIFEST, m3,
		",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}");
	sb_autofree char *inner =
		sb_asprintf("{\"schemaVersion\":2,\"mediaType\":"
			    "\"" SB_MEDIA_OCI_INDEX "\",\"manifests\":[%s,%s,%s]}",
			e1, e2, e3);
	sb_autofree char *e =
		entry(SB_MEDIA_OCI_INDEX, inner, ",\"annotations\":{\"" REF_NAME "\":\"multi:1\"}");
	sb_autofree char *index = sb_asprintf("{\"manifests\":[%s]}", e);
	const char *const blobs[] = {ONE, TWO, config1, config2, statement, m1, m3, inner};

	for (size_t i = 0; i < sizeof(blobs) / sizeof(blobs[0]); i++)
		test_archive_add_blob(&t, blobs[i]);
	if (!missing)
		test_archive_add_blob(&t, m2);
	test_archive_add(&t, "index.json", index);
	*out_index = test_digest(inner);
	return test_archive_end(&t);
}

static void an_image_for_several_platforms_stays_one(void **state)
{
	struct test_store store = test_store_new();
	struct sb_digest index;
	sb_autofd int fd = multi_archive(false, &index);
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_STRV notes = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_platform arm = {.os = "linux", .architecture = "arm64"};
	SB_AUTO(sb_image) image = NULL;

	(void)state;
	assert_int_equal(load(fd, &store, &images, &notes, &err), 0);
	assert_int_equal(images.len, 1);
	assert_int_equal(notes.len, 0);
	assert_string_equal(images.items[0].names.items[0], "multi:1");
	assert_string_equal(images.items[0].manifest.digest.text, index.text);
	assert_int_equal(
		sb_image_from_layout(store.layout, &images.items[0].manifest, &arm, &image, &err),
		0);
	assert_string_equal(image->config->platform.architecture, "arm64");
	test_store_end(&store);
}

static void of_an_index_that_is_not_whole_one_platform_is_taken(void **state)
{
	struct test_store store = test_store_new();
	struct sb_digest index;
	sb_autofd int fd = multi_archive(true, &index);
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_STRV notes = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(load(fd, &store, &images, &notes, &err), 0);
	assert_int_equal(images.len, 1);
	assert_string_equal(images.items[0].manifest.media_type, SB_MEDIA_OCI_MANIFEST);
	assert_int_equal(notes.len, 1);
	assert_non_null(strstr(notes.items[0], "linux/amd64"));
	test_store_end(&store);
}

/* Two entries of manifest.json, one of them for two platforms, and a second name for the first. */
static int docker_archive(void)
{
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_GZIP);
	sb_autofree char *amd = config_for("amd64");
	sb_autofree char *arm = config_for("arm64");
	sb_autofree char *bare = test_config(TWO, ONE);

	test_archive_add(&t, "one.tar", ONE);
	test_archive_add(&t, "two.tar", TWO);
	test_archive_add(&t, "amd.json", amd);
	test_archive_add(&t, "arm.json", arm);
	test_archive_add(&t, "bare.json", bare);
	test_archive_add(&t, "manifest.json",
		"[{\"Config\":\"arm.json\",\"RepoTags\":[\"a:1\",\"b:1\"],\"Layers\":"
		"[\"one.tar\",\"two.tar\"]},"
		"{\"Config\":\"amd.json\",\"RepoTags\":[\"a:1\",\"b:1\"],\"Layers\":"
		"[\"one.tar\",\"two.tar\"]},"
		"{\"Config\":\"bare.json\",\"RepoTags\":null,\"Layers\":[\"two.tar\","
		"\"one.tar\"]}]");
	return test_archive_end(&t);
}

static void a_docker_archive_is_loaded_with_all_images_and_names(void **state)
{
	struct test_store store = test_store_new();
	sb_autofd int fd = docker_archive();
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_STRV notes = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_image) image = NULL;

	(void)state;
	assert_int_equal(load(fd, &store, &images, &notes, &err), 0);
	assert_int_equal(images.len, 2);
	assert_int_equal(images.items[0].names.len, 2);
	assert_string_equal(images.items[0].names.items[1], "b:1");
	assert_int_equal(images.items[1].names.len, 0);
	assert_int_equal(notes.len, 1);
	assert_int_equal(
		sb_image_from_layout(store.layout, &images.items[0].manifest, NULL, &image, &err),
		0);
	assert_string_equal(image->config->platform.architecture, "amd64");
	test_store_end(&store);
}

/* Every level lists the next one a hundred times. */
static void indexes_that_multiply_end(void **state)
{
	struct test_store store = test_store_new();
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);
	sb_autofree char *config = config_for("amd64");
	sb_autofree char *inner = test_manifest(config, ONE, TWO);
	const char *type = SB_MEDIA_OCI_MANIFEST;
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_STRV notes = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	test_archive_add_blob(&t, inner);
	for (size_t level = 0; level < 6; level++) {
		SB_AUTO_STRV list = SB_STRV_INIT;

		for (size_t i = 0; i < 100; i++)
			sb_strv_add_nodup(&list, entry(type, inner, ""));

		sb_autofree char *joined = sb_strv_join(&list, ",");

		free(inner);
		inner = sb_asprintf("{\"schemaVersion\":2,\"manifests\":[%s]}", joined);
		type = SB_MEDIA_OCI_INDEX;
		test_archive_add_blob(&t, inner);
	}

	sb_autofree char *e = entry(type, inner, ",\"annotations\":{\"" REF_NAME "\":\"many:1\"}");
	sb_autofree char *index = sb_asprintf("{\"manifests\":[%s]}", e);

	test_archive_add(&t, "index.json", index);

	sb_autofd int fd = test_archive_end(&t);

	assert_int_equal(load(fd, &store, &images, &notes, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	test_store_end(&store);
}

static void what_is_written_for_several_images_is_loaded_again(void **state)
{
	struct test_store store = test_store_new();
	struct test_store other = test_store_new();
	struct sb_digest index;
	sb_autofd int fd = multi_archive(false, &index);
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_VALUE(sb_named_images) again = {0};
	SB_AUTO_STRV notes = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int archive = -1;

	(void)state;
	assert_int_equal(load(fd, &store, &images, &notes, &err), 0);
	*SB_ARRAY_ADD(&images) = (struct sb_named_image){.manifest = test_store_put_image(&store)};
	sb_strv_add(&images.items[0].names, "docker.io/library/second:1");
	assert_int_equal(sb_fd_memory("archive", &archive, &err), 0);
	assert_int_equal(sb_image_write_oci_archive(store.layout, &images, archive, &err), 0);
	assert_int_equal(lseek(archive, 0, SEEK_SET), 0);
	assert_int_equal(load(archive, &other, &again, &notes, &err), 0);
	assert_int_equal(again.len, 2);
	assert_int_equal(again.items[0].names.len, 2);
	assert_string_equal(again.items[0].manifest.digest.text, index.text);
	assert_int_equal(again.items[1].names.len, 0);
	test_store_end(&store);
	test_store_end(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_for_several_platforms_stays_one),
		cmocka_unit_test(of_an_index_that_is_not_whole_one_platform_is_taken),
		cmocka_unit_test(a_docker_archive_is_loaded_with_all_images_and_names),
		cmocka_unit_test(indexes_that_multiply_end),
		cmocka_unit_test(what_is_written_for_several_images_is_loaded_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
