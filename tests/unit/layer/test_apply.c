/* SPDX-License-Identifier: MIT */
#include "layer/apply.h"

#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"
#include "tarball.h"

#include "base/mem.h"
#include "layer/caps.h"
#include "layer/compress.h"
#include "layer/whiteout.h"
#include "sys/fd.h"
#include "sys/xattr.h"

static const uid_t bases[] = {0, 100000};

enum { MAX_ENTRIES = 8 };

struct apply_case {
	const char *name;
	struct tar_entry entries[MAX_ENTRIES];
	const char *before;   /* script for the root */
	const char *expected; /* what the root holds then; NULL: refused */
	const char *message;  /* part of the error, or of the one warning */
	enum sb_code code;    /* of the error; 0: SB_E_INTEGRITY */
	bool is_archive;      /* a user's, not a layer */
};

static const struct apply_case cases[] = {
	{.name = "plain_entries",
		.entries = {{"a/", '5'}, {"a/b", '0', "hello"}, {"l", '2', .link = "a/b"},
			{"h", '1', .link = "a/b"}, {"p", '6'}},
		.expected = "d a; f a/b=hello; f h=hello; l l->a/b; p p"},
	{.name = "whiteout_becomes_a_device",
		.entries = {{"a/", '5'}, {"a/.wh.b", '0'}, {".wh.c", '0'}},
		.expected = "d a; w a/b; w c"},
	{.name = "whiteout_may_be_of_any_type",
		.entries = {{".wh.b/", '5'}, {".wh.c", '2', .link = "x"}},
		.expected = "w b; w c"},
	{.name = "whiteout_removes_what_the_layer_brought",
		.entries = {{"a/", '5'}, {"a/b", '0', "1"}, {".wh.a", '0'}, {"f", '0', "1"},
			{".wh.f", '0'}},
		.expected = "w a; w f"},
	{.name = "file_after_whiteout_stays",
		.entries = {{".wh.a", '0'}, {"a", '0', "1"}},
		.expected = "f a=1"},
	{.name = "folder_after_whiteout_is_opaque",
		.entries = {{".wh.a", '0'}, {"a/", '5'}, {"a/b", '0', "1"}},
		.expected = "d! a; f a/b=1"},
	{.name = "folder_needed_after_whiteout_is_opaque",
		.entries = {{".wh.a", '0'}, {"a/b/c", '0', "1"}},
		.expected = "d! a; d a/b; f a/b/c=1"},
	{.name = "folder_after_file_is_opaque",
		.entries = {{"a", '0', "1"}, {"a/", '5'}},
		.expected = "d! a"},
	{.name = "folder_of_a_users_archive_is_never_opaque",
		.entries = {{"a", '0', "1"}, {"a/", '5'}},
		.expected = "d a",
		.is_archive = true},
	{.name = "opaque_marker_sets_the_attribute",
		.entries = {{"a/", '5'}, {"a/.wh..wh..opq", '0'}, {"a/b", '0', "1"}},
		.expected = "d! a; f a/b=1"},
	{.name = "opaque_marker_keeps_what_the_layer_brought",
		.entries = {{"a/", '5'}, {"a/b", '0', "1"}, {"a/.wh..wh..opq", '0'}},
		.expected = "d! a; f a/b=1"},
	{.name = "opaque_marker_before_its_folder",
		.entries = {{"a/.wh..wh..opq", '0'}, {"a/", '5', .mode = 0700}},
		.expected = "d! a"},
	{.name = "whiteout_of_the_folder_itself_is_refused",
		.entries = {{"a/", '5'}, {"a/.wh..", '0'}},
		.message = "a/.wh.."},
	{.name = "whiteout_of_the_folder_above_is_refused",
		.entries = {{"a/", '5'}, {"a/.wh...", '0'}},
		.message = "a/.wh..."},
	{.name = "whiteout_of_nothing_is_refused",
		.entries = {{"a/", '5'}, {"a/.wh.", '0'}},
		.message = "a/.wh."},
	{.name = "entry_below_a_whiteout_is_refused",
		.entries = {{".wh.a/b", '0', "1"}},
		.message = ".wh.a/b"},
	{.name = "bookkeeping_of_aufs_is_left_out",
		.entries = {{".wh..wh.plnk/", '5'}, {".wh..wh.plnk/1.2", '0', "1"},
			{".wh..wh.aufs", '0'}, {"a", '0', "1"}},
		.expected = "f a=1",
		.message = "bookkeeping"},
	{.name = "whiteout_names_in_a_users_archive_are_files",
		.entries = {{".wh.a", '0', "1"}, {".wh..wh..opq", '0', "2"}},
		.before = "f a 1",
		.expected = "f .wh..wh..opq=2; f .wh.a=1; f a=1",
		.is_archive = true},
	{.name = "name_that_climbs_is_refused",
		.entries = {{"../outside/x", '0', "1"}},
		.message = "../outside/x"},
	{.name = "name_that_climbs_later_is_refused",
		.entries = {{"a/", '5'}, {"a/../../outside/x", '0', "1"}},
		.message = "a/../../outside/x"},
	{.name = "folder_that_climbs_is_refused", .entries = {{"..", '5'}}, .message = ".."},
	{.name = "absolute_name_that_climbs_is_refused",
		.entries = {{"/../outside/x", '0', "1"}},
		.message = "/../outside/x"},
	{.name = "dots_inside_are_cleaned",
		.entries = {{"./a/", '5'}, {"a/./b", '0', "1"}, {"a/../c", '0', "2"},
			{"a//d", '0', "3"}},
		.expected = "d a; f a/b=1; f a/d=3; f c=2"},
	{.name = "absolute_name_is_taken_below_the_root",
		.entries = {{"/etc/", '5'}, {"/etc/x", '0', "1"}},
		.expected = "d etc; f etc/x=1"},
	{.name = "absolute_link_is_followed_inside_the_root",
		.entries = {{"l", '2', .link = "/outside"}, {"l/x", '0', "1"}},
		.expected = "l l->/outside; d outside; f outside/x=1"},
	{.name = "climbing_link_is_followed_inside_the_root",
		.entries = {{"l", '2', .link = "../../../outside"}, {"l/x", '0', "1"}},
		.expected = "l l->../../../outside; d outside; f outside/x=1"},
	{.name = "link_to_a_link_is_followed_inside_the_root",
		.entries = {{"usr/lib/", '5'}, {"lib", '2', .link = "usr/lib"},
			{"l", '2', .link = "/lib"}, {"l/x", '0', "1"}, {"lib/y", '0', "2"}},
		.expected = "l l->/lib; l lib->usr/lib; d usr; d usr/lib; f usr/lib/x=1; f "
			    "usr/lib/y=2"},
	{.name = "loop_of_links_is_refused",
		.entries = {{"a", '2', .link = "b"}, {"b", '2', .link = "a"}, {"a/x", '0', "1"}},
		.message = "a/x",
		.code = SB_E_LIMIT},
	{.name = "last_link_is_replaced_and_not_followed",
		.entries = {{"l", '2', .link = "../outside/x"}, {"l", '0', "1"}},
		.expected = "f l=1"},
	{.name = "folder_replaces_a_link",
		.entries = {{"l", '2', .link = "../outside"}, {"l/", '5'}, {"l/x", '0', "1"}},
		.expected = "d! l; f l/x=1"},
	{.name = "folder_swapped_for_a_link_is_seen",
		.entries = {{"a/", '5'}, {"a/x", '0', "1"}, {"a", '2', .link = "../outside"},
			{"a/y", '0', "2"}},
		.expected = "l a->../outside; d outside; f outside/y=2"},
	{.name = "link_swapped_for_a_folder_is_seen",
		.entries = {{"b/", '5'}, {"a", '2', .link = "b"}, {"a/x", '0', "1"}, {"a/", '5'},
			{"a/x", '0', "2"}},
		.expected = "d! a; f a/x=2; d b; f b/x=1"},
	{.name = "hard_link_that_climbs_is_refused",
		.entries = {{"h", '1', .link = "../outside/secret"}},
		.message = "'h'"},
	{.name = "absolute_hard_link_is_inside_the_root",
		.entries = {{"outside/", '5'}, {"outside/secret", '0', "mine"},
			{"h", '1', .link = "/outside/secret"}},
		.expected = "f h=mine; d outside; f outside/secret=mine"},
	{.name = "hard_link_through_a_link_is_inside_the_root",
		.entries = {{"l", '2', .link = "../outside"}, {"h", '1', .link = "l/secret"}},
		.message = "l/secret"},
	{.name = "hard_link_to_a_link_does_not_follow",
		.entries = {{"l", '2', .link = "../outside/secret"}, {"h", '1', .link = "l"}},
		.expected = "l h->../outside/secret; l l->../outside/secret"},
	{.name = "hard_link_to_nothing_is_refused",
		.entries = {{"h", '1', .link = "gone"}},
		.message = "gone"},
	{.name = "hard_link_to_a_folder_is_refused",
		.entries = {{"d/", '5'}, {"h", '1', .link = "d"}},
		.message = "'d'"},
	{.name = "hard_link_to_what_was_deleted_is_refused",
		.entries = {{"a", '0', "1"}, {".wh.a", '0'}, {"h", '1', .link = "a"}},
		.message = "'h'"},
	{.name = "hard_link_to_itself_is_refused",
		.entries = {{"a", '0', "1"}, {"a", '1', .link = "a"}},
		.message = "'a'"},
	{.name = "duplicates_are_replaced",
		.entries = {{"a", '0', "1"}, {"a", '0', "22"}, {"a", '0', ""}},
		.expected = "f a="},
	{.name = "replaced_hard_link_leaves_the_other_name",
		.entries = {{"a", '0', "1"}, {"b", '1', .link = "a"}, {"b", '0', "2"}},
		.expected = "f a=1; f b=2"},
	{.name = "file_over_folder_removes_it",
		.entries = {{"a/", '5'}, {"a/b/", '5'}, {"a/b/c", '0', "1"}, {"a", '0', "2"}},
		.expected = "f a=2"},
	{.name = "folder_over_folder_keeps_what_it_holds",
		.entries = {{"a/", '5'}, {"a/b", '0', "1"}, {"a/", '5', .mode = 0700}},
		.expected = "d a; f a/b=1"},
	{.name = "missing_parents_are_made",
		.entries = {{"a/b/c", '0', "1"}},
		.expected = "d a; d a/b; f a/b/c=1"},
	{.name = "file_as_a_parent_is_refused",
		.entries = {{"a", '0', "1"}, {"a/b", '0', "2"}},
		.message = "a/b"},
	{.name = "unknown_type_is_refused",
		.entries = {{"a", 'Q', "1"}},
		.message = "unknown tar type 'Q'"},
	{.name = "device_zero_is_no_whiteout",
		.entries = {{"a", '3', .major = 0, .minor = 0}},
		.expected = "",
		.message = "device nodes"},
	{.name = "overlay_attributes_are_never_taken",
		.entries = {{"a/", '5', .pax = "SCHILY.xattr.user.overlay.opaque=y"},
			{"b/", '5',
				.pax = "SCHILY.xattr.user.overlay.redirect=/etc\n"
				       "SCHILY.xattr.user.safebuild.owner=0:0"}},
		.expected = "d a; d b",
		.message = "user.overlay.opaque"},
	{.name = "trusted_attributes_are_dropped_and_said_once",
		.entries = {{"a", '0', "1", .pax = "SCHILY.xattr.trusted.a=1"},
			{"b", '0', "1", .pax = "SCHILY.xattr.trusted.b=1"}},
		.expected = "f a=1; f b=1",
		.message = "trusted.a"},
	{.name = "attribute_of_a_link_is_dropped_and_said",
		.entries = {{"a", '2', .link = "x", .pax = "SCHILY.xattr.user.a=1"}},
		.expected = "l a->x",
		.message = "user.a"},
	{.name = "root_entry_is_the_root",
		.entries = {{"./", '5', .mode = 0700}, {"a", '0', "1"}},
		.expected = "f a=1"},
	{.name = "root_as_a_file_is_refused", .entries = {{".", '0', "1"}}, .message = "root"},
	{.name = "users_archive_follows_links_of_the_root",
		.entries = {{"lib/x", '0', "1"}, {"abs/y", '0', "2"}, {"up/z", '0', "3"}},
		.before = "d usr\nd usr/lib\nl lib usr/lib\nl abs /usr\nl up ../../usr",
		.expected = "l abs->/usr; l lib->usr/lib; l up->../../usr; d usr; d usr/lib; "
			    "f usr/lib/x=1; f usr/y=2; f usr/z=3",
		.is_archive = true},
	{.name = "names_are_bytes",
		.entries = {{"\xc3\xa9", '0', "1"}, {"\xff\xfe", '0', "2"},
			{"x", '0', "3", .pax = "path=\xc3\xbc/\xe2\x82\xac"},
			{"new\nline", '0', "4"}},
		.expected = "f new\nline=4; f \xc3\xa9=1; d \xc3\xbc; f "
			    "\xc3\xbc/\xe2\x82\xac=3; f \xff\xfe=2"},
};

