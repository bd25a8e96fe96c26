/* SPDX-License-Identifier: MIT */
#include "layer/write.h"

#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "fixture.h"
#include "tarball.h"

#include "base/mem.h"
#include "layer/apply.h"
#include "sys/fd.h"

enum { MAX_BLOB = 64 << 20 };

static const char EMPTY[] =
	"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

static struct sb_changes diff(const struct fixture *fixture)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct sb_changes changes = {0};

	assert_int_equal(sb_diff(
				 &(struct sb_diff_options){
					 .lower_fd = fixture->lower_fd,
					 .upper_fd = fixture->upper_fd,
					 .ids = fixture->ids,
				 },
				 &changes, &warnings, &err),
		0);
	return changes;
}

static struct sb_layer_write_options options_for(const struct fixture *fixture)
{
	return (struct sb_layer_write_options){
		.upper_fd = fixture->upper_fd,
		.out_fd = -1,
		.compression = SB_COMPRESS_NONE,
		.source_date_epoch = -1,
	};
}

/* Diffs and writes into memory. */
static struct sb_layer_blob write_layer(
	const struct fixture *fixture, struct sb_layer_write_options options, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	struct sb_changes changes = diff(fixture);
	struct sb_layer_blob blob = {0};
	struct sb_digest digest;

	assert_int_equal(sb_fd_memory("layer", &fd, &err), 0);
	options.out_fd = fd;
	if (sb_layer_write(&changes, &options, &blob, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(sb_fd_read_all(fd, out, &err), 0);
	sb_digest_of(out->data, out->len, &digest);
	assert_string_equal(blob.digest.text, digest.text);
	assert_int_equal(blob.size_bytes, out->len);
	sb_changes_release(&changes);
	return blob;
}

static void no_change_is_two_empty_blocks(void **state)
{
	SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
	struct fixture *fixture = fixture_new(0);
	const struct sb_layer_blob blob = write_layer(fixture, options_for(fixture), &out);

	(void)state;
	assert_int_equal(out.len, 1024);
	assert_string_equal(blob.diff_id.text, EMPTY);
	assert_string_equal(blob.digest.text, EMPTY);
	assert_int_equal(blob.n_changes, 0);
	fixture_free(fixture);
}

/* What a reader of another make sees: "TYPE NAME MODE UID:GID SIZE MTIME[ ->LINK]" a line. */
static char *read_back(const struct sb_buf *tar)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry = NULL;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(archive_read_support_format_tar(archive), 0);
	assert_int_equal(archive_read_open_memory(archive, tar->data, tar->len), 0);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		const char *link = archive_entry_hardlink(entry) != NULL
					   ? archive_entry_hardlink(entry)
					   : archive_entry_symlink(entry);

		/* Nothing of the machine or the moment. */
		assert_string_equal(archive_entry_uname(entry), "");
		assert_string_equal(archive_entry_gname(entry), "");
		assert_false(archive_entry_atime_is_set(entry));
		assert_false(archive_entry_ctime_is_set(entry));
		assert_int_equal(archive_entry_mtime_nsec(entry), 0);
		assert_int_equal(
			sb_buf_addf(&text, &err, "%s %o %lld:%lld %lld %lld%s%s%s\n",
				archive_entry_pathname(entry), (unsigned)archive_entry_mode(entry),
				(long long)archive_entry_uid(entry),
				(long long)archive_entry_gid(entry),
				(long long)archive_entry_size(entry),
				(long long)archive_entry_mtime(entry), link == NULL ? "" : " ->",
				link != NULL ? link : "",
				archive_entry_hardlink(entry) != NULL ? " hard" : ""),
			0);
	}
	assert_null(archive_error_string(archive));
	(void)archive_read_free(archive);
	return sb_buf_steal(&text);
}

