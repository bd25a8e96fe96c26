/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <archive.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "image_fixture.h"
#include "oci/tar_index.h"
#include "oci/tar_out.h"
#include "sys/fd.h"

#define ONE "layer one"
#define TWO "layer two"

/* The old form of `docker save`, of one image. */
static int docker_archive(const char *prefix, const char *tags, int filter)
{
	struct test_archive t = test_archive_new(filter);
	sb_autofree char *config = test_config(ONE, TWO);
	const struct sb_digest id = test_digest(config);
	sb_autofree char *config_name = sb_asprintf("%s%s.json", prefix, sb_digest_hex(&id));
	sb_autofree char *layer = sb_asprintf("%saaa/layer.tar", prefix);
	sb_autofree char *link = sb_asprintf("%sbbb/layer.tar", prefix);
	sb_autofree char *data = sb_asprintf("%sdata.tar", prefix);
	sb_autofree char *manifest_name = sb_asprintf("%smanifest.json", prefix);
	sb_autofree char *manifest = sb_asprintf(
		"[{\"Config\":\"%s.json\",\"RepoTags\":%s,\"Layers\":[\"aaa/layer.tar\","
		"\"bbb/layer.tar\"]}]",
		sb_digest_hex(&id), tags);

	test_archive_add_link(&t, link, "../data.tar", false);
	test_archive_add(&t, layer, ONE);
	test_archive_add(&t, manifest_name, manifest);
	test_archive_add(&t, data, TWO);
	test_archive_add(&t, config_name, config);
	return test_archive_end(&t);
}

static void expect_layer(struct sb_image *image, size_t i, const char *text)
{
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char bytes[64] = {0};

	assert_int_equal(sb_image_read_layer(image, i, &reader, &err), 0);
	assert_int_equal(sb_blob_reader_read(reader, bytes, 4, &err), 4);
	assert_int_equal(sb_blob_reader_read(reader, bytes + 4, 50, &err), strlen(text) - 4);
	assert_int_equal(sb_blob_reader_read(reader, bytes, 0, &err), 0);
	assert_int_equal(sb_blob_reader_read(reader, bytes + 60, 1, &err), 0);
	assert_string_equal(bytes, text);
}

static void expect_image(struct sb_image *image, const char *form, const char *name)
{
	assert_string_equal(image->form, form);
	if (name != NULL)
		assert_string_equal(image->name, name);
	else
		assert_null(image->name);
	assert_int_equal(image->manifest->layers.len, 2);
	assert_string_equal(image->config->platform.architecture, "amd64");
	expect_layer(image, 0, ONE);
	expect_layer(image, 1, TWO);
}

static void the_old_docker_form_is_read_links_and_all(void **state)
{
	static const char *const prefixes[] = {"", "./", "/"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		sb_autofd int fd = docker_archive(prefixes[i], "[\"a:1\"]", ARCHIVE_FILTER_NONE);
		SB_AUTO(sb_image) image = test_open(fd, NULL);

		expect_image(image, "docker archive", "a:1");
		assert_false(sb_digest_is_set(&image->descriptor.digest));
	}
}

static void whole_archives_may_be_compressed(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		sb_autofd int fd = docker_archive("", "null", filters[i]);
		SB_AUTO(sb_image) image = test_open(fd, NULL);

		expect_image(image, "docker archive", NULL);
	}
}

static void a_pipe_is_read(void **state)
{
	static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		sb_autofd int fd = docker_archive("", "null", filters[i]);
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		int fds[2] = {-1, -1};

		assert_int_equal(sb_fd_pipe(fds, &err), 0);
		assert_true(lseek(fd, 0, SEEK_SET) == 0);

		const pid_t pid = fork();

		if (pid == 0) {
			(void)close(fds[0]);
			_exit(sb_fd_copy(fd, fds[1], NULL, &err) < 0);
		}
		(void)close(fds[1]);

		SB_AUTO(sb_image) image = test_open(fds[0], NULL);

		(void)close(fds[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		expect_image(image, "docker archive", NULL);
	}
}

static void hard_links_and_digest_names_are_understood(void **state)
{
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);
	sb_autofree char *config = test_config(ONE, ONE);
	const struct sb_digest id = test_digest(config);
	sb_autofree char *manifest =
		sb_asprintf("[{\"Config\":\"%s\",\"Layers\":[\"a.tar\",\"b.tar\"]}]", id.text);

	(void)state;
	test_archive_add(&t, "a.tar", ONE);
	test_archive_add_link(&t, "b.tar", "a.tar", true);
	test_archive_add(&t, id.text, config);
	test_archive_add(&t, "manifest.json", manifest);

	sb_autofd int fd = test_archive_end(&t);
	SB_AUTO(sb_image) image = test_open(fd, NULL);

	expect_layer(image, 0, ONE);
	expect_layer(image, 1, ONE);
}

