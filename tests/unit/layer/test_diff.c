/* SPDX-License-Identifier: MIT */
#include "layer/diff.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"

#include "base/mem.h"
#include "layer/caps.h"
#include "sys/fd.h"

/* Ids on disk begin here; both must give the same layer. */
static const uid_t bases[] = {0, 100000};

/* What a change list says: A add, M modify, D delete, P parent; "->" link, "=>" hard link. */
static char *describe(const struct sb_changes *changes)
{
	char *text = sb_strdup("");

	SB_ARRAY_FOREACH (changes, change) {
		char *longer = sb_asprintf("%s%s%c %s%s%s%s", text, text[0] != '\0' ? "; " : "",
			"AMDP"[change->kind], change -> path, S_ISDIR(change->mode) ? "/" : "",
			change->link == NULL  ? ""
			: change->is_hardlink ? "=>"
					      : "->",
			change->link != NULL ? change->link : "");

		free(text);
		text = longer;
	}
	return text;
}

struct diff_case {
	const char *name;
	const char *lower;
	const char *upper;
	const char *expected; /* NULL: the diff fails */
	const char *warning;  /* part of the one warning, or of the error */
	const char *scaffold; /* paths, a space between them */
	bool no_lower;
	bool is_whole;
	bool is_unsupported; /* by us, where it fails; else by any layer */
	bool needs_ids;      /* owners can't be told apart with a single id */
};

