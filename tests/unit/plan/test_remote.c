/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/remote.h"

static const char *or_none(const char *text)
{
	return text != NULL ? text : "-";
}

static void words_are_told_apart(void **state)
{
	static const struct {
		const char *word;
		enum sb_remote_kind in_buildfile, by_user;
	} cases[] = {
		{"file", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"./a@b:c", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"a@b", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"a@b:", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"-o@b:c", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"git@-b:c", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"git@b:-c", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"httpd://x", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"ftp://x/y", SB_REMOTE_NONE, SB_REMOTE_NONE},
		{"http://x/y", SB_REMOTE_HTTP, SB_REMOTE_HTTP},
		{"https://x/y.git.tar", SB_REMOTE_HTTP, SB_REMOTE_HTTP},
		{"https://x/y?a=.git", SB_REMOTE_HTTP, SB_REMOTE_HTTP},
		{"https://x/y.git", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"https://x/y.git#v1", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"http://x/y.git?ref=v1", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"git://x/y", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"ssh://git@x/y", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"git@x:y/z", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"me@example.org:~/y", SB_REMOTE_GIT, SB_REMOTE_GIT},
		{"file:///srv/x", SB_REMOTE_NONE, SB_REMOTE_GIT},
		{"github.com/a/b", SB_REMOTE_NONE, SB_REMOTE_GIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (sb_remote_kind_of(cases[i].word, SB_REMOTE_IN_BUILDFILE) !=
				cases[i].in_buildfile ||
			sb_remote_kind_of(cases[i].word, SB_REMOTE_BY_USER) != cases[i].by_user)
			fail_msg("'%s' is taken for something else", cases[i].word);
	}
}

static void a_files_address_is_taken_apart(void **state)
{
	static const struct {
		const char *word, *url, *shown, *user_info, *host, *name;
	} cases[] = {
		{"http://h/a/b.txt", "http://h/a/b.txt", "http://h/a/b.txt", "-", "h", "b.txt"},
		{"https://h:1/a?sig=x#frag", "https://h:1/a?sig=x", "https://h:1/a", "-", "h:1",
			"a"},
		{"https://u:p%40@h/a%20b", "https://h/a%20b", "https://h/a%20b", "u:p@", "h",
			"a b"},
		{"https://u@x@h/f", "https://h/f", "https://h/f", "u@x", "h", "f"},
		{"https://h", "https://h", "https://h", "-", "h", "__unnamed__"},
		{"https://h?a/b", "https://h?a/b", "https://h", "-", "h", "__unnamed__"},
		{"https://h/", "https://h/", "https://h/", "-", "h", "__unnamed__"},
		{"https://h/d/", "https://h/d/", "https://h/d/", "-", "h", "d"},
		{"https://h/..", "https://h/..", "https://h/..", "-", "h", "__unnamed__"},
		{"https://h/%2e%2e", "https://h/%2e%2e", "https://h/%2e%2e", "-", "h",
			"__unnamed__"},
		{"https://h/a%2Fb", "https://h/a%2Fb", "https://h/a%2Fb", "-", "h", "b"},
		{"https://h/a%00b", "https://h/a%00b", "https://h/a%00b", "-", "h", "__unnamed__"},
		{"https://h/a%zz%4", "https://h/a%zz%4", "https://h/a%zz%4", "-", "h", "a%zz%4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_remote) r = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_remote_parse(cases[i].word, SB_REMOTE_IN_BUILDFILE, &r, &err), 0);
		assert_int_equal(r.kind, SB_REMOTE_HTTP);
		assert_string_equal(r.url, cases[i].url);
		assert_string_equal(r.shown, cases[i].shown);
		assert_string_equal(or_none(r.user_info), cases[i].user_info);
		assert_string_equal(r.host, cases[i].host);
		assert_string_equal(r.name, cases[i].name);
	}
}

static void a_repositorys_address_is_taken_apart(void **state)
{
	static const struct {
		const char *word, *url, *host, *ref, *subdir, *commit;
		bool keeps, no_submodules;
	} cases[] = {
		{"https://h/r.git", "https://h/r.git", "h", "-", "-", "-", false, false},
		{"https://h/r.git#v1", "https://h/r.git", "h", "v1", "-", "-", false, false},
		{"https://h/r.git#a/b:c/d", "https://h/r.git", "h", "a/b", "c/d", "-", false,
			false},
		{"https://h/r.git#:../../c/", "https://h/r.git", "h", "-", "c", "-", false, false},
		{"https://h/r.git#a%2Fb", "https://h/r.git", "h", "a/b", "-", "-", false, false},
		{"https://u:p@h/r.git#v1:d", "https://h/r.git", "h", "v1", "d", "-", false, false},
		{"git@h:r/s#v1:d", "git@h:r/s", "h", "v1", "d", "-", false, false},
		{"git@h:r://s#v1:d", "git@h:r://s", "h", "v1", "d", "-", false, false},
		{"github.com/a#v://b", "https://github.com/a", "github.com", "v", "b", "-", false,
			false},
		{"ssh://git:pw@h:22/r#v1", "ssh://git@h:22/r", "h:22", "v1", "-", "-", false,
			false},
		{"git://h/r?branch=b", "git://h/r", "h", "refs/heads/b", "-", "-", false, false},
		{"git://h/r?tag=refs/tags/t", "git://h/r", "h", "refs/tags/t", "-", "-", false,
			false},
		{"https://h/r.git?ref=a&subdir=x%20y&keep-git-dir&submodules=false",
			"https://h/r.git", "h", "a", "x y", "-", true, true},
		{"https://h/r.git?commit=0123456", "https://h/r.git", "h", "0123456", "-",
			"0123456", false, false},
		{"https://h/r.git?checksum=0123456&tag=t", "https://h/r.git", "h", "refs/tags/t",
			"-", "0123456", false, false},
		{"github.com/a/b#v", "https://github.com/a/b", "github.com", "v", "-", "-", false,
			false},
		{"file:///srv/r#v", "file:///srv/r", "", "v", "-", "-", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_remote) r = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_remote_parse(cases[i].word, SB_REMOTE_BY_USER, &r, &err) < 0)
			fail_msg("%s: %s", cases[i].word, err.message);
		assert_int_equal(r.kind, SB_REMOTE_GIT);
		assert_string_equal(r.url, cases[i].url);
		assert_string_equal(r.shown, cases[i].url);
		assert_string_equal(r.host, cases[i].host);
		assert_string_equal(or_none(r.ref), cases[i].ref);
		assert_string_equal(or_none(r.subdir), cases[i].subdir);
		assert_string_equal(or_none(r.commit), cases[i].commit);
		assert_int_equal(r.keep_git_dir, cases[i].keeps);
		assert_int_equal(r.no_submodules, cases[i].no_submodules);
	}
}

static void what_git_would_take_for_something_else_is_refused(void **state)
{
	static const char *const words[] = {
		"https://h/r.git#-x",
		"https://h/r.git#--upload-pack=x",
		"https://h/r.git#+a",
		"https://h/r.git#^a",
		"https://h/r.git?ref=a:b",
		"https://h/r.git#a*",
		"https://h/r.git#a..b",
		"https://h/r.git#a@%7B1%7D",
		"https://h/r.git#a%0Ab",
		"https://h/r.git#a%00b",
		"https://h/r.git?ref=",
		"https://h/r.git?ref",
		"https://h/r.git?ref=a#b",
		"https://h/r.git?tag=a&branch=b",
		"https://h/r.git?color=blue",
		"https://h/r.git?commit=xyz",
		"https://h/r.git?commit=012345",
		"https://h/r.git?submodules=perhaps",
		"https:///r.git",
		"ssh://-oProxyCommand=x/r",
		"file://host/r",
		"http:///f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		SB_AUTO_VALUE(sb_remote) r = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_remote_parse(words[i], SB_REMOTE_BY_USER, &r, &err) == 0)
			fail_msg("'%s' is taken", words[i]);
		assert_int_equal(err.code, SB_E_SYNTAX);
	}
}

static void passwords_in_an_instructions_text_are_hidden(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"ADD https://u:p@h/f /", "ADD https://h/f /"},
		{"ADD http://token@h:80/f https://a:b@c@d/ /", "ADD http://h:80/f https://d/ /"},
		{"ADD [\"https://u:p@h\", \"/\"]", "ADD [\"https://h\", \"/\"]"},
		{"ADD https://$U:$P@h/f /", "ADD https://h/f /"},
		{"ADD https://u:p@", "ADD https://"},
		{"ADD https://h/f?to=a@b /", "ADD https://h/f?to=a@b /"},
		{"ADD https://h u@h /", "ADD https://h u@h /"},
		{"ADD git@h:r.git ssh://git@h/r /", "ADD git@h:r.git ssh://git@h/r /"},
		{"https://", "https://"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *shown = sb_remote_hide_passwords(cases[i].text);

		assert_string_equal(shown, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_told_apart),
		cmocka_unit_test(a_files_address_is_taken_apart),
		cmocka_unit_test(a_repositorys_address_is_taken_apart),
		cmocka_unit_test(what_git_would_take_for_something_else_is_refused),
		cmocka_unit_test(passwords_in_an_instructions_text_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