/* An archive in the form since Docker 25; is_swapped: its OCI manifest has the layers in the wrong
 * order, as 25.0.0 wrote it. */
static int new_docker_archive(bool is_swapped)
{
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);
	sb_autofree char *config = test_config(ONE, TWO);
	sb_autofree char *manifest =
		test_manifest(config, is_swapped ? TWO : ONE, is_swapped ? ONE : TWO);
	const struct sb_digest one = test_archive_add_blob(&t, ONE);
	const struct sb_digest two = test_archive_add_blob(&t, TWO);
	const struct sb_digest id = test_archive_add_blob(&t, config);
	const struct sb_digest m = test_archive_add_blob(&t, manifest);
	sb_autofree char *index =
		sb_asprintf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
			    "\"" SB_MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu}]}",
			m.text, strlen(manifest));
	sb_autofree char *saved = sb_asprintf(
		"[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"b:2\"],\"Layers\":[\"blobs/"
		"sha256/%s\",\"blobs/sha256/%s\"]}]",
		sb_digest_hex(&id), sb_digest_hex(&one), sb_digest_hex(&two));

	test_archive_add(&t, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	test_archive_add(&t, "index.json", index);
	test_archive_add(&t, "manifest.json", saved);
	return test_archive_end(&t);
}

static void the_new_docker_form_has_a_manifest_digest(void **state)
{
	sb_autofd int fd = new_docker_archive(false);
	SB_AUTO(sb_image) image = test_open(fd, "docker.io/library/b:2");

	(void)state;
	expect_image(image, "docker archive", "b:2");
	assert_true(sb_digest_is_set(&image->descriptor.digest));
}

static void manifest_json_decides_on_the_order_of_layers(void **state)
{
	sb_autofd int fd = new_docker_archive(true);
	SB_AUTO(sb_image) image = test_open(fd, NULL);

	(void)state;
	expect_image(image, "docker archive", "b:2");
	assert_false(sb_digest_is_set(&image->descriptor.digest));
}

/* Names an image by an annotation in an index that index.json refers to. */
static int nested_archive(const char *name)
{
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);
	sb_autofree char *config = test_config(ONE, TWO);
	sb_autofree char *manifest = test_manifest(config, ONE, TWO);
	const struct sb_digest m = test_archive_add_blob(&t, manifest);
	sb_autofree char *inner = sb_asprintf(
		"{\"manifests\":[{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST
		"\",\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":\"linux\",\"architecture\":"
		"\"amd64\"}%s},{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST
		"\",\"digest\":\"%s\",\"size\":1,\"platform\":{\"os\":\"unknown\",\"architecture\":"
		"\"unknown\"}}]}",
		m.text, strlen(manifest), name, m.text);
	const struct sb_digest i = test_archive_add_blob(&t, inner);
	sb_autofree char *index =
		sb_asprintf("{\"manifests\":[{\"mediaType\":"
			    "\"" SB_MEDIA_OCI_INDEX "\",\"digest\":\"%s\",\"size\":%zu}]}",
			i.text, strlen(inner));

	test_archive_add_blob(&t, ONE);
	test_archive_add_blob(&t, TWO);
	test_archive_add_blob(&t, config);
	test_archive_add(&t, "index.json", index);
	return test_archive_end(&t);
}

