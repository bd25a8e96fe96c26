/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/image.h"
#include "oci/layout.h"
#include "sys/at.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/tree.h"

struct fixture {
	char dir[64];
	int fd;
	struct sb_layout *layout;
};

static struct fixture make(void)
{
	struct fixture f = {.dir = "/tmp/safebuild-layout-XXXXXX"};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_non_null(mkdtemp(f.dir));
	f.fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f.fd >= 0);
	if (sb_layout_open(f.fd, true, &f.layout, &err) < 0)
		fail_msg("%s", err.message);
	return f;
}

static void end(struct fixture *f)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_layout_free(f->layout);
	(void)close(f->fd);
	assert_int_equal(sb_tree_remove(AT_FDCWD, f->dir, &err), 0);
}

static struct sb_digest put(struct sb_layout *layout, const char *text)
{
	struct sb_digest digest = {""};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_layout_put_bytes(layout, text, strlen(text), &digest, &err) < 0)
		fail_msg("%s", err.message);
	return digest;
}

/* A manifest of one config and one layer, both with texts of their own. */
static struct sb_descriptor put_image(struct sb_layout *layout, const char *layer)
{
	const struct sb_digest config = put(layout, "{}");
	const struct sb_digest blob = put(layout, layer);
	sb_autofree char *json = sb_asprintf(
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" SB_MEDIA_OCI_CONFIG
		"\",\"digest\":\"%s\",\"size\":2},\"layers\":[{\"mediaType\":\"" SB_MEDIA_OCI_LAYER
		"\",\"digest\":\"%s\",\"size\":%zu}]}",
		config.text, blob.text, strlen(layer));

	return (struct sb_descriptor){
		.media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST),
		.digest = put(layout, json),
		.size_bytes = strlen(json),
	};
}

static void add(struct sb_layout *layout, const struct sb_descriptor *d, const char *name)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_layout_add(layout, d, name, &err) < 0)
		fail_msg("%s", err.message);
}

static size_t count(struct sb_layout *layout)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_layout_list(layout, &list, &err) < 0)
		fail_msg("%s", err.message);
	return list.len;
}

static size_t count_files(const struct fixture *f, const char *folder)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	assert_int_equal(sb_at_open_dir(f->fd, folder, SB_AT_NO_LINKS, &fd, &err), 0);
	assert_int_equal(sb_tree_list(fd, &names, &err), 0);
	return names.len;
}

static void age(const struct fixture *f, const char *folder, long seconds)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	const struct timespec then = {.tv_sec = time(NULL) - seconds};
	const struct timespec times[2] = {then, then};

	assert_int_equal(sb_at_open_dir(f->fd, folder, SB_AT_NO_LINKS, &fd, &err), 0);
	assert_int_equal(sb_tree_list(fd, &names, &err), 0);
	for (size_t i = 0; i < names.len; i++)
		assert_int_equal(utimensat(fd, names.items[i], times, 0), 0);
}

static void overwrite(const struct fixture *f, const char *name, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_atomic_write(f->fd, name, 0644, text, strlen(text), &err), 0);
}

static void blobs_are_stored_and_read_back(void **state)
{
	struct fixture f = make();
	const struct sb_digest digest = put(f.layout, "hello");
	const struct sb_descriptor d = {.digest = digest, .size_bytes = 5};
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_true(sb_layout_has_blob(f.layout, &digest));
	assert_int_equal(sb_layout_read_blob(f.layout, &d, &buf, &err), 0);
	assert_string_equal(buf.data, "hello");
	assert_int_equal(count_files(&f, "tmp"), 0);
	end(&f);
}

