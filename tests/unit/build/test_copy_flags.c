/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include "build/copy.h"

/* --parents, --exclude and --link. */

enum { MAX_WORDS = 4 };

struct flag_case {
	const char *name;
	const char *source; /* trees as text */
	const char *root;
	const char *words[MAX_WORDS];
	const char *exclude[MAX_WORDS];
	const char *dest;
	const char *ignore; /* .dockerignore's text, or NULL */
	const char *chown;
	const char *chmod;
	bool has_no_parents;
	bool is_link;
	enum sb_code code;
	const char *expect; /* the root's tree, or a part of the error's message */
	const char *hint;   /* a part of it, or NULL */
};

#define DEEP "d a 755\nd a/b 711\nf a/b/f 640 1\nf a/b/g 600 2\nf a/x 644 3\n"
#define SOURCES \
	"f x.c 644 0\nd a 755\nf a/f.c 644 1\nd a/b 700\nf a/b/g.c 644 2\nf a/b/h 644 3\n" \
	"d e 755\nd e/e 755\nf e/e/i 644 4\n"

static const struct flag_case cases[] = {
	{"folders_of_a_file_are_kept_with_their_modes", DEEP, "", {"a/b/f"}, .dest = "/d",
		.expect = "d d 755\nd d/a 755\nd d/a/b 711\nf d/a/b/f 640 1\n"},
	{"all_of_a_named_folder_is_copied", DEEP, "", {"a/b"}, .dest = "/d/",
		.expect = "d d 755\nd d/a 755\nd d/a/b 711\nf d/a/b/f 640 1\nf d/a/b/g 600 2\n"},
	{"dots_in_a_name_are_no_pivot", DEEP, "", {"./a/b/."}, .dest = "/",
		.expect = "d a 755\nd a/b 711\nf a/b/f 640 1\nf a/b/g 600 2\n"},
	{"a_leading_pivot_is_the_root", DEEP, "", {"/./a/x"}, .dest = "/",
		.expect = "d a 755\nf a/x 644 3\n"},
	{"the_first_pivot_counts", DEEP, "", {"a/./b/./f"}, .dest = "/",
		.expect = "d b 711\nf b/f 640 1\n"},
	{"a_pivot_at_the_end_brings_what_is_in_the_folder", DEEP, "", {"a/b/./"}, .dest = "/d",
		.expect = "d d 755\nf d/f 640 1\nf d/g 600 2\n"},
	{"the_root_brings_everything", DEEP, "", {"."}, .dest = "/d",
		.expect = "d d 755\nd d/a 755\nd d/a/b 711\nf d/a/b/f 640 1\nf d/a/b/g 600 2\n"
			  "f d/a/x 644 3\n"},
	{"a_double_star_is_any_number_of_folders", SOURCES, "", {"**/*.c"}, .dest = "/d",
		.expect = "d d 755\nd d/a 755\nd d/a/b 700\nf d/a/b/g.c 644 2\nf d/a/f.c 644 1\n"
			  "f d/x.c 644 0\n"},
	{"a_wildcard_matches_folders", SOURCES, "", {"*/e"}, .dest = "/",
		.expect = "d e 755\nd e/e 755\nf e/e/i 644 4\n"},
	{"a_wildcard_before_the_pivot_gives_several_roots",
		"d a1 755\nd a1/c 755\nf a1/c/f 644 1\nd a2 755\nd a2/c 755\nf a2/c/g 644 2\n"
		"f a3 644 3\n",
		"", {"a*/./c"}, .dest = "/", .expect = "d c 755\nf c/f 644 1\nf c/g 644 2\n"},
	{"several_sources_need_no_slash", DEEP, "", {"a/x", "a/b/g"}, .dest = "/d",
		.expect = "d d 755\nd d/a 755\nd d/a/b 711\nf d/a/b/g 600 2\nf d/a/x 644 3\n"},
	{"a_named_link_is_copied_as_a_link", "d a 755\nf a/f 644 1\nl a/l f\n", "", {"a/l"},
		.dest = "/", .expect = "d a 755\nl a/l f\n"},
	{"a_folder_on_the_way_must_be_one", "d a 755\nf a/f 644 1\nl l a\n", "", {"l/f"},
		.dest = "/", .code = SB_E_STEP_FAILED, .expect = "there is a link in 'l'",
		.hint = "'a'"},
	{"the_way_to_the_pivot_may_be_a_link", "d a 755\nd a/b 755\nf a/b/f 644 1\nl l a\n", "",
		{"l/./b/f"}, .dest = "/", .expect = "d b 755\nf b/f 644 1\n"},
	{"a_double_star_does_not_follow_links", "d a 755\nf a/f.c 644 1\nl l a\nl m.c a\n", "",
		{"**/*.c"}, .dest = "/", .expect = "d a 755\nf a/f.c 644 1\nl m.c a\n"},
	{"a_folder_that_is_there_keeps_its_content", DEEP, "d a 700\nf a/old 644 9\n", {"a/x"},
		.dest = "/", .expect = "d a 755\nf a/old 644 9\nf a/x 644 3\n"},
	{"chmod_is_for_new_folders_and_not_for_those_there", DEEP, "d a 700\n", {"a/b/f"},
		.dest = "/", .chmod = "750", .expect = "d a 755\nd a/b 750\nf a/b/f 750 1\n"},
	{"letters_of_chmod_are_for_the_folders_too", DEEP, "", {"a/b/f"}, .dest = "/",
		.chmod = "go-rwx", .expect = "d a 700\nd a/b 700\nf a/b/f 600 1\n"},
	{"a_name_that_is_not_there_is_an_error", "d a 755\nf a/readme 644 1\n", "", {"a/raedme"},
		.dest = "/d", .code = SB_E_NOT_FOUND, .expect = "'a/raedme': not found",
		.hint = "'a/readme'"},
	{"a_name_behind_a_pivot_must_be_there_too", DEEP, "", {"a/./c"}, .dest = "/d",
		.code = SB_E_NOT_FOUND, .expect = "'a/./c': not found"},
	{"a_pivot_in_a_file_is_an_error", DEEP, "", {"a/x/./y"}, .dest = "/d",
		.code = SB_E_STEP_FAILED, .expect = "'a/x' is not a folder"},
	{"a_wildcard_that_matches_nothing_is_an_error", DEEP, "", {"**/*.c"}, .dest = "/d",
		.code = SB_E_NOT_FOUND, .expect = "'**/*.c': no file matches"},
	{"a_wildcard_may_match_nothing_beside_another_source", DEEP, "", {"**/*.c", "a/x"},
		.dest = "/", .expect = "d a 755\nf a/x 644 3\n"},
	{"an_open_class_is_an_error", DEEP, "", {"a/[x"}, .dest = "/d", .code = SB_E_SYNTAX,
		.expect = "'a/[x': not a valid"},
	{"dots_before_the_root_stay_in_it", DEEP, "", {"../../a/x"}, .dest = "/",
		.expect = "d a 755\nf a/x 644 3\n"},
	{"a_file_in_the_way_of_a_folder_is_an_error", DEEP, "f a 644 -\n", {"a/x"}, .dest = "/",
		.code = SB_E_STEP_FAILED, .expect = "'/a': it is there and not a folder"},
	{"what_is_ignored_is_not_named", SOURCES, "", {"**/*.c"}, .dest = "/", .ignore = "a/b\n",
		.expect = "d a 755\nf a/f.c 644 1\nf x.c 644 0\n"},
	{"an_ignored_name_is_not_there", DEEP, "", {"a/b/f"}, .dest = "/", .ignore = "a/b\n",
		.code = SB_E_NOT_FOUND, .expect = "not found", .hint = "'a/b/f' is excluded by"},
	{"what_is_included_again_is_named", DEEP, "", {"a/**/f"}, .dest = "/",
		.ignore = "a\n!a/b/f\n", .expect = "d a 755\nd a/b 711\nf a/b/f 640 1\n"},
	{"exclude_is_relative_to_the_pivot", SOURCES, "", {"a/./**/*.c"}, {"b"}, .dest = "/",
		.expect = "f f.c 644 1\n"},
	{"exclude_is_relative_to_the_root_without_one", SOURCES, "", {"a"}, {"a/b", "*.c"},
		.dest = "/", .expect = "d a 755\nf a/f.c 644 1\n"},
	{"a_named_file_that_is_excluded_is_an_error", DEEP, "", {"a/x"}, {"**/x"}, .dest = "/",
		.code = SB_E_NOT_FOUND, .expect = "'a/x': nothing of it is left",
		.hint = "'a/x' is left out by --exclude"},

	{"excluded_names_are_not_copied", SOURCES, "", {"a"}, {"*.c"}, .dest = "/d",
		.has_no_parents = true,
		.expect = "d d 755\nd d/b 700\nf d/b/g.c 644 2\nf d/b/h 644 3\n"},
	{"a_leading_slash_is_the_copied_folder", SOURCES, "", {"a"}, {"/b/h", "/f.c"}, .dest = "/d",
		.has_no_parents = true, .expect = "d d 755\nd d/b 700\nf d/b/g.c 644 2\n"},
	{"a_later_pattern_takes_back", SOURCES, "", {"a"}, {"b", "!b/h"}, .dest = "/d",
		.has_no_parents = true,
		.expect = "d d 755\nd d/b 700\nf d/b/h 644 3\nf d/f.c 644 1\n"},
	{"a_folder_that_is_only_on_the_way_keeps_what_it_was", SOURCES,
		"d d 755\nd d/b 755\nf d/b/h 600 old\n", {"a"}, {"b", "!b/h"}, .dest = "/d",
		.has_no_parents = true,
		.expect = "d d 755\nd d/b 700\nf d/b/h 644 3\nf d/f.c 644 1\n"},
	{"a_folder_with_nothing_taken_back_is_not_made", SOURCES, "", {"a"}, {"b", "!b/z"},
		.dest = "/d", .has_no_parents = true, .expect = "d d 755\nf d/f.c 644 1\n"},
	{"a_folder_of_which_all_is_excluded_is_empty", SOURCES, "", {"a"}, {"*"}, .dest = "/d",
		.has_no_parents = true, .expect = "d d 755\n"},
	{"a_named_file_is_copied_whatever_is_excluded", DEEP, "", {"a/x"}, {"x", "**"},
		.dest = "/d", .has_no_parents = true, .expect = "f d 644 3\n"},
	{"a_matched_file_can_be_excluded", "f a.c 644 1\nf a.h 644 2\n", "", {"a.*"}, {"*.h"},
		.dest = "/d/", .has_no_parents = true, .expect = "d d 755\nf d/a.c 644 1\n"},
	{"a_matched_folder_can_not", SOURCES, "", {"*"}, {"e", "*.c"}, .dest = "/d/",
		.has_no_parents = true,
		.expect = "d d 755\nd d/b 700\nf d/b/g.c 644 2\nf d/b/h "
			  "644 3\n"},
	{"where_all_matches_are_excluded_nothing_matches", "f a.h 644 2\n", "", {"a.*"}, {"*.h"},
		.dest = "/d/", .has_no_parents = true, .code = SB_E_NOT_FOUND,
		.expect = "'a.*': no file matches", .hint = "--exclude"},
	{"both_kinds_of_exclusion_hold", SOURCES, "", {"."}, {"**/*.c"}, .dest = "/",
		.has_no_parents = true, .ignore = "e\n",
		.expect = "d a 755\nd a/b 700\nf a/b/h 644 3\n"},
	{"exclude_takes_nothing_of_dockerignore_back", SOURCES, "", {"."}, {"**/*.c", "!e"},
		.dest = "/", .has_no_parents = true, .ignore = "e\n",
		.expect = "d a 755\nd a/b 700\nf a/b/h 644 3\n"},

	{"a_link_layer_knows_numbers", DEEP, "", {"a/x"}, .dest = "/d", .has_no_parents = true,
		.is_link = true, .chown = "0:0", .expect = "f d 644 3\n"},
	{"a_link_layer_knows_no_names", DEEP, "", {"a/x"}, .dest = "/d", .has_no_parents = true,
		.is_link = true, .chown = "app", .code = SB_E_NOT_FOUND,
		.expect = "--chown 'app': --link copies into an empty layer", .hint = "numbers"},
};

