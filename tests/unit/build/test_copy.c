/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include "build/copy.h"

enum { MAX_WORDS = 4 };

struct copy_case {
	const char *name;
	const char *source; /* trees as text */
	const char *root;
	const char *ignore; /* .dockerignore's text, or NULL */
	const char *words[MAX_WORDS];
	const char *dest;
	const char *workdir; /* NULL: "/" */
	const char *chmod;
	const char *heredoc; /* NAME of one with the body "body", or NULL */
	bool is_stage;
	enum sb_code code;
	const char *expect; /* the root's tree, or a part of the error's message */
	const char *hint;   /* a part of it, or NULL */
};

#define HELLO "f a 640 hello\n"
#define SUB "d d 755\nd d/sub 755\n"
#define TREE "d d 700\nf d/one 600 1\nd d/sub 711\nf d/sub/two 644 2\n"

static const struct copy_case cases[] = {
	{"a_file_takes_the_name_of_the_destination", HELLO, "", .words = {"a"}, .dest = "/x",
		.expect = "f x 640 hello\n"},
	{"a_file_goes_into_a_new_folder_with_slash", HELLO, "", .words = {"a"}, .dest = "/p/d/",
		.expect = "d p 755\nd p/d 755\nf p/d/a 640 hello\n"},
	{"a_file_goes_into_a_folder_that_is_there", HELLO, "d d 711\n", .words = {"a"},
		.dest = "/d", .expect = "d d 711\nf d/a 640 hello\n"},
	{"a_file_goes_through_a_link_to_a_folder", HELLO, "d real 755\nl link /real\n",
		.words = {"a"}, .dest = "/link",
		.expect = "l link /real\nd real 755\nf real/a 640 hello\n"},
	{"a_file_replaces_what_a_link_leads_to", HELLO, "f target 600 old\nl x target\n",
		.words = {"a"}, .dest = "/x", .expect = "f target 640 hello\nl x target\n"},
	{"a_file_is_made_where_a_dangling_link_leads", HELLO, "l x /not/yet\n", .words = {"a"},
		.dest = "/x", .expect = "d not 755\nf not/yet 640 hello\nl x /not/yet\n"},
	{"a_file_replaces_a_file", HELLO, "f x 4755 old and longer\n", .words = {"a"}, .dest = "/x",
		.expect = "f x 640 hello\n"},
	{"a_file_in_the_way_of_a_folder_is_an_error", HELLO, "f x 644 -\n", .words = {"a"},
		.dest = "/x/y", .code = SB_E_STEP_FAILED,
		.expect = "'x' is there and not a folder"},
	{"a_folder_is_not_replaced_by_a_file", HELLO, "d x 755\nd x/a 755\n", .words = {"a"},
		.dest = "/x/", .code = SB_E_STEP_FAILED,
		.expect = "cannot replace the folder '/x/a' by a file"},
	{"a_relative_destination_is_below_the_workdir", HELLO, "", .words = {"a"}, .dest = "b/c",
		.workdir = "/w", .expect = "d w 755\nd w/b 755\nf w/b/c 640 hello\n"},
	{"a_dot_is_the_workdir", HELLO, "", .words = {"a"}, .dest = ".", .workdir = "/w",
		.expect = "d w 755\nf w/a 640 hello\n"},
	{"an_empty_destination_is_the_workdir", HELLO, "", .words = {"a"}, .dest = "",
		.workdir = "/w", .expect = "d w 755\nf w/a 640 hello\n"},
	{"dots_in_a_destination_stay_in_the_root", HELLO, "", .words = {"a"}, .dest = "../../x",
		.workdir = "/w", .expect = "f x 640 hello\n"},
	{"special_bits_are_kept", "f a 6755 -\n", "", .words = {"a"}, .dest = "/x",
		.expect = "f x 6755 -\n"},
	{"a_fifo_is_made_again", "d d 755\np d/p 620\n", "", .words = {"d"}, .dest = "/x",
		.expect = "d x 755\np x/p 620\n"},

	{"a_folder_gives_its_contents", TREE, "", .words = {"d"}, .dest = "/x",
		.expect = "d x 755\nf x/one 600 1\nd x/sub 711\nf x/sub/two 644 2\n"},
	{"a_folder_is_merged_and_nested_modes_are_taken", TREE,
		"d x 750\nf x/keep 644 k\nd x/sub 700\nf x/sub/two 600 old\n", .words = {"d/"},
		.dest = "/x",
		.expect = "d x 750\nf x/keep 644 k\nf x/one 600 1\nd x/sub 711\nf x/sub/two 644 "
			  "2\n"},
	{"the_whole_source_goes_to_the_root", TREE, "", .words = {"."}, .dest = "/",
		.expect = "d d 700\nf d/one 600 1\nd d/sub 711\nf d/sub/two 644 2\n"},
	{"a_folder_follows_a_link_as_destination", TREE, "d real 755\nl x real\n", .words = {"d"},
		.dest = "/x",
		.expect = "d real 755\nf real/one 600 1\nd real/sub 711\nf real/sub/two 644 2\n"
			  "l x real\n"},
	{"a_folder_does_not_replace_a_file", TREE, "f x 644 -\n", .words = {"d"}, .dest = "/x",
		.code = SB_E_STEP_FAILED, .expect = "is there and not a folder"},
	{"a_nested_folder_does_not_replace_a_file", SUB, "d x 755\nf x/sub 644 -\n", .words = {"d"},
		.dest = "/x", .code = SB_E_STEP_FAILED,
		.expect = "'/x/sub': it is there and not a folder"},
	{"a_nested_folder_does_not_follow_a_link", SUB, "d e 755\nd x 755\nl x/sub /e\n",
		.words = {"d"}, .dest = "/x", .code = SB_E_STEP_FAILED,
		.expect = "'/x/sub': it is there and not a folder", .hint = "it is a link"},
	{"a_nested_file_replaces_a_link_and_not_its_target", "d d 755\nf d/x 644 new\n",
		"d d 755\nf victim 644 safe\nl d/x ../victim\n", .words = {"d"}, .dest = "/d",
		.expect = "d d 755\nf d/x 644 new\nf victim 644 safe\n"},
	{"an_empty_folder_makes_its_destination", "d d 700\n", "", .words = {"d"}, .dest = "/x",
		.expect = "d x 755\n"},

	{"a_named_link_is_followed", "f a 640 hello\nl s a\n", "", .words = {"s"}, .dest = "/d/",
		.expect = "d d 755\nf d/s 640 hello\n"},
	{"a_link_in_a_folder_stays_a_link", "d d 755\nl d/s /etc/passwd\n", "", .words = {"d"},
		.dest = "/x", .expect = "d x 755\nl x/s /etc/passwd\n"},
	{"an_absolute_link_is_taken_in_the_sources_root", "d e 755\nf e/a 644 in\nl s /e/a\n", "",
		.words = {"s"}, .dest = "/x", .expect = "f x 644 in\n"},
	{"a_link_out_of_the_source_reads_nothing", "l s /etc/passwd\n", "", .words = {"s"},
		.dest = "/x", .code = SB_E_NOT_FOUND, .expect = "'s': not found",
		.hint = "link to something that is not there"},
	{"a_climbing_link_reads_nothing", "l s ../../../../../../etc/passwd\n", "", .words = {"s"},
		.dest = "/x", .code = SB_E_NOT_FOUND, .expect = "'s': not found"},
	{"a_climbing_source_reads_nothing", "", "", .words = {"../../../../etc/passwd"},
		.dest = "/x", .code = SB_E_NOT_FOUND, .expect = "not found in the build context"},
	{"a_link_loop_is_an_error", "l s t\nl t s\n", "", .words = {"s"}, .dest = "/x",
		.code = SB_E_LIMIT, .expect = "too many levels"},
	{"a_source_is_clamped_at_its_root", HELLO, "", .words = {"../../a"}, .dest = "/x",
		.expect = "f x 640 hello\n"},
	{"an_absolute_source_begins_at_its_root", HELLO, "", .words = {"/a"}, .dest = "/x",
		.expect = "f x 640 hello\n"},
	{"a_missing_source_has_a_suggestion", "d src 755\nf src/main.c 644 -\n", "",
		.words = {"src/mian.c"}, .dest = "/x", .code = SB_E_NOT_FOUND,
		.expect = "'src/mian.c': not found in the build context",
		.hint = "did you mean 'src/main.c'?"},
	{"a_missing_source_changes_nothing", HELLO, "", .words = {"a", "b"}, .dest = "/x/",
		.code = SB_E_NOT_FOUND, .expect = "'b': not found"},
	{"a_missing_source_of_a_stage_says_so", HELLO, "", .words = {"zzz"}, .dest = "/x",
		.is_stage = true, .code = SB_E_NOT_FOUND, .expect = "in what --from names"},

	{"a_star_matches_within_one_folder",
		"f a.c 644 1\nf b.c 644 2\nf b.h 644 3\nd d 755\nf d/e.c 644 4\n", "",
		.words = {"*.c"}, .dest = "/x/",
		.expect = "d x 755\nf x/a.c 644 1\nf x/b.c 644 2\n"},
	{"a_star_matches_names_that_begin_with_a_dot", "f .a 644 1\nf b 644 2\n", "",
		.words = {"*"}, .dest = "/x/", .expect = "d x 755\nf x/.a 644 1\nf x/b 644 2\n"},
	{"a_question_mark_and_a_class_match", "f a1 644 1\nf b1 644 2\nf c22 644 3\n", "",
		.words = {"[ac]?"}, .dest = "/x/", .expect = "d x 755\nf x/a1 644 1\n"},
	{"a_class_quotes_a_wildcard", "f a[1 644 1\nf ax1 644 2\n", "", .words = {"a[[]1"},
		.dest = "/x", .expect = "f x 644 1\n"},
	{"a_matched_folder_gives_its_contents", "d p1 755\nf p1/a 644 1\nd p2 755\nf p2/b 644 2\n",
		"", .words = {"p*"}, .dest = "/x/",
		.expect = "d x 755\nf x/a 644 1\nf x/b 644 2\n"},
	{"a_wildcard_in_the_middle_matches_folders",
		"d p 755\nd p/1 755\nf p/1/m 644 1\nd p/2 755\nf p/2/n 644 2\nf p/m 644 3\n", "",
		.words = {"p/*/m"}, .dest = "/x", .expect = "f x 644 1\n"},
	{"a_matched_link_is_followed", "f a 644 1\nl la a\n", "", .words = {"l*"}, .dest = "/x",
		.expect = "f x 644 1\n"},
	{"a_wildcard_without_a_match_is_passed_over_beside_another_source", HELLO, "",
		.words = {"a", "*.txt"}, .dest = "/x/", .expect = "d x 755\nf x/a 640 hello\n"},
	{"no_match_is_an_error", HELLO, "", .words = {"*.txt"}, .dest = "/x/",
		.code = SB_E_NOT_FOUND, .expect = "'*.txt': no file matches in the build context"},
	{"a_bad_pattern_is_an_error", HELLO, "", .words = {"[a"}, .dest = "/x/",
		.code = SB_E_SYNTAX, .expect = "'[a': not a valid wildcard pattern"},
	{"several_matches_need_a_folder", "f a 644 1\nf b 644 2\n", "f x 755\n", .words = {"*"},
		.dest = "/x", .code = SB_E_USAGE, .expect = "several sources", .hint = "/x/"},
	{"several_sources_go_into_a_folder_that_is_there", "f a 644 1\nf b 644 2\n", "d x 755\n",
		.words = {"*"}, .dest = "/x", .expect = "d x 755\nf x/a 644 1\nf x/b 644 2\n"},
	{"several_sources_need_a_folder", "f a 644 1\nf b 644 2\n", "", .words = {"a", "b"},
		.dest = "/x", .code = SB_E_USAGE, .expect = "there is none at '/x'"},
	{"later_sources_win", "d p 755\nf p/n 644 1\nd q 755\nf q/n 600 2\n", "",
		.words = {"p", "q"}, .dest = "/x/", .expect = "d x 755\nf x/n 600 2\n"},

	{"octal_chmod_is_for_parents_too", TREE, "", .words = {"d"}, .dest = "/p/x", .chmod = "750",
		.expect = "d p 750\nd p/x 750\nf p/x/one 750 1\nd p/x/sub 750\nf p/x/sub/two 750 "
			  "2\n"},
	{"symbolic_chmod_is_for_what_is_copied", TREE, "", .words = {"d"}, .dest = "/p/x",
		.chmod = "u=rwX,go=rX",
		.expect = "d p 755\nd p/x 755\nf p/x/one 644 1\nd p/x/sub 755\nf p/x/sub/two 644 "
			  "2\n"},
	{"a_bad_chmod_changes_nothing", HELLO, "", .words = {"a"}, .dest = "/x", .chmod = "999",
		.code = SB_E_USAGE, .expect = "invalid --chmod '999'"},

	{"a_heredoc_is_a_file", "", "", .dest = "/x", .heredoc = "EOF", .expect = "f x 644 body\n"},
	{"a_heredoc_goes_into_a_folder_by_its_name", "", "d d 755\n", .dest = "/d",
		.heredoc = "EOF", .expect = "d d 755\nf d/EOF 644 body\n"},
	{"a_heredoc_goes_with_sources", HELLO, "", .words = {"a"}, .dest = "/d/", .heredoc = "EOF",
		.chmod = "700", .expect = "d d 700\nf d/EOF 700 body\nf d/a 700 hello\n"},
	{"a_heredoc_and_a_source_need_a_slash", HELLO, "", .words = {"a"}, .dest = "/d",
		.heredoc = "EOF", .code = SB_E_USAGE, .expect = "several sources"},

	{"an_ignored_file_is_not_there", HELLO, "", .ignore = "a\n", .words = {"a"}, .dest = "/x",
		.code = SB_E_NOT_FOUND, .expect = "'a': not found in the build context",
		.hint = "'a' is excluded by .dockerignore"},
	{"ignored_entries_are_passed_over", "f a 644 1\nf b.log 644 2\nd d 755\nf d/c.log 644 3\n",
		"", .ignore = "**/*.log\n", .words = {"."}, .dest = "/",
		.expect = "f a 644 1\nd d 755\n"},
	{"ignored_entries_do_not_match", "f a 644 1\nf b 644 2\n", "", .ignore = "b\n",
		.words = {"*"}, .dest = "/x", .expect = "f x 644 1\n"},
	{"what_is_included_again_is_reached",
		"d d 711\nf d/no 644 1\nd d/e 700\nf d/e/yes 644 2\nf d/e/no 644 3\nd f 755\nf "
		"f/no "
		"644 4\n",
		"", .ignore = "*\n!d/e/yes\n", .words = {"."}, .dest = "/",
		.expect = "d d 711\nd d/e 700\nf d/e/yes 644 2\n"},
	{"an_ignored_folder_with_something_included_is_there",
		"d d 755\nf d/no 644 1\nf d/yes 644 "
		"2\n",
		"", .ignore = "d\n!d/yes\n", .words = {"d"}, .dest = "/x",
		.expect = "d x 755\nf x/yes 644 2\n"},
	{"an_ignored_folder_with_nothing_left_is_not_there", "d d 755\nf d/no 644 1\n", "",
		.ignore = "d\n!d/yes\n", .words = {"d"}, .dest = "/x", .code = SB_E_NOT_FOUND,
		.expect = "'d': not found", .hint = "excluded"},
	{"a_link_does_not_lead_to_what_is_ignored", "f key 600 private\nl s key\n", "",
		.ignore = "key\n", .words = {"s"}, .dest = "/x", .code = SB_E_NOT_FOUND,
		.expect = "'s': not found", .hint = "'key' is excluded"},
	{"a_link_to_a_folder_does_not_lead_to_what_is_ignored",
		"d d 755\nf d/key 600 private\nf d/ok 644 1\nl s d\n", "", .ignore = "d/key\n",
		.words = {"s"}, .dest = "/x", .expect = "d x 755\nf x/ok 644 1\n"},
	{"a_suggestion_never_names_what_is_ignored", "f secret.key 600 -\n", "",
		.ignore = "secret.key\n", .words = {"secret.kez"}, .dest = "/x",
		.code = SB_E_NOT_FOUND, .expect = "'secret.kez': not found"},
};

