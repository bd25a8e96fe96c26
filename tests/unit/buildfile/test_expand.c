/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/expand.h"

struct row {
	const char *word;
	const char *expected; /* NULL: fails, with `message` in what is said */
	const char *message;
};

static void fill_env(struct sb_strv *env)
{
	static const char *const items[] = {
		"a=alpha",
		"b=",
		"A=upper",
		"_x=under",
		"n1=digit",
		"1=one",
		"12=twelve",
		"0=zero",
		"?=question",
		"@=at",
		"path=/usr/local/lib/x.tar.gz",
		"rep=aXbXc",
		"sp=two  words",
		"star=a*b*c",
		"q=say \"hi\" 'x'",
		"d=$a",
		"bs=a\\b",
		"utf=\xC3\xA9t\xC3\xA9",
		"nl=l1\nl2",
		"eq=k=v",
		"aa=aaaa",
		"slash=a/b/c",
		"brace=a}b",
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		sb_strv_add(env, items[i]);
}

typedef int (*expand_fn)(
	const char *word, const struct sb_strv *env, char escape, char **out, struct sb_error *err);

static void check_rows(expand_fn expand, char escape, const struct row *rows, size_t n)
{
	SB_AUTO_STRV env = SB_STRV_INIT;
	int failed = 0;

	fill_env(&env);
	for (size_t i = 0; i < n; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *out = NULL;
		const int result = expand(rows[i].word, &env, escape, &out, &err);
		bool good = (result == 0) == (rows[i].expected != NULL);

		if (good && result == 0)
			good = strcmp(out, rows[i].expected) == 0;
		else if (good)
			good = strstr(err.message, rows[i].message) != NULL;
		if (!good) {
			print_error("row %zu '%s': got '%s', error '%s'\n", i, rows[i].word,
				out != NULL ? out : "(none)",
				err.message != NULL ? err.message : "(none)");
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

#define CHECK(expand, escape, rows) \
	check_rows(expand, escape, rows, sizeof(rows) / sizeof((rows)[0]))

static void names_and_values(void **state)
{
	static const struct row rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"$a", "alpha"},
		{"${a}", "alpha"},
		{"$a$a", "alphaalpha"},
		{"x$a", "xalpha"},
		{"$a.x", "alpha.x"},
		{"$a-x", "alpha-x"},
		{"${a}x", "alphax"},
		{"$ax", ""},
		{"$A", "upper"},
		{"$_x", "under"},
		{"$n1", "digit"},
		{"$b", ""},
		{"$none", ""},
		{"${none}", ""},
		{"[$none]", "[]"},
		{"$1", "one"},
		{"$1x", "onex"},
		{"$12", "twelve"},
		{"$123", ""},
		{"${12}", "twelve"},
		{"$0", "zero"},
		{"$?", "question"},
		{"${?}", "question"},
		{"$@", "at"},
		{"$*x", "x"},
		{"$#", ""},
		{"$-", ""},
		{"$$", ""},
		{"$!", ""},
		{"$", "$"},
		{"a$", "a$"},
		{"$.", "$."},
		{"$/", "$/"},
		{"$ a", "$ a"},
		{"$%x", "$%x"},
		{"$d", "$a"}, /* values are not expanded again */
		{"$bs", "a\\b"},
		{"$q", "say \"hi\" 'x'"},
		{"$eq", "k=v"},
		{"$utf", "\xC3\xA9t\xC3\xA9"},
		{"\xC3\xA9$a", "\xC3\xA9"
			       "alpha"},
		{"$sp", "two  words"},
		{"\xFF$a\xFF", "\xFF"
			       "alpha\xFF"},
	};

	(void)state;
	CHECK(sb_expand_word, '\\', rows);
}

static void quotes_and_escapes(void **state)
{
	static const struct row rows[] = {
		{"'$a'", "$a"},
		{"\"$a\"", "alpha"},
		{"'a'\"b\"c", "abc"},
		{"''", ""},
		{"\"\"", ""},
		{"'a\\b'", "a\\b"},
		{"'a\"b'", "a\"b"},
		{"\"a'b\"", "a'b"},
		{"\"'$a'\"", "'alpha'"},
		{"\\$a", "$a"},
		{"\\\\$a", "\\alpha"},
		{"\\a", "a"},
		{"a\\ b", "a b"},
		{"\\'x\\'", "'x'"},
		{"\\\"x", "\"x"},
		{"\"\\$a\"", "$a"},
		{"\"\\\"\"", "\""},
		{"\"\\\\\"", "\\"},
		{"\"\\a\"", "\\a"},
		{"\"\\ \"", "\\ "},
		{"\"${a}\"", "alpha"},
		{"\"${none:-x y}\"", "x y"},
		{"\"a b\"", "a b"},
		{"a\\", "a"},
		{"\\", ""},
		{"'", NULL, "single quote"},
		{"a'b", NULL, "single quote"},
		{"\"", NULL, "double quote"},
		{"\"a\\\"", NULL, "double quote"},
		{"\"$a", NULL, "double quote"},
		{"'a'b'", NULL, "single quote"},
		{"\"${a\"", NULL, "substitution of 'a'"},
	};

	(void)state;
	CHECK(sb_expand_word, '\\', rows);
}

static void defaults_and_alternatives(void **state)
{
	static const struct row rows[] = {
		{"${a:-w}", "alpha"},
		{"${b:-w}", "w"},
		{"${none:-w}", "w"},
		{"${a-w}", "alpha"},
		{"${b-w}", ""},
		{"${none-w}", "w"},
		{"${a:+w}", "w"},
		{"${b:+w}", ""},
		{"${none:+w}", ""},
		{"${a+w}", "w"},
		{"${b+w}", "w"},
		{"${none+w}", ""},
		{"${a:?m}", "alpha"},
		{"${b:?m}", NULL, "b: m"},
		{"${none:?m}", NULL, "none: m"},
		{"${b:?}", NULL, "b: is not allowed to be empty"},
		{"${none:?}", NULL, "none: is not allowed to be unset"},
		{"${a?m}", "alpha"},
		{"${b?m}", ""},
		{"${none?m}", NULL, "none: m"},
		{"${none?}", NULL, "none: is not allowed to be unset"},
		{"${none?$a is there}", NULL, "none: alpha is there"},
		{"${none:-}", ""},
		{"${none-}", ""},
		{"${a:+}", ""},
		{"${none:-$a}", "alpha"},
		{"${none:-${a}}", "alpha"},
		{"${none:-${b:-deep}}", "deep"},
		{"${none:-${b:-${nope:-deeper}}}", "deeper"},
		{"${none:-'}'}", "}"},
		{"${none:-\"}\"}", "}"},
		{"${none:-\\}}", "}"},
		{"${none:-'$a'}", "$a"},
		{"${none:-\"$a\"}", "alpha"},
		{"${none:-a b}", "a b"},
		{"${none:-{}", "{"},
		{"${none:-x}}", "x}"},
		{"${none:--}", "-"},
		{"${none:-:-}", ":-"},
		{"${a:+${none:-x}}", "x"},
		{"x${none:-y}z", "xyz"},
		{"${1:-x}", "one"},
		{"${9:-x}", "x"},
	};

	(void)state;
	CHECK(sb_expand_word, '\\', rows);
}

static void prefixes_and_suffixes(void **state)
{
	static const struct row rows[] = {
		{"${path#*/}", "usr/local/lib/x.tar.gz"},
		{"${path##*/}", "x.tar.gz"},
		{"${path%/*}", "/usr/local/lib"},
		{"${path%%/*}", ""},
		{"${path%.*}", "/usr/local/lib/x.tar"},
		{"${path%%.*}", "/usr/local/lib/x"},
		{"${path#/usr}", "/local/lib/x.tar.gz"},
		{"${path#usr}", "/usr/local/lib/x.tar.gz"},
		{"${path%.gz}", "/usr/local/lib/x.tar"},
		{"${path%.xz}", "/usr/local/lib/x.tar.gz"},
		{"${a#?}", "lpha"},
		{"${a%?}", "alph"},
		{"${a#??}", "pha"},
		{"${a#??????}", "alpha"},
		{"${a#*}", "alpha"},
		{"${a##*}", ""},
		{"${a%*}", "alpha"},
		{"${a%%*}", ""},
		{"${a#}", "alpha"},
		{"${a%}", "alpha"},
		{"${a#alpha}", ""},
		{"${aa#a}", "aaa"},
		{"${aa##a*a}", ""},
		{"${aa#a*a}", "aa"},
		{"${aa%a*a}", "aa"},
		{"${star#a\\*}", "b*c"},
		{"${star%\\**}", "a*b"},
		{"${star##*\\*}", "c"},
		{"${bs#a\\\\}", "b"},
		{"${utf#?}", "t\xC3\xA9"},
		{"${utf%?}", "\xC3\xA9t"},
		{"${utf%t*}", "\xC3\xA9"},
		{"${nl#l1?}", "l2"},
		{"${none#x}", ""},
		{"${b#*}", ""},
		{"${rep#a$none}", "XbXc"},
		{"${rep#${none:-a}X}", "bXc"},
		{"${rep#'a'}", "XbXc"},
		{"${brace#a\\}}", "b"},
		{"${slash#a\\/}", "b/c"},
		{"${a#[a-z]}", "alpha"}, /* no classes */
		{"${a#\\x}", NULL, "invalid escape"},
		{"${a%\\x}", NULL, "invalid pattern"},
		{"${a#x", NULL, "missing '}'"},
	};

	(void)state;
	CHECK(sb_expand_word, '\\', rows);
}

static void replacements(void **state)
{
	static const struct row rows[] = {
		{"${rep/X/-}", "a-bXc"},
		{"${rep//X/-}", "a-b-c"},
		{"${rep/X/}", "abXc"},
		{"${rep//X/}", "abc"},
		{"${rep/Y/-}", "aXbXc"},
		{"${rep/X*/-}", "a-"},
		{"${rep/?X/-}", "-bXc"},
		{"${rep//?X/-}", "--c"},
		{"${rep/*/-}", "-"},
		{"${rep//X/$a}", "aalphabalphac"},
		{"${rep/$none/-}", "-aXbXc"},
		{"${rep/${none:-X}/-}", "a-bXc"},
		{"${slash/\\//-}", "a-b/c"},
		{"${slash//\\//-}", "a-b-c"},
		{"${star/\\*/-}", "a-b*c"},
		{"${aa//aa/x}", "xx"},
		{"${aa/a*a/x}", "x"},
		{"${utf//\xC3\xA9/e}", "ete"},
		{"${none/x/y}", ""},
		{"${b/*/y}", "y"},
		{"${rep/X/a b}", "aa bbXc"},
		{"${rep/X", NULL, "missing '/'"},
		{"${rep/X}", NULL, "missing '/'"},
		{"${rep/X/y", NULL, "missing '}'"},
		{"${rep/\\x/y}", NULL, "invalid escape '\\x'"},
	};

	(void)state;
	CHECK(sb_expand_word, '\\', rows);
}

static void bad_substitutions(void **state)
{
	static const struct row rows[] = {
		{"${}", NULL, "bad substitution"},
		{"${.}", NULL, "bad substitution"},
		{"${{", NULL, "bad substitution"},
		{"${{a}}", NULL, "bad substitution"},
		{"${:}", NULL, "bad substitution"},
		{"${:-x}", NULL, "bad substitution"},
		{"${ a}", NULL, "bad substitution"},
		{"${", NULL, "missing '}'"},
		{"${a", NULL, "missing '}'"},
		{"${a:", NULL, "missing '}'"},
		{"${a:-", NULL, "missing '}'"},
		{"${a:-${b}", NULL, "missing '}'"},
		{"${a:=x}", NULL, "unsupported modifier ':='"},
		{"${a:x}", NULL, "unsupported modifier ':x'"},
		{"${a:#x}", NULL, "unsupported modifier ':#'"},
		{"${a:%x}", NULL, "unsupported modifier ':%'"},
		{"${a:}", NULL, "unsupported modifier ':}'"},
		{"${a:/x/y}", NULL, "unsupported modifier ':/'"},
		{"${a=x}", NULL, "unsupported modifier '='"},
		{"${a.b}", NULL, "unsupported modifier '.'"},
		{"${a^^}", NULL, "unsupported modifier '^'"},
		{"${1x}", NULL, "unsupported modifier 'x'"},
	};

	(void)state;
	CHECK(sb_expand_word, '\\', rows);
}

static void backtick_is_the_escape_where_a_directive_says_so(void **state)
{
	static const struct row rows[] = {
		{"`$a", "$a"},
		{"\\$a", "\\alpha"},
		{"C:\\x", "C:\\x"},
		{"\"`\"\"", "\""},
		{"\"`$a\"", "$a"},
		{"\"\\\"", "\\"},
		{"``", "`"},
		{"a`", "a"},
	};

	(void)state;
	CHECK(sb_expand_word, '`', rows);
}

static void heredoc_bodies_keep_their_quotes(void **state)
{
	static const struct row rows[] = {
		{"'$a'", "'alpha'"},
		{"\"$a\"", "\"alpha\""},
		{"it's $a\n", "it's alpha\n"},
		{"\\$a", "$a"},
		{"\\\\$a", "\\alpha"},
		{"${none:-'x'}", "'x'"},
		{"a \"b", "a \"b"},
		{"$5 costs\n", " costs\n"},
		{"${a", NULL, "missing '}'"},
	};

	(void)state;
	CHECK(sb_expand_keep_quotes, '\\', rows);
}

static void words_split_at_unquoted_blanks(void **state)
{
	static const struct {
		const char *word;
		const char *expected; /* words, each followed by | */
	} rows[] = {
		{"", ""},
		{"  ", ""},
		{"a b", "a|b|"},
		{" a  b ", "a|b|"},
		{"$sp", "two|words|"},
		{"\"$sp\"", "two  words|"},
		{"'a b' c", "a b|c|"},
		{"a\\ b c", "a b|c|"},
		{"x$sp", "xtwo|words|"},
		{"$sp$sp", "two|wordstwo|words|"},
		{"\"$a\"$sp", "alphatwo|words|"},
		{"$none", ""},
		{"\"\"", ""},
		{"a $b c", "a|c|"},
		{"${none:-x y}", "x|y|"},
		{"${none:-\"x y\"}", "x|y|"},
		{"80 ${none:-81/udp}", "80|81/udp|"},
	};
	SB_AUTO_STRV env = SB_STRV_INIT;

	(void)state;
	fill_env(&env);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_STRV words = SB_STRV_INIT;

		assert_int_equal(sb_expand_words(rows[i].word, &env, '\\', &words, &err), 0);
		sb_strv_add(&words, "");

		sb_autofree char *joined = sb_strv_join(&words, "|");

		assert_string_equal(joined, rows[i].expected);
	}
}

static void a_failed_split_appends_nothing(void **state)
{
	SB_AUTO_STRV env = SB_STRV_INIT;
	SB_AUTO_STRV words = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_expand_words("a b ${", &env, '\\', &words, &err), -1);
	assert_int_equal(err.code, SB_E_SYNTAX);
	assert_int_equal(words.len, 0);
}