static void entries_are_read_back_as_they_were(void **state)
{
	SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
	struct fixture *fixture = fixture_new(0);
	sb_autofree char *got = NULL;
	struct sb_layer_blob blob;

	(void)state;
	fixture_run(fixture, fixture->lower_fd, "d gone\nd etc\nf etc/old 1\nf etc/x 1");
	fixture_run(fixture, fixture->upper_fd,
		"w gone\nd etc\nt etc 5 999\nw etc/old\nf etc/x 22\nm etc/x 4755\nt etc/x 7 123\n"
		"h etc/y etc/x\nl l etc/x\np p\nd t\nm t 1777\nt t -3 0\nf empty ");
	blob = write_layer(fixture, options_for(fixture), &out);
	got = read_back(&out);
	/* Times of folders are the last thing that was done to them. */
	assert_non_null(strstr(got, ".wh.gone 100000 0:0 0 0\n"));
	assert_non_null(strstr(got, "empty 100644 0:0 0 1000\n"));
	assert_non_null(strstr(got, "etc/.wh.old 100000 0:0 0 0\n"));
	assert_non_null(strstr(got, "etc/x 104755 0:0 2 7\n"));
	assert_non_null(strstr(got, "etc/y 4755 0:0 0 7 ->etc/x hard\n"));
	assert_non_null(strstr(got, "l 120777 0:0 0 1000 ->etc/x\n"));
	assert_non_null(strstr(got, "p 10644 0:0 0 1000\n"));
	assert_non_null(strstr(got, "t/ 41777 0:0 0 -3\n"));
	assert_int_equal(blob.n_changes, 8);
	assert_int_equal(out.len % 512, 0);
	fixture_free(fixture);
}

static void put_change(struct sb_changes *changes, const char *path, mode_t mode)
{
	*SB_ARRAY_ADD(changes) = (struct sb_change){
		.kind = SB_CHANGE_ADD, .path = sb_strdup(path), .mode = mode, .mtime = 1};
}

static void long_names_and_large_numbers_are_kept(void **state)
{
	/* Around the borders of ustar: 100 bytes of name, 155 of prefix. */
	static const struct {
		size_t folder;
		size_t name;
	} lens[] = {{0, 99}, {0, 100}, {0, 101}, {0, 255}, {50, 49}, {50, 50}, {155, 100},
		{155, 101}, {156, 100}, {154, 99}, {255, 255}, {1, 255}};
	struct fixture *fixture = fixture_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
		sb_autofd int fd = -1;
		sb_autofree char *folder = sb_calloc(1, lens[i].folder + 1);
		sb_autofree char *name = sb_calloc(1, lens[i].name + 1);
		sb_autofree char *path = NULL;
		sb_autofree char *got = NULL;
		sb_autofree char *expected = NULL;
		struct sb_changes changes = {0};
		struct sb_layer_blob blob;
		struct sb_layer_write_options options = options_for(fixture);

		memset(folder, 'd', lens[i].folder);
		memset(name, 'n', lens[i].name);
		path = sb_asprintf("%s%s%s", folder, lens[i].folder > 0 ? "/" : "", name);
		put_change(&changes, path, S_IFLNK | 0777);
		changes.items[0].link = sb_strdup(path);
		changes.items[0].uid = 2097152; /* one more than seven octal digits hold */
		changes.items[0].gid = 4294967294;
		changes.items[0].mtime = INT64_C(8589934592);
		put_change(&changes, path, S_IFDIR | 0755);
		assert_int_equal(sb_fd_memory("layer", &fd, &err), 0);
		options.out_fd = fd;
		assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(sb_fd_read_all(fd, &out, &err), 0);
		got = read_back(&out);
		expected = sb_asprintf("%s 120777 2097152:4294967294 0 8589934592 ->%s\n"
				       "%s/ 40755 0:0 0 1\n",
			path, path, path);
		assert_string_equal(got, expected);
		sb_changes_release(&changes);
	}
	fixture_free(fixture);
}

static void pax_is_written_only_where_needed(void **state)
{
	SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
	struct fixture *fixture = fixture_new(0);

	(void)state;
	fixture_run(fixture, fixture->upper_fd, "f a x\nf \xc3\xa9 y");
	(void)write_layer(fixture, options_for(fixture), &out);
	assert_int_equal(out.len, 4 * 512 + 1024);
	assert_int_equal(out.data[156], '0');
	assert_int_equal(out.data[1024 + 156], '0');
	fixture_free(fixture);
}

