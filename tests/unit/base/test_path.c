/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

struct path_case {
	const char *path;
	const char *expected;
};

static void check(const struct path_case *cases, size_t n, char *(*function)(const char *))
{
	for (size_t i = 0; i < n; i++) {
		sb_autofree char *got = function(cases[i].path);

		assert_string_equal(got, cases[i].expected);
	}
}

/* The table of Go's own test of path.Clean, and some. */
static void cleaning_is_as_in_go(void **state)
{
	static const struct path_case cases[] = {{"", "."}, {"abc", "abc"}, {"abc/def", "abc/def"},
		{"a/b/c", "a/b/c"}, {".", "."}, {"..", ".."}, {"../..", "../.."},
		{"../../abc", "../../abc"}, {"/abc", "/abc"}, {"/", "/"}, {"abc/", "abc"},
		{"abc/def/", "abc/def"}, {"a/b/c/", "a/b/c"}, {"./", "."}, {"../", ".."},
		{"../../", "../.."}, {"/abc/", "/abc"}, {"abc//def//ghi", "abc/def/ghi"},
		{"//abc", "/abc"}, {"///abc", "/abc"}, {"//abc//", "/abc"}, {"abc//", "abc"},
		{"abc/./def", "abc/def"}, {"/./abc/def", "/abc/def"}, {"abc/.", "abc"},
		{"abc/def/ghi/../jkl", "abc/def/jkl"}, {"abc/def/../ghi/../jkl", "abc/jkl"},
		{"abc/def/..", "abc"}, {"abc/def/../..", "."}, {"/abc/def/../..", "/"},
		{"abc/def/../../..", ".."}, {"/abc/def/../../..", "/"},
		{"abc/def/../../../ghi/jkl/../../../mno", "../../mno"}, {"abc/./../def", "def"},
		{"abc//./../def", "def"}, {"abc/../../././../def", "../../def"}, {"/..", "/"},
		{"/../..", "/"}, {"../../a/..", "../.."}, {"../../a/../..", "../../.."},
		{"...", "..."}, {"..a/.b", "..a/.b"}, {"a/...", "a/..."}, {"//..//a//.//", "/a"}};

	(void)state;
	check(cases, N_OF(cases), sb_path_clean);
}

static void base_and_dir_split_at_the_last_part(void **state)
{
	static const struct path_case bases[] = {{"/", "/"}, {"", "."}, {".", "."}, {"a", "a"},
		{"a/b/", "b"}, {"/a", "a"}, {"a/..", "."}, {"..", ".."}};
	static const struct path_case dirs[] = {{"/", "/"}, {"", "."}, {"a", "."}, {"/a", "/"},
		{"a/b/", "a"}, {"/a/b", "/a"}, {"/a/b/..", "/"}, {"../a", ".."}};

	(void)state;
	check(bases, N_OF(bases), sb_path_base);
	check(dirs, N_OF(dirs), sb_path_dir);
}

static void nothing_leaves_the_root(void **state)
{
	static const struct path_case cases[] = {{"", "."}, {"/", "."}, {".", "."}, {"..", "."},
		{"../../etc/passwd", "etc/passwd"}, {"/../a", "a"}, {"a/../../b", "b"},
		{"//a//b/", "a/b"}};

	(void)state;
	check(cases, N_OF(cases), sb_path_below_root);
}

static void joining_keeps_absolute_paths_below_and_resolving_does_not(void **state)
{
	static const struct {
		const char *base;
		const char *path;
		const char *joined;
		const char *resolved;
	} cases[] = {{"/a", "b", "/a/b", "/a/b"}, {"/a", "/b", "/a/b", "/b"},
		{"/a", "../../b", "/b", "/b"}, {"/a", "", "/a", "/a"}, {"/", "x", "/x", "/x"},
		{"a", "..", ".", "."}, {"a", "/x/../y/", "a/y", "/y"}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		sb_autofree char *joined = sb_path_join(cases[i].base, cases[i].path);
		sb_autofree char *resolved = sb_path_resolve(cases[i].base, cases[i].path);

		assert_string_equal(joined, cases[i].joined);
		assert_string_equal(resolved, cases[i].resolved);
	}
}

static void below_means_whole_parts(void **state)
{
	static const struct {
		const char *dir;
		const char *path;
		bool is_below;
	} cases[] = {{"/a", "/a", true}, {"/a", "/a/b", true}, {"/a", "/ab", false},
		{"/a/b", "/a", false}, {"/", "/x", true}, {"/", "x", false}, {".", "x", true},
		{".", ".", true}, {".", "..", false}, {".", "../x", false}, {".", "..x", true},
		{".", "/x", false}, {"a", "a/b", true}, {"..", "../a", true},
		{"..", "../..", false}, {"..", "../../a", false}, {"..", "../..a", true}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(sb_path_is_below(cases[i].dir, cases[i].path), cases[i].is_below);
}

static void paths_are_in_the_order_of_a_walk(void **state)
{
	/* Each before the next. */
	static const char *const sorted[] = {
		".", "a", "a/b", "a/b/c", "a/c", "a-b", "a.b", "aa", "b", "b/a", "b ", "\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < N_OF(sorted); i++) {
		assert_int_equal(sb_path_compare(sorted[i], sorted[i]), 0);
		for (size_t k = i + 1; k < N_OF(sorted); k++) {
			assert_int_equal(sb_path_compare(sorted[i], sorted[k]), -1);
			assert_int_equal(sb_path_compare(sorted[k], sorted[i]), 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleaning_is_as_in_go),
		cmocka_unit_test(base_and_dir_split_at_the_last_part),
		cmocka_unit_test(nothing_leaves_the_root),
		cmocka_unit_test(joining_keeps_absolute_paths_below_and_resolving_does_not),
		cmocka_unit_test(below_means_whole_parts),
		cmocka_unit_test(paths_are_in_the_order_of_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
