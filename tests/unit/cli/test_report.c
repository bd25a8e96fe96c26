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
		cmocka_unit_test(warnings_and_notices_have_the_same_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