static int apply_bytes(const struct fixture *fixture, const void *bytes, size_t len,
	const struct sb_apply_options *options, struct sb_applied *out, struct sb_strv *warnings,
	struct sb_error *err)
{
	struct bytes_reader reader = {.bytes = bytes, .len = len, .piece = 1000};

	return sb_layer_apply(
		bytes_reader(&reader), fixture->lower_fd, options, out, warnings, err);
}

static void check_outside(const struct fixture *fixture, const char *before)
{
	sb_autofree char *outside = fixture_list(fixture, fixture->outside_fd, true);
	sb_autofree char *upper = fixture_list(fixture, fixture->upper_fd, true);

	assert_string_equal(outside, before);
	assert_string_equal(upper, "");
}

/* What can be unpacked can be verified, with the same digests; what leads out can't. */
static void check_verify(
	const struct apply_case *c, const struct sb_buf *tar, const struct sb_applied *applied)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct bytes_reader reader = {.bytes = tar->data, .len = tar->len, .piece = 1000};
	struct sb_applied verified = {0};
	const int result = sb_layer_verify(bytes_reader(&reader), NULL, &verified, &err);

	if (c->expected != NULL) {
		assert_int_equal(result, 0);
		assert_true(sb_digest_equal(&verified.digest, &applied->digest));
		assert_true(sb_digest_equal(&verified.diff_id, &applied->diff_id));
		assert_int_equal(verified.n_entries, applied->n_entries);
	} else if (strstr(c->message, "../outside/x") != NULL) {
		assert_int_equal(result, -1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
	}
}