static void add_all(struct sb_strv *out, const char *const words[MAX_WORDS])
{
	for (size_t i = 0; i < MAX_WORDS && words[i] != NULL; i++)
		sb_strv_add(out, words[i]);
}

static int run(const struct flag_case *c, const struct fixture *f, struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO_STRV patterns = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO(sb_ignore) ignore = NULL;
	SB_AUTO(sb_ignore) exclude = NULL;
	const uint32_t n_ids = geteuid() == 0 ? 65536 : 1;

	add_all(&sources, c->words);
	add_all(&patterns, c->exclude);
	if (c->ignore != NULL)
		assert_int_equal(sb_ignore_parse(".dockerignore", c->ignore, strlen(c->ignore),
					 &ignore, err),
			0);
	if (patterns.len > 0)
		assert_int_equal(sb_ignore_of_patterns(&patterns, &exclude, err), 0);

	const struct sb_copy copy = {
		.source_fd = f->source_fd,
		.source_is_context = true,
		.ignore = ignore,
		.exclude = exclude,
		.root_fd = f->root_fd,
		.ids = {.uid_count = n_ids, .gid_count = n_ids},
		.sources = &sources,
		.dest = c->dest,
		.workdir = "/",
		.chown = c->chown,
		.chmod = c->chmod,
		.has_parents = !c->has_no_parents,
		.is_link = c->is_link,
		.warnings = &warnings,
	};

	return sb_copy_files(&copy, err);
}

