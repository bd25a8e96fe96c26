/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/excerpt.h"

static const char text[] = "FROM a\r\n"
			   "COPY --chown=x one \\\n"
			   "  # a comment with two\n"
			   "  two /three\n"
			   "\n"
			   "RUN last";

/* An error at an instruction or a place in it, what it is about, and where it is shown to be. */
static const struct {
	unsigned line, column;
	const char *about;
	unsigned shown_line, shown_column;
	const char *excerpt;
} cases[] = {
	{1, 1, NULL, 1, 1, "FROM a"},
	{1, 1, "a", 1, 6, "FROM a"},
	{1, 6, NULL, 1, 6, "FROM a"},
	{2, 1, "one", 2, 16, "COPY --chown=x one \\"},
	{2, 1, "/three", 4, 7, "  two /three"},
	{2, 1, "nowhere", 2, 1, "COPY --chown=x one \\"},
	{2, 1, "last", 2, 1, "COPY --chown=x one \\"}, /* of the next instruction */
	{2, 1, "", 2, 1, "COPY --chown=x one \\"},
	{2, 6, "one", 2, 6, "COPY --chown=x one \\"}, /* located already */
	{6, 1, "last", 6, 5, "RUN last"},
	{5, 0, NULL, 5, 0, ""},
	{6, 99, NULL, 6, 0, "RUN last"},
	{7, 1, NULL, 7, 0, NULL},
	{0, 0, "a", 0, 0, NULL},
};

static void an_error_gets_its_line_and_the_words_it_is_about(void **state)
{
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buildfile_parse("F", text, strlen(text), &buildfile, &failed), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const struct sb_source_pos at = {"F", cases[i].line, cases[i].column};

		(void)sb_fail_at(&err, SB_E_SYNTAX, at, "wrong");
		if (cases[i].about != NULL)
			(void)sb_error_about(&err, cases[i].about);
		sb_buildfile_show(buildfile, &err);
		assert_int_equal(err.at.line, cases[i].shown_line);
		assert_int_equal(err.excerpt_column, cases[i].shown_column);
		if (cases[i].excerpt == NULL)
			assert_null(err.excerpt);
		else
			assert_string_equal(err.excerpt, cases[i].excerpt);
	}
}

static void an_error_in_another_file_gets_none(void **state)
{
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buildfile_parse("F", text, strlen(text), &buildfile, &err), 0);
	(void)sb_fail_at(&err, SB_E_SYNTAX, (struct sb_source_pos){".dockerignore", 1, 1}, "wrong");
	sb_buildfile_show(buildfile, &err);
	assert_null(err.excerpt);
}

static void what_does_not_parse_has_its_line(void **state)
{
	static const char wrong[] = "FROM a\nNOPE b";
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buildfile_parse("F", wrong, strlen(wrong), &buildfile, &err), -1);
	assert_string_equal(err.excerpt, "NOPE b");
	assert_int_equal(err.excerpt_column, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_gets_its_line_and_the_words_it_is_about),
		cmocka_unit_test(an_error_in_another_file_gets_none),
		cmocka_unit_test(what_does_not_parse_has_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
