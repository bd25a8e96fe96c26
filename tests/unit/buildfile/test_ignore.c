/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/ignore.h"

static struct sb_ignore *parse(const char *text)
{
	struct sb_ignore *ignore = NULL;
	struct sb_error err = SB_ERROR_INIT;

	if (sb_ignore_parse(".dockerignore", text, strlen(text), &ignore, &err) < 0)
		fail_msg("'%s': %s", text, err.message);
	return ignore;
}

static void patterns_exclude_what_they_match(void **state)
{
	static const struct {
		const char *text;
		const char *path;
		bool excluded;
	} rows[] = {
		{"", "a", false},
		{"a", "a", true},
		{"a", "b", false},
		{"a", "b/a", false},
		{"a", "a/b", true},
		{"a", "a/b/c", true},
		{"a", "ab", false},
		{"a/", "a/b", true},
		{"/a", "a", true},
		{"./a", "a", true},
		{"a//b", "a/b", true},
		{"a/../b", "b", true},
		{"../a", "a", false},
		{"/", "a", false},
		{".", "a", false},
		{"# a", "a", false},
		{"# a\nb", "# a", false},
		{" # a", "# a", true},
		{"\n\n  a  \n", "a", true},
		{"a\r\nb\r\n", "a", true},
		{"a\r\nb\r\n", "b", true},
		{"\xEF\xBB\xBF"
		 "a",
			"a", true},
		{"*", "a", true},
		{"*", "a/b", true},
		{"*", ".git", true},
		{"*.log", "x.log", true},
		{"*.log", "d/x.log", false},
		{"*/x.log", "d/x.log", true},
		{"*/x.log", "d/e/x.log", false},
		{"**/x.log", "x.log", true},
		{"**/x.log", "d/e/x.log", true},
		{"**/x.log", "d/yx.log", false},
		{"**/*.log", "d/e/y.log", true},
		{"**.log", "d/y.log", true},
		{"a/**", "a", false},
		{"a/**", "a/b", true},
		{"a/**", "a/b/c", true},
		{"a/**/c", "a/c", true},
		{"a/**/c", "a/b/c", true},
		{"a/**/c", "a/b/b/c", true},
		{"a/**/c", "a/bc", false},
		{"**", "a/b", true},
		{"**/node_modules", "x/node_modules/y/z", true},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[^a-c]x", "dx", true},
		{"a[^b]c", "a/c", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"a.c", "abc", false},
		{"a+(b)", "a+(b)", true},
		{"A", "a", false},
		{"\xC3\xA9?", "\xC3\xA9\xC3\xA8", true},
		{"a\t", "a", true},
		{"\ta", "a", true},
		{"a b", "a b", true},
		{"a#b", "a#b", true},
		{"/a/", "a", true},
		{"/a/b", "a/b", true},
		{"a/./b", "a/b", true},
		{"..", "..", true},
		{"a/b/..", "a/c", true},
		{"a*", "abc", true},
		{"a*", "b/abc", false},
		{"a*", "abc/d", true},
		{"*/b", "a/b/c", true},
		{"*/*", "a", false},
		{"*/*", "a/b", true},
		{"?", "ab", false},
		{"?", "\xC3\xA9", true},
		{"**/a", "b/c/a/d", true},
		{"**/a/**", "b/a", false},
		{"**/a/**", "b/a/c", true},
		{"a/**/b/**/c", "a/b/c", true},
		{"a/**/b/**/c", "a/x/b/y/c", true},
		{"a/**/b/**/c", "a/x/c", false},
		{"**/.*", "a/.b", true},
		{"**/.*", "a/b", false},
		{"a**", "ab", true},
		{"a**b", "ab", true},
		{"a**b", "ax/b", true},
		{"a**b", "axb", false},
		{"[*]", "*", true},
		{"[*]", "a", false},
		{"a\\*", "a*", true},
		{"a\\*", "ab", false},
		{"\\#a", "#a", true},
		{"\\!a", "!a", true},
		{"a$", "a$", true},
		{"(a|b)", "a", false},
		{"{a,b}", "a", false},
		/* the order, and what `!` takes back */
		{"*\n!a", "a", false},
		{"*\n!a", "b", true},
		{"!a\n*", "a", true},
		{"*\n!a\na", "a", true},
		{"a\n!a/b", "a/b", false},
		{"a\n!a/b", "a/c", true},
		{"a\n!a/b", "a/b/c", false},
		{"a\n!a/b\na", "a/b", true},
		{"*\n! a", "a", false},
		{"*\n!/a", "a", false},
		{"*\n!src/**", "src/x/y", false},
		{"*\n!src", "src/x/y", false},
		{"**\n!**/*.c", "a/b.c", false},
		{"**\n!**/*.c", "a/b.h", true},
		{"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
		{"*.md\n!README*.md\nREADME-secret.md", "README-x.md", false},
		/* a folder that was never excluded takes nothing back for what is in it */
		{"secrets/key\n!secrets", "secrets/key", true},
		{"**/*.pem\n!certs", "certs/a.pem", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_ignore) ignore = parse(rows[i].text);

		if (sb_ignore_excludes(ignore, rows[i].path) != rows[i].excluded)
			fail_msg("'%s' and '%s': expected %d", rows[i].text, rows[i].path,
				rows[i].excluded);
	}
}

static void nothing_is_ignored_without_a_file(void **state)
{
	(void)state;
	assert_false(sb_ignore_excludes(NULL, "a"));
	assert_true(sb_ignore_may_include_below(NULL, "a"));
}

static void the_context_itself_is_never_excluded(void **state)
{
	SB_AUTO(sb_ignore) ignore = parse("**");

	(void)state;
	assert_false(sb_ignore_excludes(ignore, "."));
	assert_true(sb_ignore_may_include_below(ignore, "."));
}

static void excluded_folders_are_walked_only_for_what_may_be_included(void **state)
{
	static const struct {
		const char *text;
		const char *dir;
		bool walked;
	} rows[] = {
		{"a", "a", false},
		{"a", "b", true},
		{"a\n!a/b", "a", true},
		{"*\n!a/b", "a", true},
		{"*\n!a/b", "c", false},
		{"*\n!a/b", "ab", false},
		{"!a/b\na", "a", false},
		{"*\n!**/x", "c", true},
		{"*\n!a/*/x", "a/q", true},
		{"*\n!a/*/x", "a/q/r", false},
		{"*\n!a", "a", true},
		{"a/b\n!a/b/c/d", "a/b/c", true},
		{"a/b\n!a/b/c/d", "a/b/x", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_ignore) ignore = parse(rows[i].text);

		if (sb_ignore_may_include_below(ignore, rows[i].dir) != rows[i].walked)
			fail_msg("'%s' and '%s': expected %d", rows[i].text, rows[i].dir,
				rows[i].walked);
	}
}

static void malformed_patterns_are_named_with_their_line(void **state)
{
	static const char *const rows[] = {"a\n!\n", "a\n ! \n", "a\n[b\n", "a\nb\\\n", "a\n[]\n",
		"a\n[b-]\n", "a\n[-b]\n", "a\n[^]\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_ignore *ignore = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_ignore_parse("x/.dockerignore", rows[i], strlen(rows[i]), &ignore, &err),
			-1);
		assert_int_equal(err.code, SB_E_SYNTAX);
		assert_string_equal(err.at.file, "x/.dockerignore");
		assert_int_equal(err.at.line, 2);
		assert_non_null(err.hint);
	}
}

