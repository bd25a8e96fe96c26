/* SPDX-License-Identifier: MIT */
#include "explore/tree.h"
#include "explore_fixture.h"

/* The rows as text, one a line: sign, depth in blanks, name, '/' for what has rows below, '>' for
 * what of it is folded, size. */
static char *rows_text(const struct sb_tree *tree)
{
	static const char signs[] = "?=+~-";
	char *text = sb_strdup("");

	for (size_t i = 0; i < sb_tree_n_rows(tree); i++) {
		struct sb_tree_row row;
		uint64_t rails = 0;

		sb_tree_row(tree, i, &row, &rails);

		char *longer = sb_asprintf("%s%c%*s%.*s%s%s %llu\n", text, signs[row.status],
			(int)row.depth, "", (int)row.name_len, row.name, row.is_folder ? "/" : "",
			row.is_folder && !row.is_open ? ">" : "",
			(unsigned long long)row.size_bytes);

		free(text);
		text = longer;
	}
	return text;
}

static void check_rows(const struct sb_tree *tree, const char *expected)
{
	sb_autofree char *text = rows_text(tree);

	assert_string_equal(text, expected);
}

static void show_layer(struct sb_tree *tree, size_t layer, bool is_aggregated)
{
	const struct sb_tree_view view = {.layer = layer, .is_aggregated = is_aggregated};

	sb_tree_set_view(tree, &view);
}

static void each_layer_shows_what_it_changed(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);

	(void)state;
	check_rows(tree, "+bin/ 3000\n+ sh 3000\n+etc/ 100\n+ passwd 100\n+spool 5\n");
	show_layer(tree, 1, false);
	check_rows(tree, "+app/ 2010\n+ again 2000\n+ config 10\n+ server 2000\n"
			 "=bin/> 3000\n"
			 "+doc/ 100\n+ a 70\n+ b 30\n"
			 "=etc/ 113\n= passwd 100\n+ secret.txt 13\n"
			 "=spool 5\n");
	show_layer(tree, 2, false);
	check_rows(tree, "=app/ 2020\n= again 2000\n~ config 20\n+ link 0\n= server 2000\n"
			 "=bin/> 3000\n"
			 "-doc/ 100\n- a 70\n- b 30\n"
			 "=etc/ 100\n= passwd 100\n- secret.txt 13\n"
			 "-spool/ 5\n+ x 1\n");
}

static void the_changes_since_the_first_layer_are_all_of_them(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);

	(void)state;
	show_layer(tree, 2, true);
	/* What came and went in between is in neither. */
	check_rows(tree, "+app/ 2020\n+ again 2000\n+ config 20\n+ link 0\n+ server 2000\n"
			 "=bin/> 3000\n"
			 "=etc/> 100\n"
			 "-spool/ 5\n+ x 1\n");
	assert_int_equal(sb_tree_count(tree, SB_TREE_ADDED), 5);
	assert_int_equal(sb_tree_count(tree, SB_TREE_REMOVED), 1);
}

static void what_was_removed_shows_the_entry_that_can_be_read(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);
	struct sb_tree_row row;
	uint64_t rails = 0;

	(void)state;
	show_layer(tree, 2, false);
	for (size_t i = 0; i < sb_tree_n_rows(tree); i++) {
		sb_autofree char *path = sb_tree_path(tree, i);

		sb_tree_row(tree, i, &row, &rails);
		if (strcmp(path, "etc/secret.txt") != 0)
			continue;
		assert_true(row.has_entry);
		assert_int_equal(row.layer, 1);
		assert_int_equal(row.entry, 3);
		return;
	}
	fail_msg("no row of etc/secret.txt");
}

static void a_filter_leaves_what_leads_to_it(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);

	(void)state;
	show_layer(tree, 2, false);
	sb_tree_set_filter(tree, "SECRET");
	check_rows(tree, "");
	sb_tree_set_filter(tree, "secret");
	check_rows(tree, "=etc/ 100\n- secret.txt 13\n");
	sb_tree_set_filter(tree, "app/s");
	check_rows(tree, "=app/ 2020\n= server 2000\n");
	sb_tree_set_filter(tree, "app/*k");
	check_rows(tree, "=app/ 2020\n+ link 0\n");
	sb_tree_set_filter(tree, "c");
	assert_true(sb_tree_n_rows(tree) > 3);
	sb_tree_set_filter(tree, "");
	assert_int_equal(sb_tree_n_rows(tree), 14);
}

