/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/options.h"

struct fields {
	const char *name;
	struct sb_strv list;
	size_t value_len;
	bool quiet;
	bool pull;
};

static int parse_len(void *field, const char *value, struct sb_error *err)
{
	if (strcmp(value, "bad") == 0)
		return sb_fail(err, SB_E_USAGE, "is bad");
	*(size_t *)field = strlen(value);
	return 0;
}

static const struct sb_option table[] = {
	{"", 0, SB_OPTION_GROUP, NULL, 0, "Group", NULL},
	{"name", 'n', SB_OPTION_TEXT, "NAME", offsetof(struct fields, name), "a name", NULL},
	{"list", 'l', SB_OPTION_LIST, "X", offsetof(struct fields, list), "a list", NULL},
	{"length", 0, SB_OPTION_PARSED, "X", offsetof(struct fields, value_len),
		"long text that "
		"must be wrapped because it does not fit on the rest of one line of eighty",
		parse_len},
	{"quiet", 'q', SB_OPTION_FLAG, NULL, offsetof(struct fields, quiet), "a flag", NULL},
	{"pull", 'p', SB_OPTION_FLAG, NULL, offsetof(struct fields, pull), "a flag", NULL},
	{"ssh", 0, SB_OPTION_ABSENT, NULL, 0, "use --name", NULL},
	{NULL},
};

struct parsed {
	struct fields fields;
	struct sb_strv words;
	struct sb_strv rest;
	bool is_help;
	int result;
	struct sb_error err;
};

/* Words are parted by blanks. */
static void parse(struct parsed *p, const char *line)
{
	sb_autofree char *copy = sb_strdup(line);
	char *rest = copy;

	memset(p, 0, sizeof(*p));
	for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " "))
		sb_strv_add(&p->words, word);
	p->result = sb_options_parse(table, &p->words, &p->fields, &p->rest, &p->is_help, &p->err);
}

static void release(struct parsed *p)
{
	sb_strv_release(&p->fields.list);
	sb_strv_release(&p->words);
	sb_strv_release(&p->rest);
	sb_error_release(&p->err);
}

static void every_spelling_of_a_value_is_taken(void **state)
{
	static const char *const lines[] = {"--name v", "--name=v", "-n v", "-nv", "-n=v", "-qn v",
		"-qnv", "--name other --name v", "word --name v"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct parsed p;

		parse(&p, lines[i]);
		assert_int_equal(p.result, 0);
		assert_string_equal(p.fields.name, "v");
		release(&p);
	}
}

static void flags_are_bundled_and_may_be_false(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "-qp");
	assert_true(p.fields.quiet && p.fields.pull);
	release(&p);
	parse(&p, "-q --pull --pull=false");
	assert_true(p.fields.quiet);
	assert_false(p.fields.pull);
	release(&p);
	parse(&p, "--pull=perhaps");
	assert_int_equal(p.result, -1);
	release(&p);
}

static void lists_keep_their_order_and_words_may_come_between(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "a -l 1 b --list=2 - -l3 -- --list -q");
	assert_int_equal(p.result, 0);
	sb_autofree char *list = sb_strv_join(&p.fields.list, ",");
	sb_autofree char *rest = sb_strv_join(&p.rest, ",");

	assert_string_equal(list, "1,2,3");
	assert_string_equal(rest, "a,b,-,--list,-q");
	assert_false(p.fields.quiet);
	release(&p);
}

static void an_empty_inline_value_is_a_value(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "--name= -q");
	assert_int_equal(p.result, 0);
	assert_string_equal(p.fields.name, "");
	assert_true(p.fields.quiet);
	release(&p);
}

static void wrong_options_are_named_and_their_values_are_not(void **state)
{
	static const struct {
		const char *line;
		const char *message;
		const char *hint;
	} cases[] = {
		{"--nmae=hunter2", "unknown option '--nmae'", "did you mean '--name'?"},
		{"--quie", "unknown option '--quie'", "did you mean '--quiet'?"},
		{"--wholly-else", "unknown option '--wholly-else'", NULL},
		{"-x", "unknown option '-x'", NULL},
		{"-qx", "unknown option '-x'", NULL},
		{"--name", "option '--name' needs a value (NAME)", NULL},
		{"-qn", "option '-n' needs a value (NAME)", NULL},
		{"--ssh default", "option '--ssh' is not in this version of safebuild",
			"use --name"},
		{"--length bad", "--length: is bad", NULL},
		{"--quiet=hunter2",
			"option '--quiet' is a flag: it takes no value but true or false", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed p;

		parse(&p, cases[i].line);
		assert_int_equal(p.result, -1);
		assert_int_equal(p.err.code, SB_E_USAGE);
		assert_string_equal(p.err.message, cases[i].message);
		if (cases[i].hint != NULL)
			assert_string_equal(p.err.hint, cases[i].hint);
		else
			assert_null(p.err.hint);
		release(&p);
	}
}

static void help_ends_the_parsing(void **state)
{
	static const char *const lines[] = {"--help", "-h", "-qh", "a --help --unknown"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct parsed p;

		parse(&p, lines[i]);
		assert_int_equal(p.result, 0);
		assert_true(p.is_help);
		release(&p);
	}
}

static void skip_counts_the_words_of_an_option(void **state)
{
	static const struct {
		const char *word;
		size_t n;
	} cases[] = {{"--name", 2}, {"--name=x", 1}, {"-n", 2}, {"-nx", 1}, {"-qn", 2}, {"-q", 1},
		{"--unknown", 1}, {"-", 0}, {"word", 0}, {"", 0}, {"--help", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_STRV words = SB_STRV_INIT;

		sb_strv_add(&words, cases[i].word);
		sb_strv_add(&words, "next");
		assert_int_equal(sb_options_skip(table, &words, 0), cases[i].n);
	}
}

static void help_text_keeps_to_eighty_columns(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	sb_options_print(table, out);
	(void)fclose(out);
	assert_non_null(strstr(text, "\nGroup:\n  -n, --name NAME             a name\n"));
	assert_null(strstr(text, "ssh"));
	for (char *line = text; *line != '\0';) {
		const size_t n = strcspn(line, "\n");

		assert_true(n <= 80);
		line += n + 1;
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_a_value_is_taken),
		cmocka_unit_test(flags_are_bundled_and_may_be_false),
		cmocka_unit_test(lists_keep_their_order_and_words_may_come_between),
		cmocka_unit_test(an_empty_inline_value_is_a_value),
		cmocka_unit_test(wrong_options_are_named_and_their_values_are_not),
		cmocka_unit_test(help_ends_the_parsing),
		cmocka_unit_test(skip_counts_the_words_of_an_option),
		cmocka_unit_test(help_text_keeps_to_eighty_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