static void check_case(const struct apply_case *c, uid_t base)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
	struct fixture *fixture = fixture_new(base);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = !c->is_archive};
	struct sb_applied applied = {0};
	sb_autofree char *before = NULL;
	sb_autofree char *got = NULL;
	int result = 0;

	fixture_run(fixture, fixture->outside_fd, "f secret s\nm secret 600");
	before = fixture_list(fixture, fixture->outside_fd, true);
	if (c->before != NULL)
		fixture_run(fixture, fixture->lower_fd, c->before);
	for (size_t i = 0; i < MAX_ENTRIES && c->entries[i].type != 0; i++)
		tarball_add(&tar, &c->entries[i]);
	tarball_end(&tar);
	result = apply_bytes(fixture, tar.data, tar.len, &options, &applied, &warnings, &err);
	if (c->expected == NULL) {
		assert_int_equal(result, -1);
		assert_int_equal(err.code, c->code != 0 ? c->code : SB_E_INTEGRITY);
		assert_non_null(strstr(err.message, c->message));
	} else {
		if (result < 0)
			print_error("%s\n", err.message);
		assert_int_equal(result, 0);
		got = fixture_list(fixture, fixture->lower_fd, false);
		assert_string_equal(got, c->expected);
		if (warnings.len != (c->message != NULL))
			print_error("%s\n", warnings.len > 0 ? warnings.items[0] : "no warning");
		assert_int_equal(warnings.len, c->message != NULL);
		if (c->message != NULL)
			assert_non_null(strstr(warnings.items[0], c->message));
	}
	check_outside(fixture, before);
	if (!c->is_archive)
		check_verify(c, &tar, &applied);
	fixture_free(fixture);
}

