/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/words.h"

/* "word@offset" of each, joined by |. Caller frees. */
static char *describe(const struct sb_words *words)
{
	SB_AUTO_STRV items = SB_STRV_INIT;

	SB_ARRAY_FOREACH (words, word)
		sb_strv_addf(&items, "%s@%zu", word->text, word->offset);
	return sb_strv_join(&items, "|");
}

static void words_end_at_every_blank(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{"", ""},
		{"   ", ""},
		{"a", "a@0"},
		{"a b", "a@0|b@2"},
		{"  a \t b  ", "a@2|b@6"},
		{"a\r\n\v\fb", "a@0|b@5"},
		{"\"a b\"", "\"a@0|b\"@3"},
		{"'a b' c", "'a@0|b'@3|c@6"},
		{"a\\ b", "a\\@0|b@3"},
		{"$a ${b}", "$a@0|${b}@3"},
		{"${a:-b c}", "${a:-b@0|c}@7"},
		{"\xC3\xA9 \xE2\x80\x83x", "\xC3\xA9@0|\xE2\x80\x83x@3"},
		{"a=b c=d", "a=b@0|c=d@4"},
		{"# a", "#@0|a@2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_words words = {0};

		sb_words_split(rows[i].text, strlen(rows[i].text), &words);

		sb_autofree char *got = describe(&words);

		sb_words_release(&words);
		assert_string_equal(got, rows[i].expected);
	}
}

static void quoted_and_escaped_blanks_end_no_word(void **state)
{
	static const struct {
		const char *text;
		char escape;
		const char *expected;
	} rows[] = {
		{"", '\\', ""},
		{"  ", '\\', ""},
		{"a=b c=d", '\\', "a=b@0|c=d@4"},
		{"  a \t b ", '\\', "a@2|b@6"},
		{"a=\"b c\" d", '\\', "a=\"b c\"@0|d@8"},
		{"a='b c' d", '\\', "a='b c'@0|d@8"},
		{"\"a b\"=c", '\\', "\"a b\"=c@0"},
		{"a=\"b 'c\" d", '\\', "a=\"b 'c\"@0|d@9"},
		{"a='b \"c' d", '\\', "a='b \"c'@0|d@9"},
		{"a=b\\ c d", '\\', "a=b\\ c@0|d@7"},
		{"a=b\\\\ c", '\\', "a=b\\\\@0|c@6"},
		{"a=\"b\\\" c\" d", '\\', "a=\"b\\\" c\"@0|d@10"},
		{"a=\\\"b c", '\\', "a=\\\"b@0|c@6"},
		{"a=\\'b c", '\\', "a=\\'b@0|c@6"},
		{"a=\"b\" 'c'", '\\', "a=\"b\"@0|'c'@6"},
		{"a=\"b\"'c d'e f", '\\', "a=\"b\"'c d'e@0|f@12"},
		{"a=b`\\ c", '`', "a=b`\\@0|c@6"},
		{"a=b` c d", '`', "a=b` c@0|d@7"},
		{"a=C:\\ b", '`', "a=C:\\@0|b@6"},
		{"a=\"b`\" c\"", '`', "a=\"b`\" c\"@0"},
		{"a=${b:-c d}", '\\', "a=${b:-c@0|d}@9"},
		{"a=\"\" b=''", '\\', "a=\"\"@0|b=''@5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_words words = {0};

		sb_words_split_quoted(rows[i].text, strlen(rows[i].text), rows[i].escape, &words);

		sb_autofree char *got = describe(&words);

		sb_words_release(&words);
		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("'%s': '%s'", rows[i].text, got);
	}
}

static void an_open_quote_takes_all_that_is_left(void **state)
{
	static const char *const rows[] = {"\"a b c", "'a b c", "x=\"a b\\\" c"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_words words = {0};

		sb_words_split_quoted(rows[i], strlen(rows[i]), '\\', &words);
		assert_int_equal(words.len, 1);
		assert_string_equal(words.items[0].text, rows[i]);
		sb_words_release(&words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_end_at_every_blank),
		cmocka_unit_test(quoted_and_escaped_blanks_end_no_word),
		cmocka_unit_test(an_open_quote_takes_all_that_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