static void run_case(void **state)
{
	const struct flag_case *c = *state;
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	fixture_init(&f);
	fixture_plant(f.source_fd, c->source);
	fixture_plant(f.root_fd, c->root);
	if (run(c, &f, &err) < 0) {
		if (err.code != c->code || c->code == SB_OK)
			fail_msg("%s: %s", sb_code_name(err.code), err.message);
		if (strstr(err.message, c->expect) == NULL)
			fail_msg("'%s' does not say '%s'", err.message, c->expect);
		if (c->hint != NULL && (err.hint == NULL || strstr(err.hint, c->hint) == NULL))
			fail_msg("hint '%s' does not say '%s'", err.hint, c->hint);
	} else {
		assert_int_equal(c->code, SB_OK);
		fixture_expect(f.root_fd, c->expect);
	}
	fixture_release(&f);
}

/* The owner of a folder that is only on the way is for root to see: others can't give files away.
 */
static void a_folder_on_the_way_keeps_its_owner(void **state)
{
	static const struct flag_case c = {.words = {"a/x"}, .dest = "/", .chown = "5:6"};
	struct fixture f;
	struct stat st;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	if (geteuid() != 0)
		return;
	fixture_init(&f);
	fixture_plant(f.source_fd, DEEP);
	fixture_plant(f.root_fd, "d a 700\n");
	assert_int_equal(fchownat(f.root_fd, "a", 7, 8, 0), 0);
	assert_int_equal(run(&c, &f, &err), 0);
	assert_int_equal(fstatat(f.root_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(fstatat(f.root_fd, "a/x", &st, 0), 0);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 6);
	fixture_release(&f);
}

/* Folders that no pattern can match in are not opened: this one could not be. */
static void what_can_not_match_is_not_entered(void **state)
{
	static const struct flag_case only = {.words = {"a/*"}, .dest = "/", .expect = ""};
	static const struct flag_case without = {
		.words = {"."}, .exclude = {"locked"}, .dest = "/", .has_no_parents = true};
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.source_fd, "d a 755\nf a/f 644 1\nd locked 0\n");
	assert_int_equal(run(&only, &f, &err), 0);
	assert_int_equal(run(&without, &f, &err), 0);
	fixture_expect(f.root_fd, "d a 755\nf a/f 644 1\n");
	fixture_release(&f);
}

int main(void)
{
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	struct CMUnitTest tests[N + 2] = {
		[N] = cmocka_unit_test(a_folder_on_the_way_keeps_its_owner),
		[N + 1] = cmocka_unit_test(what_can_not_match_is_not_entered),
	};

	for (size_t i = 0; i < N; i++) {
		union {
			const struct flag_case *from;
			void *to;
		} state = {.from = &cases[i]};

		tests[i] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = run_case,
			.initial_state = state.to,
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