static void run_case(void **state)
{
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		check_case(*state, bases[i]);
}

static int apply_entries(const struct fixture *fixture, const struct sb_apply_options *options,
	const struct tar_entry *entries, struct sb_strv *warnings, struct sb_error *err)
{
	SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
	struct sb_applied applied;

	for (; entries->type != 0; entries++)
		tarball_add(&tar, entries);
	tarball_end(&tar);
	return apply_bytes(fixture, tar.data, tar.len, options, &applied, warnings, err);
}

static void owners_modes_and_times_are_those_of_the_entries(void **state)
{
	static const struct tar_entry entries[] = {
		{"d/", '5', .mode = 01777, .uid = 1, .gid = 2, .mtime = 77},
		{"d/f", '0', "x", .mode = 06755, .uid = 33, .gid = 33, .mtime = 78},
		{"d/h", '1', .link = "d/f", .mode = 06755, .uid = 33, .gid = 33, .mtime = 78},
		{"i/f", '0', "y", .mode = 0444, .mtime = 5},
		{"l", '2', .link = "d", .uid = 5, .gid = 6, .mtime = 79},
		{"big", '0', "z", .mtime = 1, .pax = "uid=60000\ngid=60001\nmtime=-7"},
		{0},
	};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(100000);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	sb_autofree char *got = NULL;

	(void)state;
	if (!fixture_has_ids()) {
		fixture_free(fixture);
		print_message("# needs more than one id\n");
		skip();
	}
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	got = fixture_list(fixture, fixture->lower_fd, true);
	assert_string_equal(got,
		"f big=z(644 60000:60001 -7); d d(1777 1:2 77); f d/f=x(6755 33:33 78); "
		"f d/h=x(6755 33:33 78); d i(755 0:0 0); f i/f=y(444 0:0 5); l l->d(777 5:6 79)");
	fixture_free(fixture);
}

