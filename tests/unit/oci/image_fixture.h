/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_IMAGE_FIXTURE_H
#define SB_TEST_IMAGE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "oci/image.h"

/* Archives made by the test, in memory, with libarchive; and a folder for layouts. All of these
 * fail the test where they can't do their work. */

struct archive;

struct test_archive {
	struct archive *a;
	int fd; /* of the file in memory */
};

/* filter: 0 or one of libarchive's ARCHIVE_FILTER_*. */
struct test_archive test_archive_new(int filter);
void test_archive_add(struct test_archive *t, const char *name, const char *text);
void test_archive_add_bytes(
	struct test_archive *t, const char *name, const void *bytes, size_t len);
void test_archive_add_link(struct test_archive *t, const char *name, const char *to, bool is_hard);
/* Under blobs/sha256. */
struct sb_digest test_archive_add_blob(struct test_archive *t, const char *text);
/* Caller closes. */
int test_archive_end(struct test_archive *t);

struct sb_digest test_digest(const char *text);
/* A config for layers of these texts, uncompressed; caller frees. */
char *test_config(const char *layer1, const char *layer2);
/* Its manifest; caller frees. */
char *test_manifest(const char *config, const char *layer1, const char *layer2);

/* A folder with an empty store in it. */
struct test_store {
	char dir[64];
	int fd;
	struct sb_layout *layout;
};
struct test_store test_store_new(void);
void test_store_end(struct test_store *store);
/* Puts an image of two layers in; caller releases. */
struct sb_descriptor test_store_put_image(struct test_store *store);

/* Opens, expecting success: an error fails the test. NULL name: the only one. */
struct sb_image *test_open(int fd, const char *name);
/* Opens, expecting an error; caller releases it. */
struct sb_error test_open_error(int fd, const char *name);

#endif