static const struct diff_case cases[] = {
	{.name = "nothing_changed_is_an_empty_layer",
		.lower = "d etc\nf etc/a x",
		.upper = "",
		.expected = ""},
	{.name = "first_layer_has_all",
		.no_lower = true,
		.upper = "d b\nf b/x 1\nf a 2",
		.expected = "A a; A b/; A b/x"},
	{.name = "siblings_come_in_byte_order",
		.lower = "",
		.upper = "f b 1\nf B 1\nf a.x 1\nd a\nf a/z 1\nf \xc3\xa9 1",
		.expected = "A B; A a/; A a/z; A a.x; A b; A \xc3\xa9"},
	{.name = "absent_below_is_added_and_different_is_modified",
		.lower = "f a 1",
		.upper = "f a 22\nf b 1",
		.expected = "M a; A b"},
	{.name = "mode_alone_is_a_change",
		.lower = "f a 1",
		.upper = "f a 1\nm a 600",
		.expected = "M a"},
	{.name = "setuid_alone_is_a_change",
		.lower = "f a 1\nm a 755",
		.upper = "f a 1\nm a 4755",
		.expected = "M a"},
	{.name = "owner_alone_is_a_change",
		.lower = "f a 1\nf b 1",
		.upper = "f a 1\nu a 33 0\nf b 1\nu b 0 33",
		.expected = "M a; M b",
		.needs_ids = true},
	{.name = "owner_of_a_link_is_a_change",
		.lower = "l a x",
		.upper = "l a x\nu a 33 33",
		.expected = "M a->x",
		.needs_ids = true},
	{.name = "time_in_seconds_is_a_change",
		.lower = "f a 1",
		.upper = "f a 1\nt a 1001",
		.expected = "M a"},
	{.name = "nanoseconds_that_differ_are_a_change",
		.lower = "f a 1\nt a 1000 5",
		.upper = "f a 1\nt a 1000 6",
		.expected = "M a"},
	{.name = "copied_up_and_unchanged_is_nothing",
		.lower = "f a 1\nl b x\np c\nd d\nf d/e 2\nt d/e 1000 7",
		.upper = "f a 1\nl b x\np c\nd d\nf d/e 2\nt d/e 1000 7",
		.expected = ""},
	{.name = "content_is_compared_where_size_and_time_agree",
		.lower = "f a 1",
		.upper = "f a 2",
		.expected = "M a"},
	{.name = "content_is_compared_also_with_equal_nanoseconds",
		.lower = "f a 1\nt a 1000 7",
		.upper = "f a 2\nt a 1000 7",
		.expected = "M a"},
	{.name = "empty_files_are_equal", .lower = "f a ", .upper = "f a ", .expected = ""},
	{.name = "link_target_is_compared",
		.lower = "l a x",
		.upper = "l a y",
		.expected = "M a->y"},
	{.name = "time_of_a_folder_is_no_change",
		.lower = "d a",
		.upper = "d a\nt a 99",
		.expected = ""},
	{.name = "mode_of_a_folder_is_a_change",
		.lower = "d a",
		.upper = "d a\nm a 1777",
		.expected = "M a/"},
	{.name = "parents_come_before_what_changed_in_them",
		.lower = "d a\nd a/b\nf a/b/c 1\nd a/d",
		.upper = "d a\nd a/b\nf a/b/c 22\nd a/d",
		.expected = "P a/; P a/b/; M a/b/c"},
	{.name = "a_parent_comes_once",
		.lower = "d a",
		.upper = "d a\nf a/b 1\nf a/c 1",
		.expected = "P a/; A a/b; A a/c"},
	{.name = "whiteout_has_its_parents_too",
		.lower = "d a\nf a/b 1",
		.upper = "d a\nw a/b",
		.expected = "P a/; D a/b"},
	{.name = "whiteout_of_what_lower_has",
		.lower = "f a 1\nd b\nf b/c 1\nl c x",
		.upper = "w a\nw b\nw c",
		.expected = "D a; D b; D c"},
	{.name = "whiteout_of_what_lower_has_not_is_dropped",
		.lower = "d a",
		.upper = "w x\nd a\nw a/y",
		.expected = ""},
	{.name = "whiteout_without_lower_is_dropped",
		.no_lower = true,
		.upper = "w x",
		.expected = ""},
	{.name = "whiteouts_that_are_one_inode_are_no_hard_links",
		.lower = "f a 1\nf b 1",
		.upper = "w a\nh b a",
		.expected = "D a; D b"},
	{.name = "whiteout_as_a_file_with_an_attribute",
		.lower = "d d\nf d/a 1",
		.upper = "d d\nx d user.overlay.opaque x\nf d/a \nx d/a user.overlay.whiteout y",
		.expected = "P d/; D d/a"},
	{.name = "lower_whiteout_counts_as_absent",
		.lower = "w a\nw b",
		.upper = "w a\nf b 1",
		.expected = "A b"},
	{.name = "file_becomes_folder_without_whiteout",
		.lower = "f a 1",
		.upper = "d a\nf a/b 1",
		.expected = "M a/; A a/b"},
	{.name = "folder_becomes_file_without_whiteout",
		.lower = "d a\nf a/b 1",
		.upper = "f a 1",
		.expected = "M a"},
	{.name = "file_becomes_link_without_whiteout",
		.lower = "f a 1",
		.upper = "l a b",
		.expected = "M a->b"},
	{.name = "opaque_folder_becomes_whiteouts",
		.lower = "d a\nf a/b 1\nd a/c\nf a/c/d 1\nf a/z 1",
		.upper = "d a\no a\nf a/m 1",
		.expected = "P a/; D a/b; D a/c; A a/m; D a/z"},
	{.name = "opaque_folder_with_all_made_again_is_nothing",
		.lower = "d a\nf a/b 1\nd a/c\nf a/c/d 1",
		.upper = "d a\no a\nf a/b 1\nd a/c\nf a/c/d 1",
		.expected = ""},
	{.name = "opaque_counts_for_folders_below",
		.lower = "d a\nd a/c\nf a/c/d 1\nf a/c/e 1",
		.upper = "d a\no a\nd a/c\nf a/c/d 1",
		.expected = "P a/; P a/c/; D a/c/e"},
	{.name = "of_a_whole_tree_what_it_lacks_is_gone",
		.lower = "f a 1\nf b 1\nd c\nf c/d 1\nf c/e 1\nd g\nf g/h 1\nd k\nf k/l 1",
		.upper = "f a 1\nf b 2\nd c\nf c/d 1\nd k\nf k/l 1\nf n 1",
		.is_whole = true,
		.expected = "M b; P c/; D c/e; D g; A n"},
	{.name = "of_a_whole_tree_without_a_base_all_is_new",
		.upper = "d a\nf a/b 1",
		.no_lower = true,
		.is_whole = true,
		.expected = "A a/; A a/b"},
	{.name = "opaque_folder_that_changed_is_modified_first",
		.lower = "d a\nf a/b 1",
		.upper = "d a\nm a 700\no a",
		.expected = "M a/; D a/b"},
	{.name = "opaque_folder_absent_below_is_plain",
		.lower = "",
		.upper = "d a\no a\nf a/b 1",
		.expected = "A a/; A a/b"},
	{.name = "opaque_folder_over_a_file_is_plain",
		.lower = "f a 1",
		.upper = "d a\no a",
		.expected = "M a/"},
	{.name = "hard_links_among_changes",
		.lower = "",
		.upper = "d d\nf d/a 1\nh b d/a\nh d/c b",
		.expected = "A b; A d/; A d/a=>b; A d/c=>b"},
	{.name = "hard_linked_symlinks",
		.lower = "",
		.upper = "l a x\nh b a",
		.expected = "A a->x; A b=>a"},
	{.name = "new_link_to_a_lower_file_is_a_copy",
		.lower = "f a 1",
		.upper = "f a 1\nh b a",
		.expected = "A b"},
	{.name = "fifos_are_kept", .lower = "", .upper = "p a", .expected = "A a"},
	{.name = "sockets_are_dropped_and_said_once",
		.lower = "",
		.upper = "s a\ns b",
		.expected = "",
		.warning = "sockets"},
	{.name = "socket_in_place_of_a_file_deletes_it",
		.lower = "f a 1",
		.upper = "s a",
		.expected = "D a",
		.warning = "sockets"},
	{.name = "names_like_whiteouts_are_refused",
		.lower = "",
		.upper = "d d\nf d/.wh.x 1",
		.expected = NULL,
		.warning = "/d/.wh.x"},
	{.name = "folders_named_like_whiteouts_are_refused",
		.lower = "",
		.upper = "d .wh.d",
		.expected = NULL,
		.warning = "/.wh.d"},
	{.name = "user_attribute_alone_is_a_change",
		.lower = "f a 1\nf b 1\nx b user.k 1\nf c 1\nx c user.k 1",
		.upper = "f a 1\nx a user.k 1\nf b 1\nx b user.k 2\nf c 1\nx c user.k 1",
		.expected = "M a; M b"},
	{.name = "user_attribute_of_a_folder_is_a_change",
		.lower = "d a",
		.upper = "d a\nx a user.k v",
		.expected = "M a/"},
	{.name = "overlay_attributes_are_no_change",
		.lower = "d a\nf a/b 1",
		.upper = "d a\nx a user.overlay.impure y\nf a/b 1\nx a/b user.overlay.origin z",
		.expected = ""},
	{.name = "escaped_overlay_attributes_are_dropped_and_said",
		.lower = "f a 1",
		.upper = "f a 1\nx a user.overlay.overlay.opaque y",
		.expected = "",
		.warning = "user.overlay"},
	{.name = "attribute_names_that_pax_cannot_hold_are_said",
		.lower = "",
		.upper = "f a 1\nx a user.a=b c",
		.expected = "A a",
		.warning = "user.a=b"},
	{.name = "redirected_folders_are_refused",
		.lower = "",
		.upper = "d a\nx a user.overlay.redirect /b",
		.expected = NULL,
		.is_unsupported = true,
		.warning = "redirect"},
	{.name = "recorded_owner_is_no_attribute",
		.lower = "",
		.upper = "f a 1\nx a user.safebuild.owner 7:8",
		.expected = "A a"},
	{.name = "scaffold_folders_leave_nothing",
		.lower = "",
		.upper = "d run\nd run/secrets\nf run/secrets/id \nd proc",
		.scaffold = "/proc /run/secrets/id",
		.expected = ""},
	{.name = "scaffold_with_something_else_in_it_stays",
		.lower = "",
		.upper = "d run\nd run/secrets\nf run/pid 1",
		.scaffold = "/run/secrets",
		.expected = "A run/; A run/pid"},
	{.name = "scaffold_file_with_content_stays",
		.lower = "",
		.upper = "d etc\nf etc/hosts x",
		.scaffold = "/etc/hosts",
		.expected = "A etc/; A etc/hosts"},
	{.name = "scaffold_in_lower_is_compared",
		.lower = "d run",
		.upper = "d run\nm run 700",
		.scaffold = "/run",
		.expected = "M run/"},
	{.name = "scaffold_is_no_prefix_of_a_name",
		.lower = "",
		.upper = "d ru\nd run2",
		.scaffold = "/run",
		.expected = "A ru/; A run2/"},
	{.name = "names_with_spaces_are_names",
		.lower = "",
		.upper = "f .hidden 1\nf -n 1\nf wh.x 1\nf .whx 1",
		.expected = "A -n; A .hidden; A .whx; A wh.x"},
};

