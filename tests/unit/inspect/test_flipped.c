/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/strv.h"
#include "inspect/report.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "tar_fixture.h"

/*
 * One byte of an image is another: whatever it is, nobody may be told of an image that is not the
 * one that was made. Each byte of each blob is changed, and each that lies around them in an
 * archive. With SB_TEST_FLIP_ALL each byte becomes every other value.
 */
enum {
	N_LAYERS = 3,
	BLOCK = 512,
	PADDING_STEP = 17,
};

static const int packings[N_LAYERS] = {
	ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_NONE};
static const char *const media_types[N_LAYERS] = {
	SB_MEDIA_OCI_LAYER_GZIP, SB_MEDIA_OCI_LAYER_ZSTD, SB_MEDIA_OCI_LAYER};
static const struct fixture_entry entries[N_LAYERS][3] = {
	{{.kind = 'd', .path = "etc"}, {.kind = 'f', .path = "etc/secret", .content = "a secret"}},
	{{.kind = 'f', .path = "etc/.wh.secret"}},
	{{.kind = 'l', .path = "bin", .target = "etc"}},
};

struct world {
	char folder[64];
	int dir_fd;
	struct sb_layout *layout;
	struct sb_named_images images;
	struct fixture tars[N_LAYERS];
	struct fixture blobs[N_LAYERS];
	char *config;
	struct sb_digest config_digest;
};

static char *descriptor_of(const char *media_type, const struct sb_digest *digest, size_t len)
{
	return sb_asprintf("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", media_type,
		digest->text, len);
}

static void put(struct world *w, const void *bytes, size_t len, struct sb_digest *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_layout_put_bytes(w->layout, bytes, len, out, &err), 0);
}

static void make_image(struct world *w)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV layers = SB_STRV_INIT;
	SB_AUTO_STRV diff_ids = SB_STRV_INIT;
	struct sb_digest digest;

	for (size_t i = 0; i < N_LAYERS; i++) {
		w->tars[i] = fixture_tar(entries[i], ARCHIVE_FILTER_NONE);
		w->blobs[i] = fixture_tar(entries[i], packings[i]);
		sb_digest_of(w->tars[i].bytes, w->tars[i].len, &digest);
		sb_strv_addf(&diff_ids, "\"%s\"", digest.text);
		put(w, w->blobs[i].bytes, w->blobs[i].len, &digest);

		sb_autofree char *d = descriptor_of(media_types[i], &digest, w->blobs[i].len);

		sb_strv_add(&layers, d);
	}

	sb_autofree char *ids = sb_strv_join(&diff_ids, ",");
	sb_autofree char *list = sb_strv_join(&layers, ",");

	w->config = sb_asprintf("{\"architecture\":\"amd64\",\"os\":\"linux\","
				"\"config\":{\"User\":\"app\"},\"rootfs\":{\"type\":\"layers\","
				"\"diff_ids\":[%s]}}",
		ids);
	put(w, w->config, strlen(w->config), &w->config_digest);

	sb_autofree char *config =
		descriptor_of(SB_MEDIA_OCI_CONFIG, &w->config_digest, strlen(w->config));
	sb_autofree char *manifest = sb_asprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\","
						 "\"config\":%s,\"layers\":[%s]}",
		SB_MEDIA_OCI_MANIFEST, config, list);
	struct sb_named_image *image = SB_ARRAY_ADD(&w->images);

	image->manifest.media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	image->manifest.size_bytes = strlen(manifest);
	put(w, manifest, strlen(manifest), &image->manifest.digest);
	sb_strv_add(&image->names, "docker.io/library/app:1");
	assert_int_equal(sb_layout_add(w->layout, &image->manifest, "app:1", &err), 0);
}

static int set_up(void **state)
{
	struct world *w = sb_calloc(1, sizeof(*w));
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/safebuild-test-XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return -1;
	w->dir_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	if (sb_layout_open(w->dir_fd, true, &w->layout, &err) < 0)
		return -1;
	make_image(w);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	for (size_t i = 0; i < N_LAYERS; i++) {
		free(w->tars[i].bytes);
		free(w->blobs[i].bytes);
	}
	free(w->config);
	sb_named_images_release(&w->images);
	sb_layout_free(w->layout);
	(void)close(w->dir_fd);
	if (sb_tree_remove(AT_FDCWD, w->folder, &err) < 0)
		print_error("%s\n", err.message);
	free(w);
	return 0;
}

