/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/suggest.h"

static void edit_distance_counts_swaps_as_one(void **state)
{
	sb_autofree char *huge = sb_calloc(1001, 1);

	(void)state;
	memset(huge, 'x', 1000);
	assert_int_equal(sb_edit_distance("secret", "secret"), 0);
	assert_int_equal(sb_edit_distance("secret", "SECRET"), 0);
	assert_int_equal(sb_edit_distance("secert", "secret"), 1);
	assert_int_equal(sb_edit_distance("secrets", "secret"), 1);
	assert_int_equal(sb_edit_distance("", "abc"), 3);
	assert_true(sb_edit_distance(huge, "a") == SIZE_MAX);
	assert_true(sb_edit_distance("a", huge) == SIZE_MAX);
}

static void suggestions_are_near_or_none(void **state)
{
	static const char *const names[] = {
		"RUN", NULL, "COPY", "HEALTHCHECK", "from", "secret", "pull", "platform"};
	static const struct {
		const char *word;
		const char *expected;
	} rows[] = {
		{"RNU", "RUN"},
		{"cop", "COPY"},
		{"HEALTHCHEK", "HEALTHCHECK"},
		{"HLATHCHEK", "HEALTHCHECK"},
		{"FORM", "from"},
		{"scret", "secret"},
		{"plat", "platform"}, /* its beginning */
		{"push", NULL},       /* not "pull", which is another thing */
		{"xyz", NULL},
		{"R", NULL},
		{"", NULL},
		{"DOCKERFILE", NULL},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		const char *got = sb_suggest(rows[i].word, sb_candidate_string, names, N_OF(names));

		if (rows[i].expected == NULL)
			assert_null(got);
		else if (got == NULL || strcmp(got, rows[i].expected) != 0)
			fail_msg("'%s': %s", rows[i].word, got != NULL ? got : "none");
	}
}

static void the_nearest_is_taken_and_of_two_the_first(void **state)
{
	struct sb_suggestion near = {.typed = "targte"};
	struct sb_suggestion tie = {.typed = "abx"};

	(void)state;
	sb_suggestion_consider(&near, "tag");
	sb_suggestion_consider(&near, "larget");
	sb_suggestion_consider(&near, "target");
	assert_string_equal(near.best, "target");
	sb_suggestion_consider(&tie, "aby");
	sb_suggestion_consider(&tie, "abz");
	assert_string_equal(tie.best, "aby");
}

static void the_hint_is_there_only_with_a_suggestion(void **state)
{
	static const char *const names[] = {"target"};
	SB_AUTO_ERROR near = SB_ERROR_INIT;
	SB_AUTO_ERROR far = SB_ERROR_INIT;

	(void)state;
	(void)sb_fail(&near, SB_E_SYNTAX, "x");
	(void)sb_fail(&far, SB_E_SYNTAX, "x");
	assert_int_equal(sb_hint_suggestion(&near, "tagret", sb_candidate_string, names, 1), -1);
	assert_string_equal(near.hint, "did you mean 'target'?");
	assert_int_equal(sb_hint_suggestion(&far, "xyzzy", sb_candidate_string, names, 1), -1);
	assert_null(far.hint);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(edit_distance_counts_swaps_as_one),
		cmocka_unit_test(suggestions_are_near_or_none),
		cmocka_unit_test(the_nearest_is_taken_and_of_two_the_first),
		cmocka_unit_test(the_hint_is_there_only_with_a_suggestion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