static void statuses_can_be_hidden(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);
	struct sb_tree_view view = {.layer = 2};

	(void)state;
	view.hides[SB_TREE_UNMODIFIED] = true;
	sb_tree_set_view(tree, &view);
	check_rows(tree, "=app/ 2020\n~ config 20\n+ link 0\n-doc/ 100\n- a 70\n- b 30\n"
			 "=etc/ 100\n- secret.txt 13\n-spool/ 5\n+ x 1\n");
	view.hides[SB_TREE_REMOVED] = true;
	sb_tree_set_view(tree, &view);
	check_rows(tree, "=app/ 2020\n~ config 20\n+ link 0\n-spool/ 5\n+ x 1\n");
}

static void rows_are_sorted_by_size(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);
	const struct sb_tree_view view = {.layer = 1, .by_size = true};

	(void)state;
	sb_tree_set_view(tree, &view);
	sb_tree_fold_all(tree, false);
	check_rows(tree, "=bin/> 3000\n+app/> 2010\n=etc/> 113\n+doc/> 100\n=spool 5\n");
}

static void folding_keeps_the_place(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&fixture_source);
	struct sb_tree_row row;
	uint64_t rails = 0;

	(void)state;
	sb_tree_row(tree, 1, &row, &rails);
	assert_int_equal(sb_tree_find(tree, row.node), 1);
	assert_int_equal(sb_tree_parent(tree, 1), 0);
	assert_int_equal(sb_tree_parent(tree, 0), 0);
	sb_tree_fold(tree, 0, false);
	check_rows(tree, "+bin/> 3000\n+etc/ 100\n+ passwd 100\n+spool 5\n");
	/* The nearest folder stands for what it hides. */
	assert_int_equal(sb_tree_find(tree, row.node), 0);
	show_layer(tree, 1, false);
	show_layer(tree, 0, false);
	assert_int_equal(sb_tree_n_rows(tree), 4);
	sb_tree_fold_all(tree, true);
	assert_int_equal(sb_tree_n_rows(tree), 5);
}

static const struct sb_explored_image empty_image = {.name = "", .platform = "", .user = ""};
static const struct sb_explore_source empty_source = {.image = &empty_image, .file = fixture_file};

static void an_image_without_layers_has_no_rows(void **state)
{
	SB_AUTO(sb_tree) tree = sb_tree_new(&empty_source);

	(void)state;
	assert_int_equal(sb_tree_n_rows(tree), 0);
	sb_tree_set_filter(tree, "x");
	sb_tree_fold_all(tree, true);
	assert_int_equal(sb_tree_n_rows(tree), 0);
}

enum { N_DEEP = 900 };

static void deep_file(const void *self, size_t layer, size_t i, struct sb_explored_file *out)
{
	(void)layer;
	(void)i;
	*out = (struct sb_explored_file){
		.path = self, .type = '-', .size_bytes = 1, .gone_layer = NEVER};
}

static void a_path_may_be_as_deep_as_it_can_be(void **state)
{
	sb_autofree char *path = sb_calloc(N_DEEP * 2 + 2, 1);
	const struct sb_explored_layer layer = {"", "", "", 1, 1, 0, 1};
	const struct sb_explored_image image = {.layers = &layer, .n_layers = 1};
	const struct sb_explore_source source = {.image = &image, .file = deep_file, .self = path};

	(void)state;
	for (size_t i = 0; i < N_DEEP; i++)
		memcpy(path + i * 2, "d/", 2);
	path[N_DEEP * 2] = 'f';

	SB_AUTO(sb_tree) tree = sb_tree_new(&source);

	sb_tree_fold_all(tree, true);
	assert_int_equal(sb_tree_n_rows(tree), N_DEEP + 1);

	sb_autofree char *last = sb_tree_path(tree, N_DEEP);

	assert_string_equal(last, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_layer_shows_what_it_changed),
		cmocka_unit_test(the_changes_since_the_first_layer_are_all_of_them),
		cmocka_unit_test(what_was_removed_shows_the_entry_that_can_be_read),
		cmocka_unit_test(a_filter_leaves_what_leads_to_it),
		cmocka_unit_test(statuses_can_be_hidden),
		cmocka_unit_test(rows_are_sorted_by_size),
		cmocka_unit_test(folding_keeps_the_place),
		cmocka_unit_test(an_image_without_layers_has_no_rows),
		cmocka_unit_test(a_path_may_be_as_deep_as_it_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