/* What it is, by its digests. */
static char *contents_of(const struct sb_inspection *report)
{
	SB_AUTO_STRV digests = SB_STRV_INIT;

	sb_strv_add(&digests, report->config_digest.text);
	SB_ARRAY_FOREACH (&report->layers, layer)
		sb_strv_add(&digests, layer->diff_id.text);
	return sb_strv_join(&digests, " ");
}

/* The report, or NULL where the image is called broken. */
static char *report_of(int fd, bool has_contents_only)
{
	static const struct sb_platform want = {.os = "linux", .architecture = "amd64"};
	const struct sb_image_open_options options = {.want = &want, .tmp_dir_fd = AT_FDCWD};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO(sb_inspection) report = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_findings none = {0};
	char *json = NULL;

	if (sb_image_open_fd(fd, &options, &image, &err) < 0 ||
		sb_inspect_known_secrets(image, NULL, NULL, &report, &err) < 0) {
		assert_true(err.code == SB_E_INTEGRITY || err.code == SB_E_UNSUPPORTED ||
			    err.code == SB_E_NOT_FOUND || err.code == SB_E_LIMIT);
		return NULL;
	}
	if (sb_inspection_is_broken(report))
		return NULL;
	if (has_contents_only)
		return contents_of(report);
	assert_int_equal(sb_inspection_json(report, &none, &json, &err), 0);
	return json;
}

struct flips {
	const char *what;
	const char *good; /* report */
	bool has_contents_only;
	int image_fd;
	size_t n_reported;
	size_t n_harmless; /* the report is the same */
	size_t n_other;    /* the image is called whole, and another */
};

static void judge(struct flips *flips)
{
	sb_autofree char *report = report_of(flips->image_fd, flips->has_contents_only);

	if (report == NULL)
		flips->n_reported++;
	else if (strcmp(report, flips->good) == 0)
		flips->n_harmless++;
	else
		flips->n_other++;
}

/* The byte at `at` of the file becomes another: one bit each, or all values. */
static void flip_byte(struct flips *flips, int fd, off_t at)
{
	const bool is_all = getenv("SB_TEST_FLIP_ALL") != NULL;
	unsigned char good = 0;

	assert_int_equal(pread(fd, &good, 1, at), 1);
	for (unsigned mask = is_all ? 1 : 1U << (at % 8); mask < 256; mask += is_all ? 1 : 256) {
		const unsigned char bad = good ^ (unsigned char)mask;

		assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		judge(flips);
	}
	assert_int_equal(pwrite(fd, &good, 1, at), 1);
}

static void each_byte_of_each_blob_of_a_folder_is_verified(void **state)
{
	struct world *w = *state;
	sb_autofree char *good = report_of(w->dir_fd, false);
	struct flips flips = {.good = good, .image_fd = w->dir_fd};
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	size_t n = 0;

	assert_non_null(good);
	assert_int_equal(sb_layout_used_blobs(w->layout, &names, &err), 0);
	assert_int_equal(names.len, N_LAYERS + 2);
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *path = sb_asprintf("%s/blobs/sha256/%s", w->folder,
			strchr(names.items[i], ':') != NULL ? strchr(names.items[i], ':') + 1
							    : names.items[i]);
		sb_autofd int fd = open(path, O_RDWR | O_CLOEXEC);

		assert_true(fd >= 0);

		const off_t size = lseek(fd, 0, SEEK_END);

		for (off_t at = 0; at < size; at++, n++)
			flip_byte(&flips, fd, at);
	}
	print_message("folder: %zu bytes of blobs, %zu flips reported\n", n, flips.n_reported);
	assert_true(n > 0 && flips.n_reported >= n);
	assert_int_equal(flips.n_harmless + flips.n_other, 0);
}

static uint64_t octal(const char *digits, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len && digits[i] >= '0' && digits[i] <= '7'; i++)
		n = n * 8 + (uint64_t)(digits[i] - '0');
	return n;
}

static void flip_range(struct flips *flips, off_t from, off_t to, off_t step)
{
	for (off_t at = from; at < to; at += step)
		flip_byte(flips, flips->image_fd, at);
}

static void say(const struct flips *flips)
{
	print_message("  %-28s %7zu reported %7zu without effect %7zu another image\n", flips->what,
		flips->n_reported, flips->n_harmless, flips->n_other);
}