static struct sb_idmap test_ids(void)
{
	const uint32_t n = geteuid() == 0 ? 65536 : 1;

	return (struct sb_idmap){.uid_count = n, .gid_count = n};
}

static int run(const struct copy_case *c, const struct fixture *f, struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO(sb_ignore) ignore = NULL;
	sb_autofree char *name = sb_strdup_or_null(c->heredoc);
	char body[] = "body";
	const struct sb_heredoc heredoc = {.name = name, .body = body, .len = 4};

	for (size_t i = 0; i < MAX_WORDS && c->words[i] != NULL; i++)
		sb_strv_add(&sources, c->words[i]);
	if (c->ignore != NULL)
		assert_int_equal(sb_ignore_parse(".dockerignore", c->ignore, strlen(c->ignore),
					 &ignore, err),
			0);

	const struct sb_copy copy = {
		.source_fd = f->source_fd,
		.source_is_context = !c->is_stage,
		.ignore = ignore,
		.root_fd = f->root_fd,
		.ids = test_ids(),
		.sources = &sources,
		.heredocs = &heredoc,
		.n_heredocs = c->heredoc != NULL ? 1 : 0,
		.dest = c->dest,
		.workdir = c->workdir != NULL ? c->workdir : "/",
		.chmod = c->chmod,
		.warnings = &warnings,
	};
	const int rc = sb_copy_files(&copy, err);

	assert_int_equal(warnings.len, 0);
	return rc;
}

static void run_case(void **state)
{
	const struct copy_case *c = *state;
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
		if (c->hint == NULL && err.hint != NULL && strstr(err.hint, "did you mean"))
			fail_msg("hint '%s'", err.hint);
		fixture_expect(f.root_fd, c->root);
	} else {
		assert_int_equal(c->code, SB_OK);
		fixture_expect(f.root_fd, c->expect);
	}
	fixture_expect(f.outside_fd, "");
	fixture_release(&f);
}

int main(void)
{
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	struct CMUnitTest tests[N];

	for (size_t i = 0; i < N; i++) {
		union {
			const struct copy_case *from;
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