static void nul_bytes_and_huge_files_are_refused(void **state)
{
	struct sb_ignore *ignore = NULL;
	SB_AUTO_ERROR nul = SB_ERROR_INIT;
	SB_AUTO_ERROR huge = SB_ERROR_INIT;
	sb_autofree char *text = sb_calloc(SB_MAX_IGNORE_FILE + 1, 1);

	(void)state;
	assert_int_equal(sb_ignore_parse("f", "a\0b", 3, &ignore, &nul), -1);
	assert_int_equal(nul.code, SB_E_SYNTAX);
	assert_int_equal(sb_ignore_parse("f", text, SB_MAX_IGNORE_FILE + 1, &ignore, &huge), -1);
	assert_int_equal(huge.code, SB_E_LIMIT);
}

static void patterns_given_one_by_one_have_no_comments(void **state)
{
	static const struct {
		const char *patterns[3];
		const char *path;
		bool excluded;
	} rows[] = {
		{{"#a"}, "#a", true},
		{{"  a\t"}, "a", true},
		{{"", " "}, "a", false},
		{{"/a/"}, "a/b", true},
		{{"*", "!a"}, "a", false},
		{{"!a", "*"}, "a", true},
		{{"a\nb"}, "b", false},
		{{"a\nb"}, "a\nb", true},
	};
	SB_AUTO_STRV bad = SB_STRV_INIT;
	struct sb_ignore *none = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_STRV patterns = SB_STRV_INIT;
		SB_AUTO(sb_ignore) ignore = NULL;

		for (size_t k = 0; k < 3 && rows[i].patterns[k] != NULL; k++)
			sb_strv_add(&patterns, rows[i].patterns[k]);
		assert_int_equal(sb_ignore_of_patterns(&patterns, &ignore, &err), 0);
		if (sb_ignore_excludes(ignore, rows[i].path) != rows[i].excluded)
			fail_msg("'%s' and '%s'", rows[i].patterns[0], rows[i].path);
	}
	sb_strv_add(&bad, "[a");
	assert_int_equal(sb_ignore_of_patterns(&bad, &none, &err), -1);
	assert_int_equal(err.code, SB_E_SYNTAX);
}