static void owner_outside_the_range_is_named(void **state)
{
	static const struct tar_entry entries[] = {{"a", '0', "1", .uid = 70000}, {0}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};

	(void)state;
	options.ids.uid_count = 65536;
	options.ids.gid_count = 65536;
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), -1);
	assert_int_equal(err.code, SB_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "70000:0"));
	assert_non_null(strstr(err.hint, "70001"));
	fixture_free(fixture);
}

static void single_id_records_owners(void **state)
{
	static const struct tar_entry entries[] = {
		{"d/", '5', .uid = 1, .gid = 2},
		{"d/f", '0', "x", .uid = 3000000, .gid = 4, .mode = 0400,
			.pax = "uid=3000000\nSCHILY.xattr.user.k=v"},
		{"r", '0', "x"},
		{"l", '2', .link = "x", .uid = 7},
		{0},
	};
	static const char *const expected[][2] = {{"d", "1:2"}, {"d/f", "3000000:4"}, {"r", NULL}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {
		.ids = {.uid_count = 1, .gid_count = 1}, .is_layer = true};

	(void)state;
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		sb_autofree char *value = NULL;
		size_t len = 0;

		assert_int_equal(sb_xattr_get(fixture->lower_fd, expected[i][0], SB_OWNER_XATTR,
					 &value, &len, &err),
			0);
		if (expected[i][1] == NULL)
			assert_null(value);
		else
			assert_string_equal(value, expected[i][1]);
	}
	assert_int_equal(warnings.len, 1);
	assert_non_null(strstr(warnings.items[0], "'l'"));
	fixture_free(fixture);
}

static void chown_of_an_archive_overrides_owners(void **state)
{
	static const struct tar_entry entries[] = {
		{"d/", '5', .uid = 70000}, {"d/f", '0', "x", .uid = 1}, {"n/f", '0', "x"}, {0}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(100000);
	const struct sb_apply_options options = {
		.ids = fixture->ids, .has_owner = true, .owner_uid = 12, .owner_gid = 13};
	struct stat st;

	(void)state;
	if (!fixture_has_ids()) {
		fixture_free(fixture);
		print_message("# needs more than one id\n");
		skip();
	}
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {"d", "d/f", "n", "n/f"};

		assert_int_equal(fstatat(fixture->lower_fd, names[i], &st, 0), 0);
		assert_int_equal(st.st_uid, fixture->ids.uid_base + 12);
		assert_int_equal(st.st_gid, fixture->ids.gid_base + 13);
	}
	fixture_free(fixture);
}

