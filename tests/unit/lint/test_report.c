/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lint_fixture.h"

static size_t count(const struct sb_lint_report *report, const char *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < report->len; i++)
		n += strcmp(report->findings[i].rule->name, rule) == 0 ? 1 : 0;
	return n;
}

static void comments_waive(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* of SudoInRun */
	} rows[] = {
		{"FROM a\nRUN sudo x\n", 1},
		{"# check=skip=SudoInRun\nFROM a\nRUN sudo x\n", 0},
		{"# check=skip=all\nFROM a\nRUN sudo x\n", 0},
		{"# check=error=true;skip=a,sudoinrun\nFROM a\nRUN sudo x\n", 0},
		{"FROM a\n# safebuild: ignore=SudoInRun for a reason\nRUN sudo x\nRUN sudo y\n", 1},
		{"FROM a\n#safebuild:ignore=A, SudoInRun\nRUN sudo x\n", 0},
		{"FROM a\n# check=skip=SudoInRun needed\nRUN sudo x\n", 0},
		{"FROM a\n# safebuild: ignore=all\n# and a word\nRUN sudo x\n", 0},
		{"FROM a\n# safebuild: ignore=SudoInRun\n\nRUN sudo x\n", 1},
		{"FROM a\nRUN true && \\\n# safebuild: ignore=SudoInRun\n sudo x\n", 0},
		{"FROM a\nRUN sudo x # safebuild: ignore=SudoInRun\n", 0},
		{"FROM a\nRUN <<E\n# safebuild: ignore=SudoInRun\nsudo x\nE\n", 0},
		{"FROM a\n# safebuild: ignore=SudoInRun\nONBUILD RUN sudo x\n", 0},
		{"FROM a\n# safebuild: ignore=PipeToShell\nRUN sudo x\n", 1},
		{"FROM a\nRUN echo '# safebuild: ignore=SudoInRun'; sudo x\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_lint_report)
		report = lint_text(rows[i].text, lint_options(CONTEXT_UNKNOWN));

		if (count(report, "SudoInRun") != rows[i].n)
			fail_msg("not %zu in\n%s", rows[i].n, rows[i].text);
	}
}

static void options_choose_rules(void **state)
{
	SB_AUTO_STRV skip = SB_STRV_INIT;
	SB_AUTO_STRV none = SB_STRV_INIT;
	struct sb_lint_input input = lint_options(CONTEXT_UNKNOWN);

	(void)state;
	sb_strv_add(&skip, "SUDOINRUN");
	input.skip = &skip;
	input.experimental = &none;

	SB_AUTO(sb_lint_report)
	skipped = lint_text("# comment\nFROM a AS b\nRUN sudo x\n", input);

	assert_int_equal(count(skipped, "SudoInRun"), 0);
	assert_int_equal(count(skipped, "InvalidDefinitionDescription"), 0);
	assert_true(skipped->len > 0);
	input.skip = NULL;
	input.check = "skip=all";

	SB_AUTO(sb_lint_report)
	nothing = lint_text("# check=error=true\nFROM a\nRUN sudo x\n", input);

	assert_int_equal(nothing->len, 0);
	assert_false(nothing->fails_on_warning);
}

static void a_rule_that_is_not_there_is_wrong_usage(void **state)
{
	static const char text[] = "FROM a\n";
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO(sb_lint_report) report = NULL;
	SB_AUTO_STRV skip = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_lint_input input = lint_options(CONTEXT_UNKNOWN);

	(void)state;
	sb_strv_add(&skip, "SudoInRum");
	input.skip = &skip;
	assert_int_equal(sb_buildfile_parse("B", text, strlen(text), &buildfile, &err), 0);
	assert_int_equal(sb_lint_buildfile(buildfile, &input, &report, &err), -1);
	assert_int_equal(err.code, SB_E_USAGE);
	assert_non_null(strstr(err.hint, "'SudoInRun'"));
}

static void the_target_is_what_counts(void **state)
{
	static const char text[] = "FROM a AS b\nRUN apk add x\nFROM c\nRUN npm ci\nUSER d\n";
	struct sb_lint_input input = lint_options(CONTEXT_UNKNOWN);

	(void)state;
	SB_AUTO(sb_lint_report) last = lint_text(text, input);

	input.target = "B";

	SB_AUTO(sb_lint_report) first = lint_text(text, input);

	assert_int_equal(count(last, "RunsAsRoot"), 0);
	assert_int_equal(count(first, "RunsAsRoot"), 1);
	assert_int_equal(count(last, "PackageCacheLeft"), 1);
	assert_int_equal(count(first, "PackageCacheLeft"), 1);
}