static void check_case(const struct diff_case *c, uid_t base)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_STRV scaffold = SB_STRV_INIT;
	struct fixture *fixture = fixture_new(base);
	struct sb_changes changes = {0};
	sb_autofree char *points = sb_strdup(c->scaffold != NULL ? c->scaffold : "");
	sb_autofree char *got = NULL;
	int result = 0;

	for (char *saved = NULL, *p = strtok_r(points, " ", &saved); p != NULL;
		p = strtok_r(NULL, " ", &saved))
		sb_strv_add(&scaffold, p);
	if (c->lower != NULL)
		fixture_run(fixture, fixture->lower_fd, c->lower);
	fixture_run(fixture, fixture->upper_fd, c->upper);
	result = sb_diff(
		&(struct sb_diff_options){
			.lower_fd = c->no_lower ? -1 : fixture->lower_fd,
			.upper_fd = fixture->upper_fd,
			.is_whole = c->is_whole,
			.ids = fixture->ids,
			.scaffold = &scaffold,
		},
		&changes, &warnings, &err);
	if (c->expected == NULL) {
		assert_int_equal(result, -1);
		assert_int_equal(err.code, c->is_unsupported ? SB_E_UNSUPPORTED : SB_E_STEP_FAILED);
		assert_non_null(strstr(err.message, c->warning));
	} else {
		if (result < 0)
			print_error("%s\n", err.message);
		assert_int_equal(result, 0);
		got = describe(&changes);
		assert_string_equal(got, c->expected);
		assert_int_equal(warnings.len, c->warning != NULL);
		if (c->warning != NULL)
			assert_non_null(strstr(warnings.items[0], c->warning));
	}
	sb_changes_release(&changes);
	fixture_free(fixture);
}