static void a_missing_blob_is_named(void **state)
{
	struct fixture f = make();
	struct sb_digest digest;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int fd = -1;

	(void)state;
	sb_digest_of("nothing", 7, &digest);
	assert_false(sb_layout_has_blob(f.layout, &digest));
	assert_int_equal(sb_layout_open_blob(f.layout, &digest, &fd, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_non_null(strstr(err.message, digest.text));
	end(&f);
}

static void a_changed_or_resized_blob_is_found_out(void **state)
{
	struct fixture f = make();
	struct sb_descriptor d = {.digest = put(f.layout, "hello"), .size_bytes = 6};
	sb_autofree char *path = sb_asprintf("%s/blobs/sha256/%s", f.dir, sb_digest_hex(&d.digest));
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int fd = -1;

	(void)state;
	assert_int_equal(sb_layout_read_blob(f.layout, &d, &buf, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	sb_error_release(&err);
	d.size_bytes = 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "j", 1), 1);
	(void)close(fd);
	assert_int_equal(sb_layout_read_blob(f.layout, &d, &buf, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	end(&f);
}

/* In place of the "hello" that is there. */
static void write_over(const struct fixture *f, const struct sb_digest *digest, const char *text)
{
	sb_autofree char *name = sb_asprintf("blobs/sha256/%s", sb_digest_hex(digest));

	overwrite(f, name, text);
}

static void assert_hello(struct fixture *f, const struct sb_descriptor *d)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_true(sb_layout_holds(f->layout, d));
	assert_int_equal(sb_layout_read_blob(f->layout, d, &buf, &err), 0);
	assert_int_equal(count_files(f, "tmp"), 0);
}

static void a_broken_blob_counts_as_missing_and_is_replaced(void **state)
{
	static const char *const texts[] = {"jello", "hell", "", "hello, world"};
	struct fixture f = make();
	const struct sb_descriptor d = {.digest = put(f.layout, "hello"), .size_bytes = 5};
	const struct sb_descriptor of_any_size = {.digest = d.digest};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		SB_AUTO(sb_blob_writer) writer = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		write_over(&f, &d.digest, texts[i]);
		assert_false(sb_layout_holds(f.layout, &d));
		assert_false(sb_layout_holds(f.layout, &of_any_size));
		(void)put(f.layout, "hello");
		assert_hello(&f, &d);

		write_over(&f, &d.digest, texts[i]);
		assert_int_equal(sb_blob_writer_new(f.layout, &writer, &err), 0);
		assert_int_equal(write(sb_blob_writer_fd(writer), "hello", 5), 5);
		assert_int_equal(sb_blob_writer_commit(writer, &d.digest, &err), 0);
		assert_hello(&f, &d);
	}
	end(&f);
}

static void an_image_of_which_a_layer_is_broken_is_found_out(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "hello");
	const struct sb_digest layer = put(f.layout, "hello");
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_descriptor_copy(&SB_ARRAY_ADD(&images)->manifest, &one);
	assert_int_equal(sb_images_verify(f.layout, &images, &err), 0);
	write_over(&f, &layer, "jello");
	assert_int_equal(sb_images_verify(f.layout, &images, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	assert_non_null(strstr(err.message, layer.text));
	assert_false(sb_layout_has_blob(f.layout, &layer));
	end(&f);
}

static void a_marker_that_is_broken_is_mended_in_a_store(void **state)
{
	static const char *const texts[] = {"", "{", "x"};
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		SB_AUTO(sb_layout) layout = NULL;
		SB_AUTO(sb_layout) reader = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		overwrite(&f, "oci-layout", texts[i]);
		assert_int_equal(sb_layout_open(f.fd, true, &layout, &err), 0);
		assert_int_equal(sb_layout_open(f.fd, false, &reader, &err), 0);
	}
	end(&f);
}

static void times_to_come_keep_nothing_from_who_is_alone(void **state)
{
	struct fixture f = make();
	const struct sb_strv keep = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	uint64_t bytes = 0;

	(void)state;
	(void)put(f.layout, "hello");
	age(&f, "blobs/sha256", -86400);
	assert_int_equal(sb_layout_clear_unused(f.layout, &keep, false, 0, &bytes, &err), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 1);
	assert_int_equal(sb_layout_clear_unused(f.layout, &keep, true, 0, &bytes, &err), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 0);
	end(&f);
}

static void a_writer_that_is_dropped_leaves_nothing(void **state)
{
	struct fixture f = make();
	struct sb_blob_writer *writer = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_blob_writer_new(f.layout, &writer, &err), 0);
	assert_in_range(count_files(&f, "tmp"), 0, 1);
	sb_blob_writer_free(writer);
	assert_int_equal(count_files(&f, "tmp"), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 0);
	end(&f);
}

static void links_that_lead_out_are_not_followed(void **state)
{
	struct fixture f = make();
	struct sb_layout *reader = NULL;
	struct sb_digest digest;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *path = NULL;
	int fd = -1;

	(void)state;
	sb_digest_of("x", 1, &digest);
	path = sb_asprintf("%s/blobs/sha256/%s", f.dir, sb_digest_hex(&digest));
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(sb_layout_open(f.fd, false, &reader, &err), 0);
	assert_false(sb_layout_has_blob(reader, &digest));
	assert_int_equal(sb_layout_open_blob(reader, &digest, &fd, &err), -1);
	sb_layout_free(reader);
	end(&f);
}

static void what_is_no_file_does_not_hang_a_reader(void **state)
{
	struct fixture f = make();
	struct sb_digest digest;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *path = NULL;
	int fd = -1;

	(void)state;
	sb_digest_of("x", 1, &digest);
	path = sb_asprintf("%s/blobs/sha256/%s", f.dir, sb_digest_hex(&digest));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(sb_layout_has_blob(f.layout, &digest));
	assert_int_equal(sb_layout_open_blob(f.layout, &digest, &fd, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	end(&f);
}

static void reading_a_layout_writes_nothing_into_it(void **state)
{
	struct fixture f = make();
	struct sb_layout *reader = NULL;
	struct sb_digest digest;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(unlinkat(f.fd, ".lock", 0), 0);
	assert_int_equal(sb_layout_open(f.fd, false, &reader, &err), 0);
	assert_int_equal(count(reader), 0);
	assert_int_equal(sb_layout_put_bytes(reader, "x", 1, &digest, &err), -1);
	assert_int_equal(err.code, SB_E_DENIED);
	assert_int_equal(count_files(&f, "."), 3);
	sb_layout_free(reader);
	end(&f);
}

static void a_folder_that_is_no_layout_is_refused(void **state)
{
	static const char *const markers[] = {"", "{}", "{\"imageLayoutVersion\":\"2.0.0\"}", "x"};
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(markers) / sizeof(markers[0]); i++) {
		struct sb_layout *layout = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		overwrite(&f, "oci-layout", markers[i]);
		assert_int_equal(sb_layout_open(f.fd, false, &layout, &err), -1);
	}
	end(&f);
}

static void a_broken_index_is_an_error_that_names_the_file(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"manifests\":3}", "{\"manifests\":[{\"digest\":\"x\"}]}"};
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		SB_AUTO_VALUE(sb_descriptors) list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		overwrite(&f, "index.json", texts[i]);
		assert_int_equal(sb_layout_list(f.layout, &list, &err), -1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
		assert_non_null(strstr(err.message, "index.json"));
	}
	end(&f);
}

static void a_name_moves_to_the_new_image_and_the_old_stays_nameless(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	SB_AUTO_VALUE(sb_descriptor) two = put_image(f.layout, "two");
	SB_AUTO_VALUE(sb_descriptor) found = {0};
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	add(f.layout, &one, "a");
	add(f.layout, &one, "a");
	assert_int_equal(count(f.layout), 1);
	add(f.layout, &two, "a");
	assert_int_equal(sb_layout_find(f.layout, "a", &found, &err), 0);
	assert_string_equal(found.digest.text, two.digest.text);
	assert_int_equal(sb_layout_list(f.layout, &list, &err), 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[0].digest.text, one.digest.text);
	assert_null(sb_descriptor_name(&list.items[0]));
	end(&f);
}

static void an_image_with_another_name_left_has_no_nameless_entry(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	SB_AUTO_VALUE(sb_descriptor) two = put_image(f.layout, "two");

	(void)state;
	add(f.layout, &one, NULL);
	add(f.layout, &one, NULL);
	assert_int_equal(count(f.layout), 1);
	add(f.layout, &one, "a"); /* the nameless entry gets the name */
	assert_int_equal(count(f.layout), 1);
	add(f.layout, &one, "b");
	assert_int_equal(count(f.layout), 2);
	add(f.layout, &two, "a");
	assert_int_equal(count(f.layout), 2);
	end(&f);
}

static void an_image_that_is_not_there_can_not_be_added(void **state)
{
	struct fixture f = make();
	struct sb_descriptor d = {.media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST), .size_bytes = 1};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_digest_of("x", 1, &d.digest);
	assert_int_equal(sb_layout_add(f.layout, &d, "a", &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	sb_descriptor_release(&d);
	end(&f);
}

static void unknown_fields_of_the_index_stay(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	overwrite(&f, "index.json",
		"{\"schemaVersion\":2,\"x-top\":1,\"manifests\":[{\"mediaType\":\"m\",\"digest\":"
		"\"sha256:1111111111111111111111111111111111111111111111111111111111111111\","
		"\"size\":1,\"x-entry\":[2]}]}");
	add(f.layout, &one, "a");
	assert_int_equal(sb_at_read_file(f.fd, "index.json", SB_AT_NO_LINKS, 9999, &buf, &err), 0);
	assert_non_null(strstr(buf.data, "\"x-top\":1"));
	assert_non_null(strstr(buf.data, "\"x-entry\":[2]"));
	end(&f);
}

static void removal_keeps_what_others_need_and_what_is_young(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	SB_AUTO_VALUE(sb_descriptor) two = put_image(f.layout, "two");
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	add(f.layout, &one, "a");
	add(f.layout, &one, "b");
	add(f.layout, &two, "c");
	assert_int_equal(count_files(&f, "blobs/sha256"), 5); /* they share the config */
	assert_int_equal(sb_layout_remove(f.layout, "a", &err), 0);
	age(&f, "blobs/sha256", 7200);
	put(f.layout, "young");
	assert_int_equal(sb_layout_remove(f.layout, "c", &err), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 4);
	assert_true(sb_layout_has_blob(f.layout, &one.digest));
	assert_false(sb_layout_has_blob(f.layout, &two.digest));
	age(&f, "blobs/sha256", 7200);
	assert_int_equal(sb_layout_remove(f.layout, one.digest.text, &err), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 0);
	assert_int_equal(sb_layout_remove(f.layout, "a", &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	end(&f);
}

static void asking_for_a_blob_keeps_it_from_removal(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	const struct sb_digest used = put(f.layout, "used");
	const struct sb_digest unused = put(f.layout, "unused");
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	add(f.layout, &one, "a");
	age(&f, "blobs/sha256", 7200);
	assert_true(sb_layout_has_blob(f.layout, &used));
	assert_int_equal(sb_layout_remove(f.layout, "a", &err), 0);
	assert_true(sb_layout_has_blob(f.layout, &used));
	assert_false(sb_layout_has_blob(f.layout, &unused));
	end(&f);
}

static void what_a_nested_index_reaches_is_kept(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	SB_AUTO_VALUE(sb_descriptor) two = put_image(f.layout, "two");
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *json = sb_asprintf(
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST
		"\",\"digest\":\"%s\",\"size\":%d}]}",
		one.digest.text, (int)one.size_bytes);
	struct sb_descriptor index = {.media_type = sb_strdup(SB_MEDIA_OCI_INDEX),
		.digest = put(f.layout, json),
		.size_bytes = strlen(json)};

	(void)state;
	add(f.layout, &index, "multi");
	add(f.layout, &two, "two");
	age(&f, "blobs/sha256", 7200);
	assert_int_equal(sb_layout_remove(f.layout, "two", &err), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 4);
	assert_true(sb_layout_has_blob(f.layout, &one.digest));
	sb_descriptor_release(&index);
	end(&f);
}

static void files_of_dead_writers_go_and_those_of_living_stay(void **state)
{
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) one = put_image(f.layout, "one");
	SB_AUTO(sb_blob_writer) living = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *dead = sb_asprintf("%s/tmp/blob-1-dead", f.dir);
	struct sb_digest digest;
	int fd = -1;

	(void)state;
	add(f.layout, &one, "a");
	assert_int_equal(sb_blob_writer_new(f.layout, &living, &err), 0);
	fd = open(dead, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	age(&f, "tmp", 7200);
	assert_int_equal(sb_layout_remove(f.layout, "a", &err), 0);
	assert_int_equal(access(dead, F_OK), -1);
	/* Some file systems have no files without a name. */
	assert_in_range(count_files(&f, "tmp"), 0, 1);
	sb_digest_of("x", 1, &digest);
	assert_int_equal(write(sb_blob_writer_fd(living), "x", 1), 1);
	assert_int_equal(sb_blob_writer_commit(living, &digest, &err), 0);
	assert_int_equal(count_files(&f, "tmp"), 0);
	end(&f);
}

/* What one of several processes does: the same blobs as all others, a name of its own, and one that
 * all fight for. 0 where all went well. */
static int work(const struct fixture *f, int me)
{
	SB_AUTO(sb_layout) layout = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_layout_open(f->fd, true, &layout, &err) < 0)
		return 1;
	for (int i = 0; i < 20; i++) {
		sb_autofree char *shared = sb_asprintf("layer %d", i);
		sb_autofree char *name = sb_asprintf("p%d-%d", me, i);
		SB_AUTO_VALUE(sb_descriptor) d = put_image(layout, shared);

		if (sb_layout_add(layout, &d, name, &err) < 0 ||
			sb_layout_add(layout, &d, "contested", &err) < 0)
			return 1;
		if (i % 5 == 4 && sb_layout_remove(layout, name, &err) < 0)
			return 1;
	}
	return 0;
}

static void processes_share_a_layout_without_losing_anything(void **state)
{
	enum { N = 4 };
	struct fixture f = make();
	SB_AUTO_VALUE(sb_descriptor) found = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	pid_t pids[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(work(&f, i));
	}
	for (int i = 0; i < N; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < 20; j++) {
			sb_autofree char *name = sb_asprintf("p%d-%d", i, j);
			SB_AUTO_VALUE(sb_descriptor) d = {0};
			SB_AUTO_ERROR missing = SB_ERROR_INIT;
			const int rc = sb_layout_find(f.layout, name, &d, &missing);

			assert_int_equal(rc, j % 5 == 4 ? -1 : 0);
		}
	}
	assert_int_equal(sb_layout_find(f.layout, "contested", &found, &err), 0);
	assert_int_equal(count_files(&f, "blobs/sha256"), 1 + 20 + 20);
	assert_int_equal(count_files(&f, "tmp"), 0);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_are_stored_and_read_back),
		cmocka_unit_test(a_missing_blob_is_named),
		cmocka_unit_test(a_changed_or_resized_blob_is_found_out),
		cmocka_unit_test(a_broken_blob_counts_as_missing_and_is_replaced),
		cmocka_unit_test(an_image_of_which_a_layer_is_broken_is_found_out),
		cmocka_unit_test(a_marker_that_is_broken_is_mended_in_a_store),
		cmocka_unit_test(times_to_come_keep_nothing_from_who_is_alone),
		cmocka_unit_test(a_writer_that_is_dropped_leaves_nothing),
		cmocka_unit_test(links_that_lead_out_are_not_followed),
		cmocka_unit_test(what_is_no_file_does_not_hang_a_reader),
		cmocka_unit_test(reading_a_layout_writes_nothing_into_it),
		cmocka_unit_test(a_folder_that_is_no_layout_is_refused),
		cmocka_unit_test(a_broken_index_is_an_error_that_names_the_file),
		cmocka_unit_test(a_name_moves_to_the_new_image_and_the_old_stays_nameless),
		cmocka_unit_test(an_image_with_another_name_left_has_no_nameless_entry),
		cmocka_unit_test(an_image_that_is_not_there_can_not_be_added),
		cmocka_unit_test(unknown_fields_of_the_index_stay),
		cmocka_unit_test(removal_keeps_what_others_need_and_what_is_young),
		cmocka_unit_test(asking_for_a_blob_keeps_it_from_removal),
		cmocka_unit_test(what_a_nested_index_reaches_is_kept),
		cmocka_unit_test(files_of_dead_writers_go_and_those_of_living_stay),
		cmocka_unit_test(processes_share_a_layout_without_losing_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