static void devices_are_made_or_said(void **state)
{
	static const struct tar_entry entries[] = {
		{"null", '3', .major = 1, .minor = 3}, {"b", '4', .major = 8, .minor = 1}, {0}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	sb_autofree char *got = NULL;

	(void)state;
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	got = fixture_list(fixture, fixture->lower_fd, false);
	if (warnings.len == 0)
		assert_string_equal(got, "c b; c null");
	else
		assert_string_equal(got, "");
	fixture_free(fixture);
}

static void attributes_of_both_pax_forms_are_set(void **state)
{
	static const struct tar_entry entries[] = {
		{"a", '0', "1", .mode = 0400, .pax = "SCHILY.xattr.user.s=v1"},
		{"b", '0', "1", .pax = "LIBARCHIVE.xattr.user.l=djI"}, {0}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	sb_autofree char *a = NULL;
	sb_autofree char *b = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	assert_int_equal(sb_xattr_get(fixture->lower_fd, "a", "user.s", &a, &len, &err), 0);
	assert_int_equal(sb_xattr_get(fixture->lower_fd, "b", "user.l", &b, &len, &err), 0);
	assert_string_equal(a, "v1");
	assert_string_equal(b, "v2");
	fixture_free(fixture);
}

static void capabilities_get_the_root_of_the_range(void **state)
{
	(void)state;
	if (!fixture_has_ids()) {
		print_message("# needs more than one id\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
		struct fixture *fixture = fixture_new(bases[i]);
		const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
		struct sb_applied applied;
		struct vfs_ns_cap_data caps = {0};
		const struct vfs_cap_data v2 = {
			.magic_etc = VFS_CAP_REVISION_2, .data = {{1 << 10, 0}}};
		const struct tar_entry entry = {.name = "f",
			.type = '0',
			.text = "x",
			.uid = 5,
			.mode = 0755,
			.attr = SB_CAPS_XATTR,
			.value = &v2,
			.value_len = sizeof(v2)};

		tarball_add(&tar, &entry);
		tarball_end(&tar);
		if (apply_bytes(fixture, tar.data, tar.len, &options, &applied, &warnings, &err) <
			0)
			fail_msg("%s", err.message);

		sb_autofd int fd = openat(fixture->lower_fd, "f", O_RDONLY | O_CLOEXEC);
		const ssize_t len = fgetxattr(fd, SB_CAPS_XATTR, &caps, sizeof(caps));

		assert_int_equal(
			len, fixture->ids.uid_base != 0 ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2);
		assert_int_equal(caps.rootid, fixture->ids.uid_base);
		assert_int_equal(caps.data[0].permitted, 1 << 10);
		fixture_free(fixture);
	}
}

static void compress(enum sb_compression form, const void *bytes, size_t len, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_compressor) c = NULL;

	assert_int_equal(sb_compressor_new(form, 0, buf_sink, out, &c, &err), 0);
	assert_int_equal(sb_compressor_write(c, bytes, len, &err), 0);
	assert_int_equal(sb_compressor_finish(c, &err), 0);
}

/* A tar of a few MiB, so that gzip has several members, with bytes behind its end. */
static void make_large_tar(struct sb_buf *tar)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *text = sb_calloc(1, 3000001);

	for (size_t i = 0; i < 3000000; i++)
		text[i] = (char)('a' + (i * i / 7) % 26);
	tarball_add(tar, &(struct tar_entry){.name = "big", .type = '0', .text = text});
	tarball_end(tar);
	assert_int_equal(sb_buf_add(tar, text, 400000, &err), 0);
}

static void every_compression_gives_the_same_digests(void **state)
{
	static const enum sb_compression forms[] = {
		SB_COMPRESS_NONE, SB_COMPRESS_GZIP, SB_COMPRESS_ZSTD};
	SB_AUTO_BUF tar = SB_BUF_INIT(16 << 20);
	struct sb_digest diff_id;

	(void)state;
	make_large_tar(&tar);
	sb_digest_of(tar.data, tar.len, &diff_id);
	for (size_t i = 0; i < 3; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		SB_AUTO_BUF blob = SB_BUF_INIT(16 << 20);
		struct fixture *fixture = fixture_new(0);
		const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
		struct sb_applied applied;
		struct sb_digest digest;
		struct stat st;

		compress(forms[i], tar.data, tar.len, &blob);
		/* Bytes behind the compressed ones count for the digest too. */
		if (forms[i] == SB_COMPRESS_GZIP)
			assert_int_equal(sb_buf_add(&blob, "\0\0\0\0tail", 8, &err), 0);
		sb_digest_of(blob.data, blob.len, &digest);
		if (apply_bytes(fixture, blob.data, blob.len, &options, &applied, &warnings, &err) <
			0)
			fail_msg("%s", err.message);
		assert_string_equal(applied.diff_id.text, diff_id.text);
		assert_string_equal(applied.digest.text, digest.text);
		assert_int_equal(applied.size_bytes, blob.len);
		assert_int_equal(applied.tar_bytes, tar.len);
		assert_int_equal(applied.n_entries, 1);
		assert_int_equal(fstatat(fixture->lower_fd, "big", &st, 0), 0);
		assert_int_equal(st.st_size, 3000000);
		fixture_free(fixture);
	}
}

static void broken_blobs_are_refused(void **state)
{
	SB_AUTO_BUF tar = SB_BUF_INIT(16 << 20);
	SB_AUTO_BUF gz = SB_BUF_INIT(16 << 20);
	SB_AUTO_BUF gz_gz = SB_BUF_INIT(16 << 20);
	SB_AUTO_BUF zst = SB_BUF_INIT(16 << 20);

	(void)state;
	make_large_tar(&tar);
	compress(SB_COMPRESS_GZIP, tar.data, tar.len, &gz);
	compress(SB_COMPRESS_GZIP, gz.data, gz.len, &gz_gz);
	compress(SB_COMPRESS_ZSTD, tar.data, tar.len, &zst);

	const struct {
		const char *bytes;
		size_t len;
		enum sb_code code;
	} table[] = {
		{gz.data, gz.len / 2, SB_E_INTEGRITY},
		{gz.data, 11, SB_E_INTEGRITY},
		{zst.data, zst.len / 2, SB_E_INTEGRITY},
		{tar.data, 600, SB_E_INTEGRITY},
		{tar.data, 1000000, SB_E_INTEGRITY},
		{gz_gz.data, gz_gz.len, SB_E_INTEGRITY},
		{"this is no tar", 14, SB_E_INTEGRITY},
		{"BZh91AY&SY", 10, SB_E_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		struct fixture *fixture = fixture_new(0);
		const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
		struct sb_applied applied;

		if (apply_bytes(fixture, table[i].bytes, table[i].len, &options, &applied,
			    &warnings, &err) == 0)
			fail_msg("blob %zu was taken", i);
		assert_int_equal(err.code, table[i].code);
		fixture_free(fixture);
	}
}

static void an_empty_blob_is_an_empty_layer(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	struct sb_applied applied;
	SB_AUTO_BUF gz = SB_BUF_INIT(1000);

	(void)state;
	assert_int_equal(apply_bytes(fixture, "", 0, &options, &applied, &warnings, &err), 0);
	assert_int_equal(applied.n_entries, 0);
	compress(SB_COMPRESS_GZIP, "", 0, &gz);
	assert_int_equal(
		apply_bytes(fixture, gz.data, gz.len, &options, &applied, &warnings, &err), 0);
	assert_int_equal(applied.tar_bytes, 0);
	fixture_free(fixture);
}

static void the_readers_error_is_the_error(void **state)
{
	SB_AUTO_BUF tar = SB_BUF_INIT(16 << 20);
	SB_AUTO_BUF gz = SB_BUF_INIT(16 << 20);

	(void)state;
	make_large_tar(&tar);
	compress(SB_COMPRESS_GZIP, tar.data, tar.len, &gz);
	const struct {
		const struct sb_buf *blob;
		size_t piece;
		size_t fail_at;
	} table[] = {
		{&tar, 5000, tar.len / 2},
		{&gz, 5000, gz.len / 2},
		{&tar, 1, 1},
		{&gz, 1, 1},
		{&gz, 12, 12},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		struct fixture *fixture = fixture_new(0);
		const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
		struct bytes_reader reader = {.bytes = table[i].blob->data,
			.len = table[i].blob->len,
			.piece = table[i].piece,
			.fail_at = table[i].fail_at};
		struct sb_applied applied;

		assert_int_equal(sb_layer_apply(bytes_reader(&reader), fixture->lower_fd, &options,
					 &applied, &warnings, &err),
			-1);
		assert_int_equal(err.code, SB_E_NETWORK);
		fixture_free(fixture);
	}
}

static void opaque_root_is_told(void **state)
{
	static const struct tar_entry entries[] = {{".wh..wh..opq", '0'}, {"a", '0', "1"}, {0}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	sb_autofree char *value = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	assert_int_equal(
		sb_xattr_get(fixture->lower_fd, ".", SB_OVERLAY_OPAQUE, &value, &len, &err), 0);
	assert_non_null(value);
	assert_true(len == 1 && value[0] == 'y');
	fixture_free(fixture);
}

/* A second thread that unpacks must not see this one's locale, nor lose its own. */
static void the_locale_is_left_as_it_was(void **state)
{
	static const struct tar_entry entries[] = {{"a", '0', "1"}, {0}};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	const locale_t before = uselocale((locale_t)0);

	(void)state;
	assert_int_equal(apply_entries(fixture, &options, entries, &warnings, &err), 0);
	assert_ptr_equal(uselocale((locale_t)0), before);
	fixture_free(fixture);
}

/* A sparse file of GNU tar in pax form 1.0: the map stands before the data. */
static void sparse_files_keep_their_holes_and_size(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
	struct fixture *fixture = fixture_new(0);
	const struct sb_apply_options options = {.ids = fixture->ids, .is_layer = true};
	static const char map[] = "2\n1048576\n512\n4194304\n0\n";
	sb_autofree char *text = sb_calloc(1, 1024 + 1);
	struct sb_applied applied;
	struct stat st;
	char bytes[5] = {0};

	(void)state;
	memset(text, '\n', 512);
	memset(text + 512, 'x', 512);
	memcpy(text, map, sizeof(map) - 1);
	tarball_add(
		&tar, &(struct tar_entry){.name = "GNUSparseFile.0/s",
			      .type = '0',
			      .text = text,
			      .pax = "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.name=s\n"
				     "GNU.sparse.realsize=4194304"});
	tarball_add(&tar, &(struct tar_entry){.name = "after", .type = '0', .text = "1"});
	tarball_end(&tar);
	if (apply_bytes(fixture, tar.data, tar.len, &options, &applied, &warnings, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(fstatat(fixture->lower_fd, "s", &st, 0), 0);
	assert_int_equal(st.st_size, 4194304);
	assert_true(st.st_blocks < 100);

	sb_autofd int fd = openat(fixture->lower_fd, "s", O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, bytes, 3, 1048575), 3);
	assert_memory_equal(bytes, "\0xx", 3);
	assert_int_equal(fstatat(fixture->lower_fd, "after", &st, 0), 0);
	fixture_free(fixture);
}

int main(void)
{
	enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(owners_modes_and_times_are_those_of_the_entries),
		cmocka_unit_test(owner_outside_the_range_is_named),
		cmocka_unit_test(single_id_records_owners),
		cmocka_unit_test(chown_of_an_archive_overrides_owners),
		cmocka_unit_test(devices_are_made_or_said),
		cmocka_unit_test(attributes_of_both_pax_forms_are_set),
		cmocka_unit_test(capabilities_get_the_root_of_the_range),
		cmocka_unit_test(every_compression_gives_the_same_digests),
		cmocka_unit_test(broken_blobs_are_refused),
		cmocka_unit_test(an_empty_blob_is_an_empty_layer),
		cmocka_unit_test(the_readers_error_is_the_error),
		cmocka_unit_test(opaque_root_is_told),
		cmocka_unit_test(the_locale_is_left_as_it_was),
		cmocka_unit_test(sparse_files_keep_their_holes_and_size),
	};

	fixture_enter_namespace();
	enum { N_OTHERS = sizeof(others) / sizeof(others[0]) };
	struct CMUnitTest tests[N_CASES + N_OTHERS] = {0};

	for (size_t i = 0; i < N_CASES; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
			.test_func = run_case,
			.initial_state = (void *)(uintptr_t)&cases[i]};
	memcpy(&tests[N_CASES], others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