static void nested_indexes_are_followed(void **state)
{
	sb_autofd int fd = nested_archive("");
	sb_autofd int named = nested_archive(
		",\"annotations\":{\"org.opencontainers.image.ref.name\":\"app:1\"}");
	SB_AUTO(sb_image) image = test_open(fd, NULL);
	SB_AUTO(sb_image) by_name = test_open(named, "docker.io/library/app:1");
	SB_AUTO_ERROR err = test_open_error(named, "app:2");

	(void)state;
	expect_image(image, "oci archive", NULL);
	expect_image(by_name, "oci archive", "app:1");
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_non_null(strstr(err.hint, "app:1"));
}

static void one_of_several_images_must_be_named(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) d = test_store_put_image(&store);
	struct sb_descriptor other = {.media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST)};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	other.digest = test_digest(ONE);
	other.size_bytes = strlen(ONE);
	assert_int_equal(sb_layout_add(store.layout, &d, "docker.io/library/a:1", &err), 0);
	assert_int_equal(sb_layout_add(store.layout, &d, "docker.io/library/b:1", &err), 0);

	SB_AUTO(sb_image) only = test_open(store.fd, NULL); /* two names, but one image */

	expect_image(only, "oci layout", "docker.io/library/a:1");
	assert_int_equal(sb_layout_add(store.layout, &other, "c:1", &err), 0);

	SB_AUTO(sb_image) image = test_open(store.fd, "b:1");
	SB_AUTO(sb_image) by_digest = test_open(store.fd, d.digest.text);
	SB_AUTO_ERROR ambiguous = test_open_error(store.fd, NULL);

	expect_image(image, "oci layout", "docker.io/library/b:1");
	expect_image(by_digest, "oci layout", "docker.io/library/a:1");
	assert_int_equal(ambiguous.code, SB_E_USAGE);
	assert_non_null(strstr(ambiguous.message, "docker.io/library/a:1, docker.io/library/b:1"));
	sb_descriptor_release(&other);
	test_store_end(&store);
}

/* Broken archives: each entry is a file; what is said must hold `says`. */
static void what_is_no_image_is_said_to_be_none(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *says;
	} cases[] = {
		{"readme", "x", "not an image"},
		{"manifest.json", "{}", "not a JSON array"},
		{"manifest.json", "[]", "no image"},
		{"manifest.json", "[1]", "not an object"},
		{"manifest.json", "[{}]", "'Config' is missing"},
		{"manifest.json", "[{\"Config\":\"c.json\"}]", "'c.json' is missing"},
		{"manifest.json", "[{\"Config\":\"manifest.json\"}]", "not a JSON object"},
		{"index.json", "[]", "not a JSON object"},
		{"index.json", "{}", "'manifests' is missing"},
		{"index.json", "{\"manifests\":null}", "no image"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);

		test_archive_add(&t, cases[i].name, cases[i].text);

		sb_autofd int fd = test_archive_end(&t);
		SB_AUTO_ERROR err = test_open_error(fd, NULL);

		if (strstr(err.message, cases[i].says) == NULL)
			fail_msg("%s %s: %s", cases[i].name, cases[i].text, err.message);
	}
}

static void a_root_file_system_gets_a_hint_to_import_it(void **state)
{
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);

	(void)state;
	test_archive_add(&t, "./etc/passwd", "root:x:0:0::/:/bin/sh\n");
	test_archive_add(&t, "./bin/sh", "#");

	sb_autofd int fd = test_archive_end(&t);
	SB_AUTO_ERROR err = test_open_error(fd, NULL);

	assert_int_equal(err.code, SB_E_UNSUPPORTED);
	assert_non_null(strstr(err.hint, "safebuild import"));
}

static void circles_of_links_end(void **state)
{
	struct test_archive t = test_archive_new(ARCHIVE_FILTER_NONE);
	sb_autofree char *config = test_config(ONE, ONE);

	(void)state;
	test_archive_add(&t, "c", config);
	test_archive_add_link(&t, "a", "b", false);
	test_archive_add_link(&t, "b", "a", false);
	test_archive_add_link(&t, "out", "../../../../etc/passwd", false);
	test_archive_add(&t, "manifest.json", "[{\"Config\":\"c\",\"Layers\":[\"a\",\"out\"]}]");

	sb_autofd int fd = test_archive_end(&t);
	SB_AUTO_ERROR err = test_open_error(fd, NULL);

	assert_non_null(strstr(err.message, "layer 1 ('a') is missing"));
}

