/* SPDX-License-Identifier: MIT */
#include "image_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/fd.h"
#include "sys/tree.h"

struct test_archive test_archive_new(int filter)
{
	struct test_archive t = {.a = archive_write_new(), .fd = -1};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_fd_memory("archive", &t.fd, &err), 0);
	assert_int_equal(archive_write_set_format_gnutar(t.a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(t.a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(t.a, t.fd), ARCHIVE_OK);
	return t;
}

void test_archive_add_bytes(struct test_archive *t, const char *name, const void *bytes, size_t len)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)len);
	assert_int_equal(archive_write_header(t->a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(t->a, bytes, len), (la_ssize_t)len);
	archive_entry_free(entry);
}

void test_archive_add(struct test_archive *t, const char *name, const char *text)
{
	test_archive_add_bytes(t, name, text, strlen(text));
}

void test_archive_add_link(struct test_archive *t, const char *name, const char *to, bool is_hard)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_perm(entry, 0644);
	if (is_hard) {
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_hardlink(entry, to);
	} else {
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_symlink(entry, to);
	}
	assert_int_equal(archive_write_header(t->a, entry), ARCHIVE_OK);
	archive_entry_free(entry);
}

struct sb_digest test_archive_add_blob(struct test_archive *t, const char *text)
{
	const struct sb_digest digest = test_digest(text);
	sb_autofree char *name = sb_asprintf("blobs/sha256/%s", sb_digest_hex(&digest));

	test_archive_add(t, name, text);
	return digest;
}

int test_archive_end(struct test_archive *t)
{
	assert_int_equal(archive_write_close(t->a), ARCHIVE_OK);
	archive_write_free(t->a);
	t->a = NULL;
	return t->fd;
}

struct sb_digest test_digest(const char *text)
{
	struct sb_digest digest;

	sb_digest_of(text, strlen(text), &digest);
	return digest;
}

char *test_config(const char *layer1, const char *layer2)
{
	const struct sb_digest one = test_digest(layer1);
	const struct sb_digest two = test_digest(layer2);

	return sb_asprintf("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":"
			   "\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		one.text, two.text);
}

char *test_manifest(const char *config, const char *layer1, const char *layer2)
{
	const struct sb_digest c = test_digest(config);
	const struct sb_digest one = test_digest(layer1);
	const struct sb_digest two = test_digest(layer2);

	return sb_asprintf("{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST
			   "\",\"config\":{\"mediaType\":\"" SB_MEDIA_OCI_CONFIG
			   "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
			   "\"" SB_MEDIA_OCI_LAYER
			   "\",\"digest\":\"%s\",\"size\":%zu},{\"mediaType\":"
			   "\"" SB_MEDIA_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
		c.text, strlen(config), one.text, strlen(layer1), two.text, strlen(layer2));
}

struct test_store test_store_new(void)
{
	struct test_store store = {.dir = "/tmp/safebuild-image-XXXXXX"};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_non_null(mkdtemp(store.dir));
	store.fd = open(store.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(store.fd >= 0);
	assert_int_equal(sb_layout_open(store.fd, true, &store.layout, &err), 0);
	return store;
}

void test_store_end(struct test_store *store)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_layout_free(store->layout);
	(void)close(store->fd);
	assert_int_equal(sb_tree_remove(AT_FDCWD, store->dir, &err), 0);
}

struct sb_descriptor test_store_put_image(struct test_store *store)
{
	sb_autofree char *config = test_config("layer one", "layer two");
	sb_autofree char *manifest = test_manifest(config, "layer one", "layer two");
	const char *const blobs[] = {"layer one", "layer two", config, manifest};
	struct sb_digest digest = {""};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(sb_layout_put_bytes(
					 store->layout, blobs[i], strlen(blobs[i]), &digest, &err),
			0);
	return (struct sb_descriptor){.media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST),
		.digest = digest,
		.size_bytes = strlen(manifest)};
}

static int open_image(int fd, const char *name, struct sb_image **out, struct sb_error *err)
{
	const struct sb_platform want = {.os = "linux", .architecture = "amd64"};
	sb_autofd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct sb_image_open_options options = {
		.name = name, .want = &want, .tmp_dir_fd = tmp};

	return sb_image_open_fd(fd, &options, out, err);
}

struct sb_image *test_open(int fd, const char *name)
{
	struct sb_image *image = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (open_image(fd, name, &image, &err) < 0)
		fail_msg("%s", err.message);
	return image;
}

struct sb_error test_open_error(int fd, const char *name)
{
	struct sb_image *image = NULL;
	struct sb_error err = SB_ERROR_INIT;

	assert_int_equal(open_image(fd, name, &image, &err), -1);
	assert_null(image);
	return err;
}