static void attributes_are_one_form_of_record(void **state)
{
	SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
	struct fixture *fixture = fixture_new(0);
	static const char record[] = "29 SCHILY.xattr.user.k=value\n";

	(void)state;
	fixture_run(fixture, fixture->upper_fd, "f a x\nx a user.k value");
	(void)write_layer(fixture, options_for(fixture), &out);
	assert_int_equal(out.data[156], 'x');
	assert_memory_equal(out.data + 512, record, sizeof(record));
	fixture_free(fixture);
}

static void same_tree_gives_same_bytes_for_any_base(void **state)
{
	static const uid_t bases[] = {0, 100000};
	struct sb_digest digests[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
		struct fixture *fixture = fixture_new(bases[i]);
		struct sb_layer_write_options options = options_for(fixture);

		options.compression = SB_COMPRESS_GZIP;
		fixture_run(fixture, fixture->upper_fd,
			"d d\nf d/a x\nu d/a 33 33\nx d/a user.k v\nh b d/a\nl c d\nt d 9");
		digests[i] = write_layer(fixture, options, &out).digest;
		fixture_free(fixture);
	}
	assert_string_equal(digests[0].text, digests[1].text);
}

static void times_after_the_epoch_are_set_to_it(void **state)
{
	SB_AUTO_BUF out = SB_BUF_INIT(MAX_BLOB);
	struct fixture *fixture = fixture_new(0);
	struct sb_layer_write_options options = options_for(fixture);
	sb_autofree char *got = NULL;

	(void)state;
	fixture_run(fixture, fixture->upper_fd, "f a x\nt a 501\nf b x\nt b 499");
	options.source_date_epoch = 500;
	(void)write_layer(fixture, options, &out);
	got = read_back(&out);
	assert_string_equal(got, "a 100644 0:0 1 500\nb 100644 0:0 1 499\n");
	fixture_free(fixture);
}

static void make_large_file(const struct fixture *fixture, size_t len)
{
	sb_autofd int fd = openat(fixture->upper_fd, "big", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	/* Sparse: some bytes far apart. */
	for (size_t at = 1000; at < len; at += len / 3)
		assert_int_equal(pwrite(fd, "bytes", 5, (off_t)at), 5);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	fixture_run(fixture, fixture->upper_fd, "t big 1000");
}

static ssize_t read_fd(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_fd_read(*(const int *)self, bytes, len, err);
}

static void large_layers_come_back_through_every_compression(void **state)
{
	static const enum sb_compression forms[] = {
		SB_COMPRESS_NONE, SB_COMPRESS_GZIP, SB_COMPRESS_ZSTD};
	const size_t len = (20 << 20) + 12345;
	struct sb_digest first = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		struct fixture *fixture = fixture_new(0);
		struct sb_layer_write_options options = options_for(fixture);
		struct sb_changes changes;
		struct sb_layer_blob blob;
		struct sb_applied applied;
		sb_autofd int fd = -1;

		make_large_file(fixture, len);
		fixture_run(fixture, fixture->upper_fd, "f z end");
		changes = diff(fixture);
		assert_int_equal(sb_fd_memory("layer", &fd, &err), 0);
		options.out_fd = fd;
		options.compression = forms[i];
		assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), 0);
		/* Dense: a sparse file is written in full. */
		assert_int_equal(blob.tar_bytes, 512 + (len + 511) / 512 * 512 + 1024 + 1024);
		if (i == 0)
			first = blob.diff_id;
		assert_string_equal(blob.diff_id.text, first.text);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(
			sb_layer_apply((struct sb_reader){.read = read_fd, .self = &fd},
				fixture->outside_fd,
				&(struct sb_apply_options){.ids = fixture->ids, .is_layer = true},
				&applied, &warnings, &err),
			0);
		assert_string_equal(applied.diff_id.text, blob.diff_id.text);
		assert_string_equal(applied.digest.text, blob.digest.text);
		sb_changes_release(&changes);

		/* What came out is what went in. */
		struct fixture again = *fixture;

		again.lower_fd = fixture->outside_fd;
		changes = diff(&again);
		assert_int_equal(changes.len, 0);
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

