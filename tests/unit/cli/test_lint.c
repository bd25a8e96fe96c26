/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "fake_api.h"

enum { ONE_ERROR = 1, ONE_WARNING = 2, ONE_INFO = 4 };

/* Words are parted by blanks; *out_text is freed by the caller. */
static int run(const char *line, char **out_text)
{
	size_t len = 0;
	char *err_text = NULL;
	FILE *out = open_memstream(out_text, &len);
	FILE *err = open_memstream(&err_text, &len);
	SB_AUTO_STRV words = SB_STRV_INIT;
	sb_autofree char *copy = sb_strdup(line);
	char *rest = copy;

	sb_strv_add(&words, "safebuild");
	for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " "))
		sb_strv_add(&words, word);

	const int status = sb_cli_main((int)words.len, words.items, out, err);

	(void)fclose(out);
	(void)fclose(err);
	free(err_text);
	return status;
}

static void options_reach_the_library(void **state)
{
	static const struct {
		const char *line;
		const char *asked;
	} rows[] = {
		{"lint", "lint\n"},
		{"lint -", "lint file=-\n"},
		{"lint x/Buildfile --context x", "lint file=x/Buildfile context=x\n"},
		{"lint -f B --target t --platform linux/arm64",
			"lint file=B target=t platform=linux/arm64\n"},
		{"lint --skip A,B --skip C --experimental all",
			"lint skip=A skip=B skip=C experimental=all\n"},
		{"lint --build-arg a=b --root r", "lint root=r arg=a=b\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *out = NULL;

		fake_api_reset();
		assert_int_equal(run(rows[i].line, &out), 0);
		assert_string_equal(fake_api()->asked, rows[i].asked);
	}
}

static void the_severest_finding_decides_on_the_status(void **state)
{
	static const struct {
		const char *line;
		unsigned findings;
		bool fails_on_warning;
		int status;
	} rows[] = {
		{"lint", 0, false, 0},
		{"lint", ONE_INFO | ONE_WARNING, false, 0},
		{"lint", ONE_ERROR, false, 1},
		{"lint", ONE_WARNING, true, 1},
		{"lint", ONE_INFO, true, 0},
		{"lint --fail-on error", ONE_WARNING, true, 0},
		{"lint --fail-on warning", ONE_WARNING, false, 1},
		{"lint --fail-on warning", ONE_INFO, false, 0},
		{"lint --fail-on info", ONE_INFO, false, 1},
		{"lint --fail-on never", ONE_ERROR, true, 0},
		{"lint --format sarif", ONE_ERROR, false, 1},
		{"lint --fail-on", 0, false, 2},
		{"lint --fail-on bad", 0, false, 2},
		{"lint --format xml", 0, false, 2},
		{"lint a b", 0, false, 2},
		{"lint -f a b", 0, false, 2},
		{"lint --skip ,", 0, false, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *out = NULL;

		fake_api_reset();
		fake_api()->lint_findings = rows[i].findings;
		fake_api()->lint_fails_on_warning = rows[i].fails_on_warning;
		if (run(rows[i].line, &out) != rows[i].status)
			fail_msg("'%s' with %u", rows[i].line, rows[i].findings);
	}
}

static void the_page_has_the_severest_first_and_counts_last(void **state)
{
	sb_autofree char *out = NULL;

	(void)state;
	fake_api_reset();
	fake_api()->lint_findings = ONE_ERROR | ONE_WARNING | ONE_INFO;
	assert_int_equal(run("lint", &out), 1);
	assert_string_equal(out, "Build file:9:3: error: the message [Bad]\n"
				 "  9 | RUN x\n"
				 "    |     ^\n"
				 " why: It is bad.\n fix: Don't.\n\n"
				 "Build file:10:3: warning: the message [Odd]\n"
				 " 10 | RUN x\n"
				 "    |     ^\n"
				 " why: It is odd.\n fix: Think.\n\n"
				 "Build file:11:3: info: the message [Fine]\n"
				 " 11 | RUN x\n"
				 "    |     ^\n"
				 " why: It is fine.\n fix: Nothing.\n\n"
				 "1 error, 1 warning, 1 info in Build file\n");
}

static void json_and_sarif_say_the_same(void **state)
{
	sb_autofree char *json = NULL;
	sb_autofree char *sarif = NULL;

	(void)state;
	fake_api_reset();
	fake_api()->lint_findings = ONE_WARNING;
	assert_int_equal(run("lint --format json", &json), 0);
	assert_int_equal(run("lint --format sarif", &sarif), 0);

	json_t *a = json_loads(json, 0, NULL);
	json_t *b = json_loads(sarif, 0, NULL);
	const char *rule = NULL;
	const char *uri = NULL;
	const char *id = NULL;
	int schema = 0;
	int index = 0;
	int line = 0;

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(
		json_unpack(a, "{s:i, s:[{s:s}]}", "schema", &schema, "findings", "rule", &rule),
		0);
	assert_int_equal(
		json_unpack(json_array_get(json_object_get(b, "runs"), 0),
			"{s:[{s:s, s:i, s:[{s:{s:{s:s}, s:{s:i}}}]}]}", "results", "ruleId", &id,
			"ruleIndex", &index, "locations", "physicalLocation", "artifactLocation",
			"uri", &uri, "region", "startLine", &line),
		0);
	assert_int_equal(schema, 1);
	assert_string_equal(rule, "Odd");
	assert_string_equal(id, "Odd");
	assert_int_equal(index, 1);
	assert_int_equal(line, 10);
	assert_string_equal(uri, "Build%20file");
	json_decref(a);
	json_decref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_reach_the_library),
		cmocka_unit_test(the_severest_finding_decides_on_the_status),
		cmocka_unit_test(the_page_has_the_severest_first_and_counts_last),
		cmocka_unit_test(json_and_sarif_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