static void run_case(void **state)
{
	const struct diff_case *c = *state;

	if (c->needs_ids && !fixture_has_ids()) {
		print_message("# needs more than one id\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		check_case(c, bases[i]);
}

static struct sb_changes diff(const struct fixture *fixture, struct sb_strv *warnings)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_changes changes = {0};
	const int result = sb_diff(
		&(struct sb_diff_options){
			.lower_fd = fixture->lower_fd,
			.upper_fd = fixture->upper_fd,
			.ids = fixture->ids,
		},
		&changes, warnings, &err);

	if (result < 0)
		print_error("%s\n", err.message);
	assert_int_equal(result, 0);
	return changes;
}

static void change_carries_what_a_layer_keeps(void **state)
{
	struct fixture *fixture = fixture_new(100000);
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct sb_changes changes;

	(void)state;
	fixture_run(fixture, fixture->upper_fd,
		"f a hello\nu a 1000 50\nm a 6755\nx a user.k v\nt a -5 7\nx a "
		"user.safebuild.owner 3:4");
	changes = diff(fixture, &warnings);
	assert_int_equal(changes.len, 1);

	const struct sb_change *change = &changes.items[0];
	const bool single = fixture->ids.uid_count == 1;

	assert_int_equal(change->mode, S_IFREG | 06755);
	/* With several ids the file's own owner counts; with one, the recorded one. */
	assert_int_equal(change->uid, single ? 3 : 1000);
	assert_int_equal(change->gid, single ? 4 : 50);
	assert_int_equal(change->size, 5);
	assert_int_equal(change->mtime, -5);
	assert_int_equal(change->xattrs.len, 1);
	assert_string_equal(change->xattrs.items[0].name, "user.k");
	assert_true(change->ino != 0 && change->ctime_ns != 0);
	sb_changes_release(&changes);
	fixture_free(fixture);
}

static void recorded_owner_counts_with_a_single_id(void **state)
{
	struct fixture *fixture = fixture_new(0);
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct sb_changes changes;
	sb_autofree char *got = NULL;

	(void)state;
	fixture->ids.uid_count = 1;
	fixture->ids.gid_count = 1;
	fixture_run(fixture, fixture->lower_fd,
		"f a 1\nx a user.safebuild.owner 33:33\nf b 1\nx b user.safebuild.owner 33:33");
	fixture_run(fixture, fixture->upper_fd,
		"f a 1\nx a user.safebuild.owner 33:33\nf b 1\nx b user.safebuild.owner 33:34");
	changes = diff(fixture, &warnings);
	got = describe(&changes);
	assert_string_equal(got, "M b");
	assert_int_equal(changes.items[0].uid, 33);
	assert_int_equal(changes.items[0].gid, 34);
	assert_int_equal(changes.items[0].xattrs.len, 0);
	sb_changes_release(&changes);
	fixture_free(fixture);
}

static void folders_may_be_deeper_than_descriptors_allow(void **state)
{
	enum { DEPTH = 1200 };
	struct fixture *fixture = fixture_new(0);
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct rlimit before;
	struct sb_changes changes;
	const int tops[] = {fixture->lower_fd, fixture->upper_fd};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int at = dup(tops[i]);

		for (int level = 0; level < DEPTH; level++) {
			assert_int_equal(mkdirat(at, "d", 0755), 0);

			const int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			assert_true(next >= 0);
			(void)close(at);
			at = next;
		}
		if (i == 1)
			fixture_run(fixture, at, "f z 1");
		(void)close(at);
	}
	fixture_run(fixture, fixture->upper_fd, "f last 1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){256, before.rlim_max}), 0);
	changes = diff(fixture, &warnings);
	assert_int_equal(changes.len, DEPTH + 2);
	assert_string_equal(changes.items[DEPTH + 1].path, "last");
	sb_changes_release(&changes);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* Removing is another's work: only as deep as it can go. */
	for (size_t i = 0; i < 2; i++) {
		for (int level = DEPTH; level > 0; level--) {
			sb_autofree char *path = sb_calloc(1, (size_t)level * 2 + 3);

			for (int k = 0; k < level; k++)
				memcpy(path + k * 2, "d/", 2);
			if (level == DEPTH && i == 1) {
				path[level * 2] = 'z';
				assert_int_equal(unlinkat(tops[i], path, 0), 0);
				path[level * 2] = '\0';
			}
			assert_int_equal(unlinkat(tops[i], path, AT_REMOVEDIR), 0);
		}
	}
	fixture_free(fixture);
}

static void capabilities_of_root_in_the_image_are_kept(void **state)
{
	static const struct {
		uid_t base;
		bool is_v3;
		uid_t offset; /* of the root that they belong to, from that of the image */
		size_t expected;
	} table[] = {{0, false, 0, 1}, {100000, true, 0, 1}, {100000, false, 0, 0}, {0, true, 5, 0},
		{100000, true, 5, 0}};

	(void)state;
	if (!fixture_has_ids()) {
		print_message("# needs more than one id\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fixture *fixture = fixture_new(table[i].base);
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		struct vfs_ns_cap_data caps = {
			.magic_etc = (table[i].is_v3 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2) |
				     VFS_CAP_FLAGS_EFFECTIVE,
			.data = {{.permitted = 1 << 13}},
			.rootid = fixture->ids.uid_base + table[i].offset,
		};
		struct sb_changes changes;

		fixture_run(fixture, fixture->lower_fd, "f a 1");
		fixture_run(fixture, fixture->upper_fd, "f a 1");

		sb_autofd int fd = openat(fixture->upper_fd, "a", O_RDONLY | O_CLOEXEC);

		assert_int_equal(fsetxattr(fd, SB_CAPS_XATTR, &caps,
					 table[i].is_v3 ? sizeof(caps) : XATTR_CAPS_SZ_2, 0),
			0);
		changes = diff(fixture, &warnings);
		assert_int_equal(changes.len, table[i].expected);
		assert_int_equal(warnings.len, 1 - table[i].expected);
		if (changes.len == 1) {
			struct vfs_cap_data v2;

			assert_int_equal(changes.items[0].xattrs.len, 1);
			assert_int_equal(changes.items[0].xattrs.items[0].len, XATTR_CAPS_SZ_2);
			memcpy(&v2, changes.items[0].xattrs.items[0].value, sizeof(v2));
			assert_int_equal(
				v2.magic_etc, VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE);
			assert_int_equal(v2.data[0].permitted, 1 << 13);
		}
		sb_changes_release(&changes);
		fixture_free(fixture);
	}
}

static void large_equal_files_are_equal_and_last_byte_counts(void **state)
{
	struct fixture *fixture = fixture_new(0);
	const int folders[] = {fixture->lower_fd, fixture->upper_fd};
	sb_autofree char *bytes = sb_malloc(700000);

	(void)state;
	memset(bytes, 'x', 700000);
	for (int last = 0; last < 2; last++) {
		SB_AUTO_STRV warnings = SB_STRV_INIT;
		struct sb_changes changes;

		for (size_t i = 0; i < 2; i++) {
			sb_autofd int fd = openat(
				folders[i], "big", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

			bytes[699999] = last == 1 && i == 1 ? 'y' : 'x';
			assert_int_equal(write(fd, bytes, 700000), 700000);
			fixture_run(fixture, folders[i], "t big 1000");
		}
		changes = diff(fixture, &warnings);
		assert_int_equal(changes.len, last);
		sb_changes_release(&changes);
	}
	fixture_free(fixture);
}

/* What the kernel leaves in an upper folder, and not what we believe it leaves. */
static void an_overlay_of_the_kernel_is_read(void **state)
{
	struct fixture *fixture = fixture_new(0);
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	sb_autofree char *options = NULL;
	sb_autofree char *merged = sb_asprintf("%s/merged", fixture->root);
	sb_autofree char *got = NULL;
	struct sb_changes changes;
	int fd = -1;

	(void)state;
	fixture_run(fixture, fixture->lower_fd,
		"d gone\nf gone/x 1\nd again\nf again/a 1\nf again/b 1\nf file 1\nf kept 1\n"
		"d dir\nf dir/x 1\nf swap 1\nd parent\nd parent/p\nf parent/p/x 1\nf same 1");
	fixture_run(fixture, fixture->root_fd, "d merged\nd work");
	options = sb_asprintf("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work,userxattr",
		fixture->root, fixture->root, fixture->root);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("overlay", merged, "overlay", 0, options) < 0) {
		fixture_free(fixture);
		print_message("# can't mount an overlay here\n");
		skip();
	}
	fd = open(merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unlinkat(fd, "gone/x", 0), 0);
	assert_int_equal(unlinkat(fd, "gone", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(fd, "again/a", 0), 0);
	assert_int_equal(unlinkat(fd, "again/b", 0), 0);
	assert_int_equal(unlinkat(fd, "again", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(fd, "swap", 0), 0);
	assert_int_equal(unlinkat(fd, "parent/p/x", 0), 0);
	fixture_run(fixture, fd,
		"d again\nf again/b 1\nd swap\nf swap/y 1\nf new 1\nh new2 new\nf tmp 1\n"
		"m file 600\nx kept user.k v\nf dir/x 2\nf dir/n 1");
	assert_int_equal(unlinkat(fd, "tmp", 0), 0);
	(void)close(openat(fd, "same", O_RDWR | O_CLOEXEC));
	(void)close(fd);
	assert_int_equal(umount2(merged, 0), 0);
	changes = diff(fixture, &warnings);
	got = describe(&changes);
	assert_string_equal(got,
		"P again/; D again/a; P dir/; A dir/n; M dir/x; M file; D gone; M kept; A new; "
		"A new2=>new; P parent/; P parent/p/; D parent/p/x; M swap/; A swap/y");
	assert_int_equal(warnings.len, 0);
	sb_changes_release(&changes);
	fixture_free(fixture);
}

int main(void)
{
	enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(change_carries_what_a_layer_keeps),
		cmocka_unit_test(recorded_owner_counts_with_a_single_id),
		cmocka_unit_test(folders_may_be_deeper_than_descriptors_allow),
		cmocka_unit_test(capabilities_of_root_in_the_image_are_kept),
		cmocka_unit_test(large_equal_files_are_equal_and_last_byte_counts),
		cmocka_unit_test(an_overlay_of_the_kernel_is_read),
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