static int copy(int fd, struct test_store *store, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO(sb_image) image = test_open(fd, NULL);

	return sb_image_copy_to_layout(image, store->layout, out, err);
}

static void copies_into_a_layout_are_whole(void **state)
{
	struct test_store store = test_store_new();
	const int fds[] = {docker_archive("", "null", ARCHIVE_FILTER_NONE),
		new_docker_archive(false), new_docker_archive(true), nested_archive("")};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		SB_AUTO_VALUE(sb_descriptor) d = {0};
		SB_AUTO(sb_image) image = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (copy(fds[i], &store, &d, &err) < 0)
			fail_msg("%zu: %s", i, err.message);
		assert_int_equal(sb_image_from_layout(store.layout, &d, NULL, &image, &err), 0);
		expect_image(image, "oci layout", NULL);
		assert_string_equal(image->descriptor.digest.text, d.digest.text);
		(void)close(fds[i]);
	}
	test_store_end(&store);
}

/* Changes the first place where `what` stands in the archive. */
static void damage(int fd, const char *what)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(1 << 20);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_true(lseek(fd, 0, SEEK_SET) == 0);
	assert_int_equal(sb_fd_read_all(fd, &buf, &err), 0);

	const char *at = memmem(buf.data, buf.len, what, strlen(what));

	assert_non_null(at);
	assert_int_equal(pwrite(fd, "#", 1, at - buf.data), 1);
}

