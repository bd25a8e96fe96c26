/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/heredoc.h"

/* All that a token says as one line. */
static char *describe(const struct sb_heredoc_token *token)
{
	return sb_asprintf("%u%s%s [%s]", token->fd, token->strips_tabs ? " tabs" : "",
		token->is_quoted ? " quoted" : "", token->name);
}

static void words_are_tokens_or_are_none(void **state)
{
	static const struct {
		const char *word;
		const char *expected; /* NULL: no token */
	} rows[] = {
		{"<<EOF", "0 [EOF]"},
		{"<<a", "0 [a]"},
		{"<<file.txt", "0 [file.txt]"},
		{"<</etc/x", "0 [/etc/x]"},
		{"<<E_O-F", "0 [E_O-F]"},
		{"<<$x", "0 [$x]"},
		{"<<\xC3\xA9", "0 [\xC3\xA9]"},
		{"<<-EOF", "0 tabs [EOF]"},
		{"<<--", "0 tabs [-]"},
		{"<<-\"E\"", "0 tabs quoted [E]"},
		{"<<'EOF'", "0 quoted [EOF]"},
		{"<<\"EOF\"", "0 quoted [EOF]"},
		{"<<E'O'F", "0 quoted [EOF]"},
		{"<<\"E O\"F", "0 quoted [E OF]"},
		{"<<'a\"b'", "0 quoted [a\"b]"},
		{"<<\"a'b\"", "0 quoted [a'b]"},
		{"<<\"a\\\"b\"", "0 quoted [a\"b]"},
		{"<<\"a\\b\"", "0 quoted [a\\b]"},
		{"<<'a\\b'", "0 quoted [a\\b]"},
		{"<<\\EOF", "0 quoted [EOF]"},
		{"<<E\\OF", "0 quoted [EOF]"},
		{"<<EOF>out", "0 [EOF>out]"},
		{"<<EOF;", "0 [EOF;]"},
		{"0<<EOF", "0 [EOF]"},
		{"3<<EOF", "3 [EOF]"},
		{"10<<-'E'", "10 tabs quoted [E]"},
		{"007<<E", "7 [E]"},
		{"999999999<<E", "999999999 [E]"},
		{"9999999999<<E", NULL},
		{"", NULL},
		{"<", NULL},
		{"<<", NULL},
		{"<<-", NULL},
		{"3<<", NULL},
		{"<EOF", NULL},
		{"< <EOF", NULL},
		{"<<<EOF", NULL},
		{"<<<<EOF", NULL},
		{"<<E<F", NULL},
		{"<<E<<F", NULL},
		{"<<''", NULL},
		{"<<\"\"", NULL},
		{"<<'EOF", NULL},
		{"<<EOF\"", NULL},
		{"x<<EOF", NULL},
		{"3x<<EOF", NULL},
		{"-<<EOF", NULL},
		{"\\<<EOF", NULL},
		{"'<<EOF'", NULL},
		{"EOF<<", NULL},
		{"1<3", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_heredoc_token token = {0};
		const bool is_token =
			sb_heredoc_token_parse(rows[i].word, strlen(rows[i].word), &token);
		sb_autofree char *got = is_token ? describe(&token) : NULL;

		free(token.name);
		if (is_token != (rows[i].expected != NULL) ||
			(is_token && strcmp(got, rows[i].expected) != 0))
			fail_msg("'%s': %s", rows[i].word, is_token ? got : "(none)");
	}
}

static void tokens_are_found_among_the_words(void **state)
{
	static const struct {
		const char *text;
		const char *expected; /* name@offset of each */
	} rows[] = {
		{"", ""},
		{"cat", ""},
		{"<<A", "A@0"},
		{"  <<A", "A@2"},
		{"cat <<A", "A@4"},
		{"cat <<A >b", "A@4"},
		{"cat <<A <<B", "A@4 B@8"},
		{"cat\t<<A\t<<'B c'\t", "A@4 B c@8"},
		{"cat <<A; cat <<B", "A;@4 B@13"},
		{"cat <<A 3<<B && x", "A@4 B@8"},
		{"cat << A", ""},
		{"cat '<<A' \"<<B\"", ""},
		{"cat ' <<A '", ""},
		{"cat \" <<A \" <<B", "B@12"},
		{"cat \" \\\" <<A \" <<B", "B@15"},
		{"cat '\\' <<A", "A@8"},
		{"cat \\' <<A", "A@7"},
		{"cat \\\" <<A \\\"", "A@7"},
		{"cat a\\ <<A", ""},
		{"cat ${x:-a <<A} <<B", "B@16"},
		{"cat ${x:-${y:-<<A }} <<B", "B@21"},
		{"cat } <<A", "A@6"},
		{"cat 'open <<A", ""},
		{"cat \"open <<A", ""},
		{"x=$((1<<3)) <<A", "A@12"},
		{"cat <<<x <<A", "A@9"},
		{"# <<A", "A@2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_heredoc_tokens tokens = {0};
		SB_AUTO_STRV found = SB_STRV_INIT;

		sb_heredoc_tokens_find(rows[i].text, strlen(rows[i].text), &tokens);
		SB_ARRAY_FOREACH (&tokens, token)
			sb_strv_addf(&found, "%s@%zu", token->name, token->offset);
		sb_heredoc_tokens_release(&tokens);

		sb_autofree char *joined = sb_strv_join(&found, " ");

		if (strcmp(joined, rows[i].expected) != 0)
			fail_msg("'%s': '%s'", rows[i].text, joined);
	}
}

static void bodies_end_at_the_line_that_is_the_name(void **state)
{
	static const struct {
		const char *lines; /* behind COPY <<TOKEN /x */
		const char *token;
		const char *body; /* NULL: not terminated */
	} rows[] = {
		{"a\nZ\n", "Z", "a\n"},
		{"Z\n", "Z", ""},
		{"Z", "Z", ""},
		{"a\nZ", "Z", "a\n"},
		{"\n\nZ\n", "Z", "\n\n"},
		{" Z\nZ \nZE\nZ\n", "Z", " Z\nZ \nZE\n"},
		{"\tZ\nZ\n", "Z", "\tZ\n"},
		{"\ta\n\t\tb\n\tZ\n", "-Z", "a\nb\n"},
		{"\t a\n b\nZ\n", "-Z", " a\n b\n"},
		{"\t\t\n\t\tZ\n", "-Z", "\n"},
		{"a\r\nZ\r\n", "Z", "a\r\n"},
		{"Z\r\n", "Z", ""},
		{"a \\\nZ\n", "Z", "a \\\n"},
		{"# c\n\nFROM x\nZ\n", "Z", "# c\n\nFROM x\n"},
		{"z\nZ\n", "Z", "z\n"},
		{"a b\n", "'a b'", ""},
		{"'Z'\nZ\n", "'Z'", "'Z'\n"},
		{"a\n", "Z", NULL},
		{"", "Z", NULL},
		{" Z\n", "Z", NULL},
		{" \tZ\n", "-Z", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text =
			sb_asprintf("FROM a\nCOPY <<%s /x\n%s", rows[i].token, rows[i].lines);
		SB_AUTO(sb_buildfile) buildfile = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const int rc =
			sb_buildfile_parse("Buildfile", text, strlen(text), &buildfile, &err);

		if ((rc == 0) != (rows[i].body != NULL))
			fail_msg("'%s': %s", text, rc == 0 ? "it is taken" : err.message);
		if (rc == 0)
			assert_string_equal(buildfile->instructions.items[1].heredocs.items[0].body,
				rows[i].body);
		else
			assert_int_equal(err.at.line, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_tokens_or_are_none),
		cmocka_unit_test(tokens_are_found_among_the_words),
		cmocka_unit_test(bodies_end_at_the_line_that_is_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
