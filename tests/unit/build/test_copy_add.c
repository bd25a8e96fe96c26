/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include <archive.h>
#include <archive_entry.h>

#include "build/copy.h"

enum { MAX_ARCHIVE = 64 << 10 };

/* An archive with "dir/" and "dir/x", written as `name` in the source. */
static void plant_archive(const struct fixture *f, const char *name,
	int (*set_format)(struct archive *), int (*add_filter)(struct archive *))
{
	static char bytes[MAX_ARCHIVE];
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	assert_int_equal(set_format(a), ARCHIVE_OK);
	if (add_filter != NULL)
		assert_int_equal(add_filter(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, bytes, sizeof(bytes), &used), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "dir/");
	archive_entry_set_filetype(entry, AE_IFDIR);
	archive_entry_set_perm(entry, 0750);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "dir/x");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0604);
	archive_entry_set_size(entry, 5);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, "hello", 5), 5);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(a);
	fixture_write(f->source_fd, name, bytes, used);
}

static void add(const struct fixture *f, const char *source, const char *dest, bool is_add)
{
	const uint32_t n = geteuid() == 0 ? 65536 : 1;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV sources = SB_STRV_INIT;

	sb_strv_add(&sources, source);

	const struct sb_copy copy = {
		.source_fd = f->source_fd,
		.source_is_context = true,
		.root_fd = f->root_fd,
		.ids = {.uid_count = n, .gid_count = n},
		.sources = &sources,
		.dest = dest,
		.workdir = "/",
		.is_add = is_add,
	};

	if (sb_copy_files(&copy, &err) < 0)
		fail_msg("%s: %s", source, err.message);
}

static void archives_are_unpacked_whatever_their_compression(void **state)
{
	int (*const filters[])(struct archive *) = {NULL, archive_write_add_filter_gzip,
		archive_write_add_filter_bzip2, archive_write_add_filter_xz,
		archive_write_add_filter_zstd};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct fixture f;

		fixture_init(&f);
		plant_archive(&f, "a.bin", archive_write_set_format_pax_restricted, filters[i]);
		add(&f, "a.*", "/p/q", true);
		fixture_expect(
			f.root_fd, "d p 755\nd p/q 755\nd p/q/dir 750\nf p/q/dir/x 604 hello\n");
		fixture_release(&f);
	}
}

static void what_is_no_tar_is_copied(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	plant_archive(&f, "a.zip", archive_write_set_format_zip, NULL);
	fixture_write(f.source_fd, "empty.tar", "", 0);
	fixture_write(f.source_fd, "text.tar.gz", "not an archive", 14);
	fixture_write(f.source_fd, "cut.gz", "\x1f\x8b\x08", 3);
	add(&f, "*", "/p/", true);
	assert_int_equal(faccessat(f.root_fd, "p/a.zip", F_OK, 0), 0);
	assert_int_equal(faccessat(f.root_fd, "p/empty.tar", F_OK, 0), 0);
	assert_int_equal(faccessat(f.root_fd, "p/text.tar.gz", F_OK, 0), 0);
	assert_int_equal(faccessat(f.root_fd, "p/cut.gz", F_OK, 0), 0);
	fixture_release(&f);
}

static void copy_never_unpacks(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	plant_archive(&f, "a.tar", archive_write_set_format_pax_restricted, NULL);
	add(&f, "a.tar", "/p/", false);
	assert_int_equal(faccessat(f.root_fd, "p/a.tar", F_OK, 0), 0);
	assert_int_equal(faccessat(f.root_fd, "p/dir", F_OK, 0), -1);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives_are_unpacked_whatever_their_compression),
		cmocka_unit_test(what_is_no_tar_is_copied),
		cmocka_unit_test(copy_never_unpacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