static void output_and_nesting_are_bounded(void **state)
{
	SB_AUTO_STRV env = SB_STRV_INIT;
	sb_autofree char *value = sb_malloc((1 << 20) + 1);
	sb_autofree char *deep = sb_calloc(1000, 8);
	sb_autofree char *out = NULL;
	SB_AUTO_ERROR big = SB_ERROR_INIT;
	SB_AUTO_ERROR nested = SB_ERROR_INIT;

	(void)state;
	memset(value, 'x', 1 << 20);
	value[1 << 20] = '\0';
	sb_env_set(&env, "v", value);
	assert_int_equal(sb_expand_word("$v$v$v$v$v$v$v$v$v", &env, '\\', &out, &big), -1);
	assert_int_equal(big.code, SB_E_LIMIT);
	for (size_t i = 0; i < 1000; i++)
		memcpy(deep + i * 5, "${a:-", 5);
	assert_int_equal(sb_expand_word(deep, &env, '\\', &out, &nested), -1);
	assert_int_equal(nested.code, SB_E_LIMIT);
}

static void hostile_patterns_end_in_time(void **state)
{
	SB_AUTO_STRV env = SB_STRV_INIT;
	sb_autofree char *value = sb_malloc(20001);
	sb_autofree char *out = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	memset(value, 'a', 20000);
	value[20000] = '\0';
	sb_env_set(&env, "v", value);
	assert_int_equal(
		sb_expand_word("${v//*a*a*a*a*a*a*a*a*a*a*a*b/x}", &env, '\\', &out, &err), 0);
	assert_string_equal(out, value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values),
		cmocka_unit_test(quotes_and_escapes),
		cmocka_unit_test(defaults_and_alternatives),
		cmocka_unit_test(prefixes_and_suffixes),
		cmocka_unit_test(replacements),
		cmocka_unit_test(bad_substitutions),
		cmocka_unit_test(backtick_is_the_escape_where_a_directive_says_so),
		cmocka_unit_test(heredoc_bodies_keep_their_quotes),
		cmocka_unit_test(words_split_at_unquoted_blanks),
		cmocka_unit_test(a_failed_split_appends_nothing),
		cmocka_unit_test(output_and_nesting_are_bounded),
		cmocka_unit_test(hostile_patterns_end_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
