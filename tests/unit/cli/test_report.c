/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "cli/report.h"

static void exit_status_follows_the_code(void **state)
{
	static const struct {
		enum sb_code code;
		unsigned line;
		int status;
	} cases[] = {
		{SB_OK, 0, 0},
		{SB_E_STEP_FAILED, 3, 1},
		{SB_E_LEAK, 3, 1},
		{SB_E_NOT_FOUND, 3, 1},
		{SB_E_NOT_FOUND, 0, 3},
		{SB_E_USAGE, 0, 2},
		{SB_E_SYNTAX, 3, 2},
		{SB_E_DENIED, 3, 3},
		{SB_E_UNSUPPORTED, 3, 3},
		{SB_E_LIMIT, 0, 3},
		{SB_E_INTEGRITY, 0, 3},
		{SB_E_NETWORK, 0, 3},
		{SB_E_AUTH, 0, 3},
		{SB_E_SYSTEM, 0, 3},
		{SB_E_CANCELLED, 0, 130},
		{SB_E_BUG, 0, 125},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sb_error err = {.code = cases[i].code, .at = {.line = cases[i].line}};

		assert_int_equal(sb_exit_status(&err), cases[i].status);
	}
}

static void assert_report(struct sb_source_pos at, const char *hint, const char *expected)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	sb_fail_at(&err, SB_E_SYNTAX, at, "unknown instruction 'RNU'");
	if (hint != NULL)
		sb_error_hint(&err, "%s", hint);
	sb_report_error(out, &err, false);
	(void)fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void an_error_stands_at_its_place(void **state)
{
	(void)state;
	assert_report((struct sb_source_pos){"Buildfile", 12, 5}, "did you mean 'RUN'?",
		"Buildfile:12:5: error: unknown instruction 'RNU'\nhint: did you mean 'RUN'?\n");
	assert_report((struct sb_source_pos){"Buildfile", 12, 0}, NULL,
		"Buildfile:12: error: unknown instruction 'RNU'\n");
	assert_report((struct sb_source_pos){"Buildfile", 0, 0}, NULL,
		"Buildfile: error: unknown instruction 'RNU'\n");
	assert_report((struct sb_source_pos){NULL, 12, 5}, NULL,
		"line 12:5: error: unknown instruction 'RNU'\n");
	assert_report((struct sb_source_pos){NULL, 0, 0}, NULL,
		"safebuild: error: unknown instruction 'RNU'\n");
	assert_report((struct sb_source_pos){"a\033[31m", 1, 1}, NULL,
		"a\\x1b[31m:1:1: error: unknown instruction 'RNU'\n");
}

static char *report_of(const char *line, unsigned column)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	sb_fail_at(&err, SB_E_SYNTAX, (struct sb_source_pos){"F", 12, 0}, "wrong");
	sb_error_hint(&err, "what to do");
	err.excerpt = sb_strdup(line);
	err.excerpt_column = column;
	sb_report_error(out, &err, false);
	(void)fclose(out);
	return text;
}

/* The place's byte in the line, 0 for none; and what is printed of the two. */
static void assert_excerpt(const char *line, unsigned column, const char *expected)
{
	sb_autofree char *whole = sb_asprintf("F:12: error: wrong\n%shint: what to do\n", expected);
	sb_autofree char *text = report_of(line, column);

	assert_string_equal(text, whole);
}

static void an_error_shows_its_line_and_the_place_in_it(void **state)
{
	sb_autofree char *hundred = sb_calloc(101, 1);
	sb_autofree char *long_line = NULL;
	sb_autofree char *shown = NULL;

	(void)state;
	assert_excerpt("RUN --mont=x true", 5, " 12 | RUN --mont=x true\n    |     ^~~~~~~~\n");
	assert_excerpt("ENV", 4, " 12 | ENV\n    |    ^\n");
	assert_excerpt("ENV a", 0, " 12 | ENV a\n");
	assert_excerpt("", 0, "");
	/* Columns are those of what is shown. */
	assert_excerpt("\tRUN \xc3\xa4 x", 9, " 12 | \\tRUN \xc3\xa4 x\n    |         ^\n");
	assert_excerpt("a\033[31m b", 8, " 12 | a\\x1b[31m b\n    |           ^\n");
	assert_excerpt("a \xff"
		       "b",
		3, " 12 | a \\xffb\n    |   ^~~~~\n");
	memset(hundred, 'x', 100);
	long_line = sb_asprintf("%s%s here %s%s", hundred, hundred, hundred, hundred);
	shown = sb_asprintf(" 12 | %.79s here %.75s\n    | %80s^~~~\n", hundred, hundred, "");
	assert_excerpt(long_line, 202, shown);
	/* Never cut in the middle of a character. */
	for (size_t i = 0; i < 100; i += 2)
		memcpy(hundred + i, "\xc3\xa4", 2);
	free(long_line);
	long_line = sb_asprintf("x%s%s here %s%s", hundred, hundred, hundred, hundred);
	for (unsigned column = 1; column <= strlen(long_line); column += 2) {
		sb_autofree char *text = report_of(long_line, column);
		const char *line = strchr(text, '\n');

		assert_null(strstr(line, "\\x"));
	}
}

static void warnings_and_notices_have_the_same_form(void **state)
{
	const struct sb_event warning = {.kind = SB_EVENT_WARNING,
		.text = "text\n",
		.hint = "do so",
		.file = "Buildfile",
		.line = 3};
	const struct sb_event notice = {.kind = SB_EVENT_NOTICE, .text = "on the host"};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	sb_report_event(out, &warning, false);
	sb_report_event(out, &notice, true);
	(void)fclose(out);
	assert_string_equal(text, "Buildfile:3: warning: text\\n\nhint: do so\n"
				  "\033[1msafebuild: \033[0m\033[36mnotice: \033[0mon the host\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_status_follows_the_code),
		cmocka_unit_test(an_error_stands_at_its_place),
		cmocka_unit_test(an_error_shows_its_line_and_the_place_in_it),
		cmocka_unit_test(warnings_and_notices_have_the_same_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