/* The values never show, whichever rule shows their line. */
static void secrets_stay_hidden(void **state)
{
	static const struct {
		const char *text;
		const char *secret;
	} rows[] = {
		{"FROM a\nENV DB_PASSWORD=hunter2 x=1\n", "hunter2"},
		{"FROM a\nenv DB_PASSWORD hunter2 and more\n", "hunter2"},
		{"FROM a\nENV a=1 \\\n TOKEN=\"hun\\\nter2\"\n", "ter2"},
		{"FROM a\nLABEL a=b token=hunter2 b=$x\n", "hunter2"},
		{"FROM a\nRUN TOKEN=hunter2 sudo x\n", "hunter2"},
		{"FROM a\nRUN sudo x --api-key=hunter2\n", "hunter2"},
		{"FROM a\nRUN sudo x https://u:hunter2@h/\n", "hunter2"},
		{"FROM a\nADD https://u:hunter2@h/x /\n", "hunter2"},
		{"FROM a\nRUN sudo ghp_"
		 "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX\n",
			"0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX"},
		{"FROM a\nENV x=q7Jx2Vn9Rk4LsW8bTz3YhP6mCd1GfA5e y=$z\n", "q7Jx2Vn9Rk4LsW8b"},
		{"FROM a\nONBUILD ENV PASSWORD=hunter2\n", "hunter2"},
		{"FROM a\nRUN <<-E\n\texport PASSWORD=hunter2; sudo x\nE\n", "hunter2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_lint_report)
		report = lint_text(rows[i].text, lint_options(CONTEXT_UNKNOWN));
		bool is_hidden = false;

		for (size_t f = 0; f < report->len; f++) {
			const struct sb_lint_finding *finding = &report->findings[f];

			if (strstr(finding->message, rows[i].secret) != NULL ||
				strstr(finding->excerpt, rows[i].secret) != NULL)
				fail_msg("%s: %s: %s", rows[i].text, finding->message,
					finding->excerpt);
			is_hidden = is_hidden || strstr(finding->excerpt, "[hidden]") != NULL;
		}
		if (!is_hidden)
			fail_msg("nothing is hidden in %s", rows[i].text);
	}
}

/* Line, column and the marked text of the first finding of a rule. */
static void findings_point_at_their_place(void **state)
{
	static const struct {
		const char *rule;
		const char *text;
		unsigned line;
		unsigned column;
		const char *marked;
	} rows[] = {
		{"SudoInRun", "FROM a\nRUN a && sudo b\n", 2, 10, "sudo"},
		{"SudoInRun", "FROM a\nRUN a && \\\n# c\n  sudo b\n", 4, 3, "sudo"},
		{"SudoInRun", "FROM a\nRUN <<-E\n\tx\n\t\tsudo b\nE\n", 4, 3, "sudo"},
		{"SudoInRun", "FROM a\nRUN sh <<E\nx\nsudo b\nE\n", 4, 1, "sudo"},
		{"SudoInRun", "FROM a\nRUN --mount=type=tmpfs,target=/sudo sudo b\n", 2, 37,
			"sudo"},
		{"SudoInRun", "FROM a\nONBUILD RUN sudo b\n", 2, 13, "sudo"},
		{"SudoInRun",
			"\xEF\xBB\xBF"
			"FROM a\r\nRUN  sudo b\r\n",
			2, 6, "sudo"},
		{"SecretsUsedInArgOrEnv", "FROM a\nENV a=1 \\\n  b=2 KEY=3\n", 3, 7, "KEY"},
		{"CopiedThenRemoved", "FROM a\nCOPY a \\\n b /x/\nRUN rm /x/b\n", 3, 2, "b"},
		{"StageNameCasing", "FROM a \\\n AS Ab\n", 2, 5, "Ab"},
		{"UndefinedVar", "FROM a\nCOPY --chown=$foo a b\n", 2, 15, "foo"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_lint_report)
		report = lint_text(rows[i].text, lint_options(CONTEXT_UNKNOWN));
		const struct sb_lint_finding *found = NULL;

		for (size_t f = report->len; f > 0; f--)
			if (strcmp(report->findings[f - 1].rule->name, rows[i].rule) == 0)
				found = &report->findings[f - 1];
		if (found == NULL)
			fail_msg("nothing is found in %s", rows[i].text);
		else if (found->at.line != rows[i].line || found->at.column != rows[i].column)
			fail_msg("%s: %u:%u", rows[i].text, found->at.line, found->at.column);
		else if (found->mark_len != strlen(rows[i].marked) ||
			 strncmp(found->excerpt + found->mark_column - 1, rows[i].marked,
				 found->mark_len) != 0)
			fail_msg("%s: %u in %s", rows[i].text, found->mark_column, found->excerpt);
	}
}

static void fingerprints_stay_when_lines_move(void **state)
{
	struct sb_lint_input input = lint_options(CONTEXT_UNKNOWN);

	(void)state;
	SB_AUTO(sb_lint_report)
	a = lint_text("FROM a\nCOPY k.pem /\nRUN rm /k.pem\nRUN sudo x\n", input);
	SB_AUTO(sb_lint_report)
	b = lint_text("# one\n\nFROM a\nCOPY k.pem /\n# two\nRUN rm /k.pem\nRUN sudo x\n", input);

	assert_int_equal(a->len, b->len);
	for (size_t i = 0; i < a->len; i++) {
		assert_int_equal(strlen(a->findings[i].fingerprint), 32);
		assert_string_equal(a->findings[i].fingerprint, b->findings[i].fingerprint);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
				a->findings[i].fingerprint, a->findings[j].fingerprint);
	}
}

