/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "registry/toml.h"

static void documents_become_json(void **state)
{
	static const struct {
		const char *toml;
		const char *json;
	} cases[] = {
		{"", "{}"},
		{"# only this", "{}"},
		{"\xef\xbb\xbf"
		 "a = 1\r\n",
			"{\"a\":1}"},
		{"a = 1\nb = \"x\" # y\nc = 'z\\n'\n\nd=true\ne = false",
			"{\"a\":1,\"b\":\"x\",\"c\":\"z\\\\n\",\"d\":true,\"e\":false}"},
		{"a = 0x1F\nb = 1_000\nc = -5\nd = +7\ne = 0o17\nf = 0b101",
			"{\"a\":31,\"b\":1000,\"c\":-5,\"d\":7,\"e\":15,\"f\":5}"},
		{"a = 1.5\nb = 1979-05-27T07:32:00Z\nc = inf",
			"{\"a\":\"1.5\",\"b\":\"1979-05-27T07:32:00Z\",\"c\":\"inf\"}"},
		{"a = \"q\\\"b\\\\ \\t\\u00e9\\U0001F600\"",
			"{\"a\":\"q\\\"b\\\\ \\t\xc3\xa9\xf0\x9f\x98\x80\"}"},
		{"a = \"\"\"\none\ntwo\\\n   three\"\" \"\"\"\"",
			"{\"a\":\"one\\ntwothree\\\"\\\" \\\"\"}"},
		{"a = '''\nit's\\''''", "{\"a\":\"it's\\\\'\"}"},
		{"a = []\nb = [ 1, 2, ]\nc = [\n  \"x\", # y\n\n  \"z\"\n]",
			"{\"a\":[],\"b\":[1,2],\"c\":[\"x\",\"z\"]}"},
		{"a = {}\nb = {x = 1, y.z = 'w'}",
			"{\"a\":{},\"b\":{\"x\":1,\"y\":{\"z\":\"w\"}}}"},
		{"a.b.\"c d\" = 1\n'q' = 2", "{\"a\":{\"b\":{\"c d\":1}},\"q\":2}"},
		{"[a]\nx = 1\n[a.b]\ny = 2\n[ c . d ]\nz = 3",
			"{\"a\":{\"x\":1,\"b\":{\"y\":2}},\"c\":{\"d\":{\"z\":3}}}"},
		{"[[r]]\na = 1\n[[r.m]]\nb = 2\n[[r.m]]\nb = 3\n[[r]]\na = 4",
			"{\"r\":[{\"a\":1,\"m\":[{\"b\":2},{\"b\":3}]},{\"a\":4}]}"},
		{"[a]\n[a]", "{\"a\":{}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_JSON root = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_toml_parse(cases[i].toml, strlen(cases[i].toml), &root, &err) < 0)
			fail_msg("%zu: %s", i, err.message);

		char *text = json_dumps(root, JSON_COMPACT);

		assert_string_equal(text, cases[i].json);
		free(text);
	}
}

static void what_is_wrong_is_named_by_line(void **state)
{
	static const struct {
		const char *toml;
		const char *words;
	} cases[] = {
		{"a", "line 1: '=' is missing"},
		{"a =", "line 1: a value is missing"},
		{"\n\na = x", "line 3: a value is neither"},
		{"= 1", "line 1: a key is missing"},
		{"a = 1 b = 2", "line 1: more on the line"},
		{"a = 1\na = 2", "line 2: a key is given twice"},
		{"a = 1\na.b = 2", "line 2: a name is a table here"},
		{"a = 1\n[a]", "line 2: a name is a table here"},
		{"[a]\n[[a]]", "line 2: a name is a list of tables"},
		{"a = []\n[a.b]", "line 2: a name is a table here"},
		{"a = \"x", "line 1: a string does not end"},
		{"a = \"x\ny\"", "line 1: a string does not end"},
		{"a = '''x\n\ny", "line 3: a string does not end"},
		{"a = \"\\q\"", "line 1: an unknown escape"},
		{"a = \"\\u12\"", "lacks digits"},
		{"a = \"\\ud800\"", "names no character"},
		{"a = \"\\u0000\"", "names no character"},
		{"a = \"\xff\"", "not UTF-8"},
		{"\"\xff\" = 1", "not UTF-8"},
		{"a = [1, 2", "an array does not end"},
		{"a = [1 2]", "an array does not end"},
		{"a = {b = 1", "an inline table does not end"},
		{"a = {b}", "'=' is missing"},
		{"[a", "']' is missing"},
		{"[[a]", "']' is missing"},
		{"[]", "a key is missing"},
		{"\"\"\"a\"\"\" = 1", "a key is one line"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_JSON root = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_toml_parse(cases[i].toml, strlen(cases[i].toml), &root, &err) == 0)
			fail_msg("%zu was taken", i);
		assert_int_equal(err.code, SB_E_SYNTAX);
		if (strstr(err.message, cases[i].words) == NULL)
			fail_msg("%zu: %s", i, err.message);
	}
}

static void depth_is_bounded(void **state)
{
	enum { N = 100000 };
	sb_autofree char *text = sb_malloc(N + 5);
	SB_AUTO_JSON root = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	memcpy(text, "a = ", 4);
	memset(text + 4, '[', N);
	text[N + 4] = '\0';
	assert_int_equal(sb_toml_parse(text, N + 4, &root, &err), -1);
	assert_non_null(strstr(err.message, "too many arrays"));
	sb_error_release(&err);
	assert_int_equal(sb_toml_parse("a = 1\0b", 7, &root, &err), -1);
	assert_non_null(strstr(err.message, "NUL"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_become_json),
		cmocka_unit_test(what_is_wrong_is_named_by_line),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