static void a_file_that_changes_after_the_diff_is_an_error(void **state)
{
	static const char *const scripts[] = {
		"f a 123456", "f a x", "f a y", "m a 600", "t a 2000"};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct fixture *fixture = fixture_new(0);
		const struct sb_layer_write_options options = options_for(fixture);
		struct sb_changes changes;
		struct sb_layer_blob blob;

		fixture_run(fixture, fixture->upper_fd, "f a x");
		changes = diff(fixture);
		(void)usleep(20000); /* the clock of ctime has ticks of up to 10 ms */
		fixture_run(fixture, fixture->upper_fd, scripts[i]);
		assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), -1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
		assert_non_null(strstr(err.message, "'/a'"));
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

static void a_file_swapped_for_a_link_or_fifo_is_an_error(void **state)
{
	static const char *const scripts[] = {"l a ../outside/secret", "p a"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct fixture *fixture = fixture_new(0);
		const struct sb_layer_write_options options = options_for(fixture);
		struct sb_changes changes;
		struct sb_layer_blob blob;

		fixture_run(fixture, fixture->outside_fd, "f secret s");
		fixture_run(fixture, fixture->upper_fd, "f a x");
		changes = diff(fixture);
		assert_int_equal(unlinkat(fixture->upper_fd, "a", 0), 0);
		fixture_run(fixture, fixture->upper_fd, scripts[i]);
		assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), -1);
		assert_true(err.code == SB_E_INTEGRITY || err.code == SB_E_SYSTEM ||
			    err.code == SB_E_DENIED);
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

#define SECRET "tok-3f9c1e77a2b84d"

static void secrets_are_found_wherever_they_are(void **state)
{
	static const struct {
		const char *upper;
		const char *lower;
		const char *message; /* part of it; NULL: no leak */
	} table[] = {
		{"d root\nf root/.npmrc //registry/:_authToken=" SECRET, "",
			"secret 'mysecret' found in /root/.npmrc (raw, at byte 23)"},
		{"d a\nd a/b\nf a/b/x" SECRET "y 1", "", "in the name of a file in /a/b"},
		{"d " SECRET "\nf " SECRET "/x 1", "", "in the name of a folder in /"},
		{"d a\nl a/l /x/" SECRET, "", "in the target of the link /a/l"},
		{"f a 1\nx a user.k " SECRET, "", "in the attribute user.k of /a"},
		{"f a 1\nx a user." SECRET " v", "", "in the name of an attribute of /a"},
		{"w " SECRET, "f " SECRET " 1", "in the name of a file in /"},
		{"f a tok-3f9c1e77a2b84", "", NULL},
		{"f a tok-3f9c1e77\nf b a2b84d", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO(sb_secrets) secrets = sb_secrets_new();
		SB_AUTO(sb_scanner) scanner = NULL;
		SB_AUTO(sb_content_search) search = NULL;
		struct fixture *fixture = fixture_new(0);
		struct sb_layer_write_options options = options_for(fixture);
		struct sb_changes changes;
		struct sb_layer_blob blob;
		int result = 0;

		assert_int_equal(
			sb_secrets_add_bytes(secrets, "mysecret", SECRET, strlen(SECRET), &err), 0);
		scanner = sb_scanner_new(secrets);
		search = sb_content_search_new(scanner);
		options.search = search;
		fixture_run(fixture, fixture->lower_fd, table[i].lower);
		fixture_run(fixture, fixture->upper_fd, table[i].upper);
		changes = diff(fixture);
		result = sb_layer_write(&changes, &options, &blob, &err);
		assert_int_equal(result, table[i].message != NULL ? -1 : 0);
		if (table[i].message != NULL) {
			assert_int_equal(err.code, SB_E_LEAK);
			if (strstr(err.message, table[i].message) == NULL)
				fail_msg("%zu: %s", i, err.message);
			assert_null(strstr(err.message, SECRET));
		}
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

static void a_secret_across_read_borders_is_found(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO(sb_scanner) scanner = NULL;
	SB_AUTO(sb_content_search) search = NULL;
	struct fixture *fixture = fixture_new(0);
	struct sb_layer_write_options options = options_for(fixture);
	struct sb_changes changes;
	struct sb_layer_blob blob;
	const off_t border = (1 << 20) - 512;
	sb_autofd int fd = openat(fixture->upper_fd, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	(void)state;
	assert_int_equal(
		sb_secrets_add_bytes(secrets, "mysecret", SECRET, strlen(SECRET), &err), 0);
	scanner = sb_scanner_new(secrets);
	search = sb_content_search_new(scanner);
	options.search = search;
	assert_int_equal(pwrite(fd, SECRET, strlen(SECRET), border - 5), strlen(SECRET));
	assert_int_equal(ftruncate(fd, 5 << 20), 0);
	changes = diff(fixture);
	assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), -1);
	assert_int_equal(err.code, SB_E_LEAK);
	assert_non_null(strstr(err.message, "at byte 1048059"));
	sb_changes_release(&changes);
	fixture_free(fixture);
}

/* Files of several blocks and of a few bytes: each content is searched where it lies, all of it,
 * and of two leaks the first in the layer is told. */
static void the_first_of_many_files_is_told(void **state)
{
	enum { N = 60 };

	(void)state;
	for (int leaky = 0; leaky <= N; leaky += 6) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO(sb_secrets) secrets = sb_secrets_new();
		SB_AUTO(sb_scanner) scanner = NULL;
		SB_AUTO(sb_content_search) search = NULL;
		struct fixture *fixture = fixture_new(0);
		struct sb_layer_write_options options = options_for(fixture);
		struct sb_changes changes;
		struct sb_layer_blob blob;
		sb_autofree char *told = sb_asprintf("/f%02d (raw, at byte ", leaky);
		uint64_t total = 0;

		assert_int_equal(
			sb_secrets_add_bytes(secrets, "mysecret", SECRET, strlen(SECRET), &err), 0);
		scanner = sb_scanner_new(secrets);
		search = sb_content_search_new(scanner);
		options.search = search;
		for (int i = 0; i < N; i++) {
			sb_autofree char *name = sb_asprintf("f%02d", i);
			const off_t size = i % 7 == 0 ? 3000001 : (i * 977) % 5000;
			sb_autofd int fd = openat(
				fixture->upper_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

			assert_int_equal(ftruncate(fd, size), 0);
			total += (uint64_t)size;
			if (i >= leaky)
				assert_int_equal(
					pwrite(fd, SECRET, strlen(SECRET), size), strlen(SECRET));
		}
		changes = diff(fixture);
		if (leaky < N) {
			assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), -1);
			assert_non_null(strstr(err.message, told));
		} else {
			assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), 0);
			assert_int_equal(sb_content_search_sums(search).bytes, total);
		}
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