/* Its entries that hold layers, configs and manifests, and those that say which they are. */
static bool is_content(const char *name)
{
	return (strncmp(name, "blobs/sha256/", 13) == 0 && name[13] != '\0') ||
	       strstr(name, "/layer.tar") != NULL ||
	       (strlen(name) > 64 && strcmp(name + strlen(name) - 5, ".json") == 0);
}

static void flip_archive(const char *what, int fd)
{
	sb_autofree char *good = report_of(fd, false);
	sb_autofree char *contents = report_of(fd, true);
	struct flips blobs = {.what = "blobs", .good = good, .image_fd = fd};
	struct flips headers = {.what = "headers", .good = good, .image_fd = fd};
	struct flips padding = {.what = "padding", .good = good, .image_fd = fd};
	struct flips names = {.what = "index.json, manifest.json",
		.good = contents,
		.has_contents_only = true, /* no digest covers names */
		.image_fd = fd};
	const off_t end = lseek(fd, 0, SEEK_END);
	char header[BLOCK];
	off_t at = 0;

	assert_non_null(good);
	while (at < end && pread(fd, header, BLOCK, at) == BLOCK && header[0] != '\0') {
		const off_t size = (off_t)octal(header + 124, 12);
		const off_t next = at + BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;

		flip_range(&headers, at, at + BLOCK, 1);
		flip_range(is_content(header) ? &blobs : &names, at + BLOCK, at + BLOCK + size, 1);
		flip_range(&padding, at + BLOCK + size, next, PADDING_STEP);
		at = next;
	}
	flip_range(&padding, at, end, PADDING_STEP);
	print_message("%s:\n", what);
	say(&blobs);
	say(&headers);
	say(&padding);
	say(&names);
	assert_true(blobs.n_reported > 0);
	assert_int_equal(blobs.n_harmless + blobs.n_other, 0);
	assert_int_equal(headers.n_other + padding.n_other + names.n_other, 0);
	/* Of a header's checksum the last byte has no meaning. */
	assert_true(headers.n_harmless <= headers.n_reported / (BLOCK - 1));
}

static int archive_of(const struct world *w, bool is_docker)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(is_docker ? sb_image_write_docker_archive(w->layout, &w->images, fd, &err)
				   : sb_image_write_oci_archive(w->layout, &w->images, fd, &err),
		0);
	return fd;
}

static void each_byte_of_an_oci_archive_is_verified(void **state)
{
	sb_autofd int fd = archive_of(*state, false);

	flip_archive("oci archive", fd);
}

static void each_byte_of_a_docker_archive_is_verified(void **state)
{
	sb_autofd int fd = archive_of(*state, true);

	flip_archive("docker archive", fd);
}

/* The form of docker save before 25: nothing but the config says what the layers are. */
static void each_byte_of_an_old_docker_archive_is_verified(void **state)
{
	const struct world *w = *state;
	sb_autofd int fd = memfd_create("archive", MFD_CLOEXEC);
	sb_autofree char *config_name = sb_asprintf("%s.json", sb_digest_hex(&w->config_digest));
	sb_autofree char *manifest = sb_asprintf(
		"[{\"Config\":\"%s\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"a/layer.tar\","
		"\"b/layer.tar\",\"c/layer.tar\"]}]",
		config_name);
	const struct fixture_entry list[] = {
		{.kind = 'f',
			.path = "a/layer.tar",
			.content = w->tars[0].bytes,
			.size = w->tars[0].len},
		{.kind = 'f',
			.path = "b/layer.tar",
			.content = w->tars[1].bytes,
			.size = w->tars[1].len},
		{.kind = 'f',
			.path = "c/layer.tar",
			.content = w->tars[2].bytes,
			.size = w->tars[2].len},
		{.kind = 'f', .path = config_name, .content = w->config},
		{.kind = 'f', .path = "manifest.json", .content = manifest},
		{0},
	};
	struct fixture archive = fixture_tar(list, ARCHIVE_FILTER_NONE);

	assert_int_equal(write(fd, archive.bytes, archive.len), archive.len);
	free(archive.bytes);
	flip_archive("docker archive, old form", fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_byte_of_each_blob_of_a_folder_is_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			each_byte_of_an_oci_archive_is_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			each_byte_of_a_docker_archive_is_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			each_byte_of_an_old_docker_archive_is_verified, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