static void a_layer_that_is_not_what_it_claims_is_not_stored(void **state)
{
	struct test_store store = test_store_new();
	const int fds[] = {docker_archive("", "null", ARCHIVE_FILTER_NONE),
		new_docker_archive(false), nested_archive("")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		SB_AUTO_VALUE(sb_descriptor) d = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const struct sb_digest digest = test_digest("#ayer two");

		damage(fds[i], TWO);
		assert_int_equal(copy(fds[i], &store, &d, &err), -1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
		assert_non_null(strstr(err.message, "layer 2"));
		assert_false(sb_layout_has_blob(store.layout, &digest));
		(void)close(fds[i]);
	}
	test_store_end(&store);
}

static void a_config_that_is_not_what_it_claims_is_refused(void **state)
{
	const int fds[] = {docker_archive("", "null", ARCHIVE_FILTER_NONE),
		new_docker_archive(false), nested_archive("")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		damage(fds[i], "amd64\",\"os\":\"linux\",\"rootfs");

		SB_AUTO_ERROR err = test_open_error(fds[i], NULL);

		assert_int_equal(err.code, SB_E_INTEGRITY);
		assert_non_null(strstr(err.message, "digest"));
		(void)close(fds[i]);
	}
}

static void truncated_archives_end_in_an_error(void **state)
{
	sb_autofd int whole = new_docker_archive(false);
	SB_AUTO_BUF buf = SB_BUF_INIT(1 << 20);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_true(lseek(whole, 0, SEEK_SET) == 0);
	assert_int_equal(sb_fd_read_all(whole, &buf, &err), 0);

	const char *last = memmem(buf.data, buf.len, "[{\"Config\"", 10);

	assert_non_null(last);
	for (size_t len = 0; len <= (size_t)(last - buf.data); len += 131) {
		sb_autofd int fd = -1;

		assert_int_equal(sb_fd_memory("cut", &fd, &err), 0);
		assert_int_equal(sb_fd_write_all(fd, buf.data, len, &err), 0);

		SB_AUTO_ERROR cut = test_open_error(fd, NULL);

		assert_true(cut.code != SB_OK);
	}
}

/* No byte of the outer archive can make the reader crash, hang or take wrong content. */
static void flipped_bytes_are_harmless(void **state)
{
	sb_autofd int fd = docker_archive("", "null", ARCHIVE_FILTER_NONE);
	const struct sb_platform want = {.os = "linux", .architecture = "amd64"};
	const struct sb_image_open_options options = {.want = &want, .tmp_dir_fd = AT_FDCWD};
	SB_AUTO_ERROR size_err = SB_ERROR_INIT;
	uint64_t size = 0;

	(void)state;
	assert_int_equal(sb_fd_size(fd, &size, &size_err), 0);
	for (uint64_t i = 0; i < size; i++) {
		SB_AUTO(sb_image) image = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		char byte = 0;
		char flipped = 0;

		assert_int_equal(pread(fd, &byte, 1, (off_t)i), 1);
		flipped = (char)(byte ^ (i % 2 == 0 ? 0x01 : 0x80));
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
		if (sb_image_open_fd(fd, &options, &image, &err) == 0)
			assert_int_equal(image->config->diff_ids.len, 2);
		else
			assert_non_null(err.message);
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
	}
}

static void layers_and_diff_ids_must_be_as_many(void **state)
{
	struct test_store store = test_store_new();
	sb_autofree char *manifest = test_manifest("{}", ONE, TWO);
	struct sb_descriptor d = {.size_bytes = strlen(manifest)};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_digest config;

	(void)state;
	assert_int_equal(sb_layout_put_bytes(store.layout, "{}", 2, &config, &err), 0);
	assert_int_equal(
		sb_layout_put_bytes(store.layout, manifest, strlen(manifest), &d.digest, &err), 0);
	assert_int_equal(sb_image_from_layout(store.layout, &d, NULL, &image, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	assert_non_null(strstr(err.message, "2 layers"));
	test_store_end(&store);
}

static void a_foreign_layer_that_is_not_there_is_said_to_be_foreign(void **state)
{
	struct test_store store = test_store_new();
	sb_autofree char *config = test_config(ONE, TWO);
	const struct sb_digest id = test_digest(config);
	const struct sb_digest two = test_digest(TWO);
	sb_autofree char *manifest = sb_asprintf(
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" SB_MEDIA_DOCKER_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\""
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"digest\":\"%s\","
		"\"size\":9,\"urls\":[\"https://x\"]},{\"mediaType\":\"" SB_MEDIA_OCI_LAYER
		"\",\"digest\":\"%s\",\"size\":9}]}",
		id.text, strlen(config), test_digest("elsewhere").text, two.text);
	struct sb_descriptor d = {.size_bytes = strlen(manifest)};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_digest digest;

	(void)state;
	assert_int_equal(
		sb_layout_put_bytes(store.layout, config, strlen(config), &digest, &err), 0);
	assert_int_equal(
		sb_layout_put_bytes(store.layout, manifest, strlen(manifest), &d.digest, &err), 0);
	assert_int_equal(sb_image_from_layout(store.layout, &d, NULL, &image, &err), 0);
	assert_int_equal(sb_image_read_layer(image, 0, &reader, &err), -1);
	assert_int_equal(err.code, SB_E_UNSUPPORTED);
	sb_error_release(&err);
	assert_int_equal(sb_image_read_layer(image, 1, &reader, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_non_null(strstr(err.message, two.text));
	test_store_end(&store);
}

/* The header of a file over 8 GiB, whose size octal digits can't hold. The file is sparse, and the
 * reader goes away after the header. */
static void sizes_over_8_gib_are_written_and_read(void **state)
{
	const uint64_t size = UINT64_C(9) << 30;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int big = -1;
	sb_autofd int archive = -1;
	char header[512] = {0};
	int fds[2] = {-1, -1};

	(void)state;
	assert_int_equal(sb_fd_memory("big", &big, &err), 0);
	assert_int_equal(ftruncate(big, (off_t)size), 0);
	assert_int_equal(sb_fd_pipe(fds, &err), 0);

	const pid_t pid = fork();

	if (pid == 0) {
		struct sb_tar_out tar = {.fd = fds[1]};

		(void)close(fds[0]);
		_exit(sb_tar_out_file(&tar, "big", big, size, &err) < 0);
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], header, sizeof(header)), sizeof(header));
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	SB_AUTO(sb_tar_index) index = NULL;

	assert_int_equal(sb_fd_memory("archive", &archive, &err), 0);
	assert_int_equal(sb_fd_write_all(archive, header, sizeof(header), &err), 0);
	assert_int_equal(ftruncate(archive, (off_t)(size + sizeof(header))), 0);
	assert_int_equal(sb_tar_index_new(archive, &index, &err), 0);
	assert_int_equal(index->entries.len, 1);
	assert_true(index->entries.items[0].size_bytes == size);
	assert_int_equal(index->entries.items[0].offset, 512);
}

static void artifacts_are_described(void **state)
{
	static const char artifact[] =
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+"
		"json\",\"digest\":\"sha256:"
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2},"
		"\"layers\":[]}";
	struct test_store store = test_store_new();
	struct sb_descriptor d = {.size_bytes = sizeof(artifact) - 1};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(
		sb_layout_put_bytes(store.layout, artifact, d.size_bytes, &d.digest, &err), 0);
	assert_int_equal(sb_image_from_layout(store.layout, &d, NULL, &image, &err), -1);
	assert_int_equal(err.code, SB_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "vnd.oci.empty"));
	test_store_end(&store);
}

typedef int (*writer_fn)(
	struct sb_layout *layout, const struct sb_descriptor *d, int fd, struct sb_error *err);

/* An image and its names, which NULL ends. */
static void name_image(
	struct sb_named_images *images, const struct sb_descriptor *d, const char *const *names)
{
	struct sb_named_image *image = SB_ARRAY_ADD(images);

	sb_descriptor_copy(&image->manifest, d);
	for (; *names != NULL; names++)
		sb_strv_add(&image->names, *names);
}

static int write_oci(
	struct sb_layout *layout, const struct sb_descriptor *d, int fd, struct sb_error *err)
{
	static const char *const names[] = {"docker.io/library/a:1", NULL};
	SB_AUTO_VALUE(sb_named_images) images = {0};

	name_image(&images, d, names);
	return sb_image_write_oci_archive(layout, &images, fd, err);
}

static int write_docker(
	struct sb_layout *layout, const struct sb_descriptor *d, int fd, struct sb_error *err)
{
	static const char *const names[] = {"a:1", "docker.io/me/b:2", NULL};
	SB_AUTO_VALUE(sb_named_images) images = {0};

	name_image(&images, d, names);
	return sb_image_write_docker_archive(layout, &images, fd, err);
}

static int write_folder(
	struct test_store *store, const struct sb_descriptor *d, const char *name, int fd)
{
	const char *const names[] = {name, NULL};
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	name_image(&images, d, names);
	return sb_image_write_oci_folder(store->layout, &images, fd, &err);
}

static const writer_fn writers[] = {write_oci, write_docker};

static void written_archives_are_read_back_the_same(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) d = test_store_put_image(&store);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct test_store other = test_store_new();
		SB_AUTO_VALUE(sb_descriptor) copied = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofd int fd = -1;

		assert_int_equal(sb_fd_memory("out", &fd, &err), 0);
		assert_int_equal(writers[i](store.layout, &d, fd, &err), 0);

		SB_AUTO(sb_image) image = test_open(fd, "a:1");

		expect_image(image, i == 0 ? "oci archive" : "docker archive",
			i == 0 ? "docker.io/library/a:1" : "a:1");
		assert_string_equal(image->descriptor.digest.text, d.digest.text);
		assert_int_equal(sb_image_copy_to_layout(image, other.layout, &copied, &err), 0);
		assert_string_equal(copied.digest.text, d.digest.text);
		test_store_end(&other);
	}
	test_store_end(&store);
}