static void a_full_disk_is_an_error_and_not_a_hang(void **state)
{
	static const enum sb_compression forms[] = {SB_COMPRESS_NONE, SB_COMPRESS_ZSTD};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct fixture *fixture = fixture_new(0);
		struct sb_layer_write_options options = options_for(fixture);
		struct sb_changes changes;
		struct sb_layer_blob blob;
		sb_autofd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

		assert_true(full >= 0);
		make_large_file(fixture, 30 << 20);
		changes = diff(fixture);
		options.out_fd = full;
		options.compression = forms[i];
		assert_int_equal(sb_layer_write(&changes, &options, &blob, &err), -1);
		assert_int_equal(err.os_errno, ENOSPC);
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_change_is_two_empty_blocks),
		cmocka_unit_test(entries_are_read_back_as_they_were),
		cmocka_unit_test(long_names_and_large_numbers_are_kept),
		cmocka_unit_test(pax_is_written_only_where_needed),
		cmocka_unit_test(attributes_are_one_form_of_record),
		cmocka_unit_test(same_tree_gives_same_bytes_for_any_base),
		cmocka_unit_test(times_after_the_epoch_are_set_to_it),
		cmocka_unit_test(large_layers_come_back_through_every_compression),
		cmocka_unit_test(a_file_that_changes_after_the_diff_is_an_error),
		cmocka_unit_test(a_file_swapped_for_a_link_or_fifo_is_an_error),
		cmocka_unit_test(secrets_are_found_wherever_they_are),
		cmocka_unit_test(a_secret_across_read_borders_is_found),
		cmocka_unit_test(the_first_of_many_files_is_told),
		cmocka_unit_test(a_full_disk_is_an_error_and_not_a_hang),
	};

	fixture_enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