static void long_lines_are_cut_around_the_place(void **state)
{
	sb_autofree char *pad = sb_malloc(5001);

	(void)state;
	memset(pad, 'x', 5000);
	pad[5000] = '\0';

	sb_autofree char *text = sb_asprintf("FROM a\nRUN \xC3\xA9%s; sudo y %s\n", pad, pad);
	SB_AUTO(sb_lint_report) report = lint_text(text, lint_options(CONTEXT_UNKNOWN));

	for (size_t i = 0; i < report->len; i++) {
		assert_true(strlen(report->findings[i].excerpt) < 200);
		if (strcmp(report->findings[i].rule->name, "SudoInRun") == 0) {
			assert_int_equal(report->findings[i].at.column, 5009);
			assert_int_equal(report->findings[i].character, 5008);
			assert_non_null(strstr(report->findings[i].excerpt, "sudo y"));
		}
	}
}

static void every_rule_has_texts_and_a_name_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sb_lint_rule_count(); i++) {
		const struct sb_lint_rule *rule = sb_lint_rule_at(i);

		assert_ptr_equal(sb_lint_rule_find(rule->name), rule);
		assert_true(strlen(rule->why) > 10 && rule->why[strlen(rule->why) - 1] == '.');
		assert_true(strlen(rule->fix) > 5);
	}
	assert_null(sb_lint_rule_at(sb_lint_rule_count()));
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* What grows with the square of its text would take minutes for these. */
static void large_files_take_no_time(void **state)
{
	static const char *const lines[] = {
		"RUN apt-get update && apt-get install -y x && curl a | sh\n",
		"COPY a b /x/\n",
		"ENV a$i=$b\n",
		"FROM a AS b\n",
		"RUN rm a b c d e f g h i j k l m n o p\n",
		"ARG TOKEN\n",
		"EXPOSE 80/TCP 1.2.3.4:5:6\n",
		"ONBUILD RUN sudo x\n",
		"RUN <<E\nsudo a\nsudo b\nsudo c\nE\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		enum { LINES = 9000 };
		const size_t len = strlen(lines[i]);
		sb_autofree char *text = sb_malloc(7 + LINES * len + 1);
		struct timespec start;

		memcpy(text, "FROM a\n", 7);
		for (size_t n = 0; n < LINES; n++)
			memcpy(text + 7 + n * len, lines[i], len);
		text[7 + LINES * len] = '\0';
		(void)clock_gettime(CLOCK_MONOTONIC, &start);

		SB_AUTO(sb_lint_report) report = lint_text(text, lint_options(CONTEXT_UNKNOWN));

		assert_true(report->len <= SB_LINT_MAX_FINDINGS);
		if (seconds_since(&start) > 30)
			fail_msg("%.1f s for %s", seconds_since(&start), lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_waive),
		cmocka_unit_test(options_choose_rules),
		cmocka_unit_test(a_rule_that_is_not_there_is_wrong_usage),
		cmocka_unit_test(the_target_is_what_counts),
		cmocka_unit_test(secrets_stay_hidden),
		cmocka_unit_test(findings_point_at_their_place),
		cmocka_unit_test(fingerprints_stay_when_lines_move),
		cmocka_unit_test(long_lines_are_cut_around_the_place),
		cmocka_unit_test(every_rule_has_texts_and_a_name_of_its_own),
		cmocka_unit_test(large_files_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