static void archives_are_the_same_bytes_each_time_and_through_a_pipe(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) d = test_store_put_image(&store);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_BUF direct = SB_BUF_INIT(1 << 20);
		SB_AUTO_BUF piped = SB_BUF_INIT(1 << 20);
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofd int fd = -1;
		int fds[2] = {-1, -1};

		assert_int_equal(sb_fd_memory("out", &fd, &err), 0);
		assert_int_equal(writers[i](store.layout, &d, fd, &err), 0);
		assert_true(lseek(fd, 0, SEEK_SET) == 0);
		assert_int_equal(sb_fd_read_all(fd, &direct, &err), 0);
		assert_int_equal(sb_fd_pipe(fds, &err), 0);

		const pid_t pid = fork();

		if (pid == 0)
			_exit(writers[i](store.layout, &d, fds[1], &err) < 0);
		(void)close(fds[1]);
		assert_int_equal(sb_fd_read_all(fds[0], &piped, &err), 0);
		(void)close(fds[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(direct.len % 10240, 0);
		assert_int_equal(direct.len, piped.len);
		assert_memory_equal(direct.data, piped.data, direct.len);
	}
	test_store_end(&store);
}

static void an_exported_folder_holds_the_layout_and_nothing_else(void **state)
{
	struct test_store store = test_store_new();
	struct test_store out = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) d = test_store_put_image(&store);

	(void)state;
	assert_int_equal(write_folder(&store, &d, "a:1", out.fd), 0);
	assert_int_equal(faccessat(out.fd, ".lock", F_OK, 0), -1);
	assert_int_equal(faccessat(out.fd, "tmp", F_OK, 0), -1);

	SB_AUTO(sb_image) image = test_open(out.fd, "a:1");

	expect_image(image, "oci layout", "a:1");
	assert_int_equal(write_folder(&store, &d, "b:1", out.fd), 0);

	SB_AUTO(sb_image) again = test_open(out.fd, "b:1");

	expect_image(again, "oci layout", "b:1");
	test_store_end(&out);
	test_store_end(&store);
}