/* Read anew for each folder, this path would take minutes. */
static void the_depth_of_a_folder_costs_nothing(void **state)
{
	enum { DEPTH = 100000 };
	SB_AUTO(sb_ignore) ignore = parse("**/x/**/y\n*.log\n**\n!**/d/**/z\na/b/c/d\n");
	struct sb_ignore_place *place = sb_ignore_root(ignore);
	struct sb_ignore_verdict verdict = {0};

	(void)state;
	for (size_t i = 0; i < DEPTH; i++) {
		struct sb_ignore_place *below = NULL;

		verdict = sb_ignore_judge(ignore, place, i % 2 == 0 ? "d" : "x", &below);
		sb_ignore_place_free(place);
		place = below;
		assert_true(verdict.is_excluded && verdict.may_include_below);
	}
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO(sb_ignore_place) below = NULL;

		verdict = sb_ignore_judge(ignore, place, i == 0 ? "y" : "z", &below);
		assert_int_equal(verdict.is_excluded, i == 0);
	}
	sb_ignore_place_free(place);
}

static void globs_match_as_filepath_match_does(void **state)
{
	static const struct {
		const char *pattern;
		const char *path;
		int result;
	} rows[] = {
		{"abc", "abc", 1},
		{"*", "abc", 1},
		{"*", "", 1},
		{"", "", 1},
		{"", "a", 0},
		{"*c", "abc", 1},
		{"a*", "a", 1},
		{"a*", "ab/c", 0},
		{"a*/b", "abc/b", 1},
		{"a*/b", "a/c/b", 0},
		{"a*b*c*d*e*/f", "axbxcxdxe/f", 1},
		{"a*b*c*d*e*/f", "axbxcxdxexxx/fff", 0},
		{"a*b?c*x", "abxbbxdbxebxczzx", 1},
		{"a*b?c*x", "abxbbxdbxebxczzy", 0},
		{"ab[c]", "abc", 1},
		{"ab[b-d]", "abc", 1},
		{"ab[e-g]", "abc", 0},
		{"ab[^c]", "abc", 0},
		{"ab[^e-g]", "abc", 1},
		{"a\\*b", "a*b", 1},
		{"a\\*b", "ab", 0},
		{"a?b",
			"a\xE2\x98\xBA"
			"b",
			1},
		{"a[^a]b",
			"a\xE2\x98\xBA"
			"b",
			1},
		{"a???b",
			"a\xE2\x98\xBA"
			"b",
			0},
		{"[a-\xCE\xB6]*", "\xCE\xB1", 1},
		{"a?b", "a/b", 0},
		{"a*b", "a/b", 0},
		{"[\\]a]", "]", 1},
		{"[\\-]", "-", 1},
		{"[x\\-]", "-", 1},
		{"[]a]", "]", -1},
		{"[-]", "-", -1},
		{"[x-]", "x", -1},
		{"[-x]", "x", -1},
		{"\\", "a", -1},
		{"[a-b-c]", "a", -1},
		{"[", "a", -1},
		{"[^", "a", -1},
		{"[^bc", "a", -1},
		{"a[", "ab", -1},
		{"a[", "x", -1},
		{"*x", "xxx", 1},
		{"**", "a/b", 0},
		{"[!a]", "!", 1},
		{"[z-a]", "b", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sb_glob_match(rows[i].pattern, rows[i].path) != rows[i].result)
			fail_msg("'%s' and '%s': expected %d", rows[i].pattern, rows[i].path,
				rows[i].result);
}

static void hostile_globs_end_in_time(void **state)
{
	sb_autofree char *path = sb_calloc(4001, 1);
	sb_autofree char *pattern = sb_calloc(2001, 1);

	(void)state;
	memset(path, 'a', 4000);
	for (size_t i = 0; i < 1000; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	pattern[1999] = 'b';
	assert_int_equal(sb_glob_match(pattern, path), 0);
}

static void wildcards_are_seen(void **state)
{
	(void)state;
	assert_false(sb_glob_has_wildcard("a/b.c"));
	assert_true(sb_glob_has_wildcard("a*"));
	assert_true(sb_glob_has_wildcard("a?"));
	assert_true(sb_glob_has_wildcard("[a]"));
	assert_true(sb_glob_has_wildcard("a\\b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_exclude_what_they_match),
		cmocka_unit_test(nothing_is_ignored_without_a_file),
		cmocka_unit_test(the_context_itself_is_never_excluded),
		cmocka_unit_test(excluded_folders_are_walked_only_for_what_may_be_included),
		cmocka_unit_test(malformed_patterns_are_named_with_their_line),
		cmocka_unit_test(nul_bytes_and_huge_files_are_refused),
		cmocka_unit_test(patterns_given_one_by_one_have_no_comments),
		cmocka_unit_test(the_depth_of_a_folder_costs_nothing),
		cmocka_unit_test(globs_match_as_filepath_match_does),
		cmocka_unit_test(hostile_globs_end_in_time),
		cmocka_unit_test(wildcards_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