static void an_image_with_a_blob_missing_is_not_exported(void **state)
{
	struct test_store store = test_store_new();
	SB_AUTO_VALUE(sb_descriptor) d = test_store_put_image(&store);
	const struct sb_digest two = test_digest(TWO);
	sb_autofree char *path = sb_asprintf("blobs/sha256/%s", sb_digest_hex(&two));

	(void)state;
	assert_int_equal(unlinkat(store.fd, path, 0), 0);
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofd int fd = -1;

		assert_int_equal(sb_fd_memory("out", &fd, &err), 0);
		assert_int_equal(writers[i](store.layout, &d, fd, &err), -1);
		assert_non_null(strstr(err.message, two.text));
	}
	test_store_end(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_old_docker_form_is_read_links_and_all),
		cmocka_unit_test(whole_archives_may_be_compressed),
		cmocka_unit_test(a_pipe_is_read),
		cmocka_unit_test(hard_links_and_digest_names_are_understood),
		cmocka_unit_test(the_new_docker_form_has_a_manifest_digest),
		cmocka_unit_test(manifest_json_decides_on_the_order_of_layers),
		cmocka_unit_test(nested_indexes_are_followed),
		cmocka_unit_test(one_of_several_images_must_be_named),
		cmocka_unit_test(what_is_no_image_is_said_to_be_none),
		cmocka_unit_test(a_root_file_system_gets_a_hint_to_import_it),
		cmocka_unit_test(circles_of_links_end),
		cmocka_unit_test(copies_into_a_layout_are_whole),
		cmocka_unit_test(a_layer_that_is_not_what_it_claims_is_not_stored),
		cmocka_unit_test(a_config_that_is_not_what_it_claims_is_refused),
		cmocka_unit_test(truncated_archives_end_in_an_error),
		cmocka_unit_test(flipped_bytes_are_harmless),
		cmocka_unit_test(layers_and_diff_ids_must_be_as_many),
		cmocka_unit_test(artifacts_are_described),
		cmocka_unit_test(a_foreign_layer_that_is_not_there_is_said_to_be_foreign),
		cmocka_unit_test(sizes_over_8_gib_are_written_and_read),
		cmocka_unit_test(written_archives_are_read_back_the_same),
		cmocka_unit_test(archives_are_the_same_bytes_each_time_and_through_a_pipe),
		cmocka_unit_test(an_exported_folder_holds_the_layout_and_nothing_else),
		cmocka_unit_test(an_image_with_a_blob_missing_is_not_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
