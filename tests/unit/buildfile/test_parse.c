/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/heredoc.h"
#include "buildfile/instruction.h"

static struct sb_buildfile *parse(const char *text)
{
	struct sb_buildfile *buildfile = NULL;
	struct sb_error err = SB_ERROR_INIT;

	if (sb_buildfile_parse("Buildfile", text, strlen(text), &buildfile, &err) < 0)
		fail_msg("'%s': %u:%u: %s", text, err.at.line, err.at.column, err.message);
	return buildfile;
}

/* The instruction behind FROM. */
static const struct sb_instruction *second(const struct sb_buildfile *buildfile)
{
	assert_true(buildfile->instructions.len >= 2);
	return &buildfile->instructions.items[1];
}

static char *joined(const struct sb_strv *words)
{
	return sb_strv_join(words, "|");
}

static char *joined_pairs(const struct sb_pairs *pairs)
{
	SB_AUTO_STRV items = SB_STRV_INIT;

	SB_ARRAY_FOREACH (pairs, pair)
		sb_strv_addf(
			&items, "%s=%s", pair->key, pair->value != NULL ? pair->value : "(none)");
	return joined(&items);
}

static void commands_take_json_or_fall_back_to_the_shell(void **state)
{
	static const struct {
		const char *line;
		const char *exec; /* NULL: shell form */
		const char *shell;
	} rows[] = {
		{"RUN echo  a", NULL, "echo  a"},
		{"run echo a", NULL, "echo a"},
		{"RUN", NULL, ""},
		{"RUN [\"a\",\"b c\"]", "a|b c", NULL},
		{"RUN [ \"a\" , \"b\" ] ", "a|b", NULL},
		{"RUN []", "", NULL},
		{"RUN ['a']", NULL, "['a']"},
		{"RUN [\"a\"", NULL, "[\"a\""},
		{"RUN [\"a\"] x", NULL, "[\"a\"] x"},
		{"RUN [\"a\",]", NULL, "[\"a\",]"},
		{"RUN [a]", NULL, "[a]"},
		{"RUN [\"\\x\"]", NULL, "[\"\\x\"]"},
		{"RUN [ -f x ] && y", NULL, "[ -f x ] && y"},
		{"RUN [\"a\\u00e9\\ud83d\\ude00\\t\\/\"]", "a\xC3\xA9\xF0\x9F\x98\x80\t/", NULL},
		{"RUN [\"\\ud83dx\"]", "\xEF\xBF\xBDx", NULL},
		{"CMD [\"a\"]", "a", NULL},
		{"CMD a b", NULL, "a b"},
		{"ENTRYPOINT [\"a\", \"$b\"]", "a|$b", NULL},
		{"SHELL [\"/bin/bash\", \"-c\"]", "/bin/bash|-c", NULL},
		{"HEALTHCHECK CMD [\"a\"]", "a", NULL},
		{"HEALTHCHECK --retries=2 cmd a b", NULL, "a b"},
		{"RUN -- --x", NULL, "--x"},
		{"RUN --network=none echo --x", NULL, "echo --x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text = sb_asprintf("FROM a\n%s\n", rows[i].line);
		SB_AUTO(sb_buildfile) buildfile = parse(text);
		const struct sb_command *command = &second(buildfile)->command;
		sb_autofree char *exec = joined(&command->exec);

		assert_int_equal(command->is_exec, rows[i].exec != NULL);
		if (command->is_exec)
			assert_string_equal(exec, rows[i].exec);
		else
			assert_string_equal(command->shell, rows[i].shell);
	}
}

static void words_and_pairs_stay_unexpanded(void **state)
{
	static const struct {
		const char *line;
		const char *words;
		const char *pairs;
	} rows[] = {
		{"COPY a b", "a|b", ""},
		{"COPY  a\tb   c/ ", "a|b|c/", ""},
		{"COPY [\"a b\", \"c\"]", "a b|c", ""},
		{"COPY \"a b\" c", "\"a|b\"|c", ""},
		{"ADD $x /y", "$x|/y", ""},
		{"EXPOSE 80 $p/udp", "80|$p/udp", ""},
		{"VOLUME /a /b", "/a|/b", ""},
		{"VOLUME [\"/a b\"]", "/a b", ""},
		{"WORKDIR /a b", "/a b", ""},
		{"USER $u:g", "$u:g", ""},
		{"STOPSIGNAL SIGTERM", "SIGTERM", ""},
		{"MAINTAINER Some One <a@b>", "Some One <a@b>", ""},
		{"ENV a=b", "", "a=b"},
		{"ENV a=b c=\"d e\" f='g h'", "", "a=b|c=\"d e\"|f='g h'"},
		{"ENV a=b\\ c", "", "a=b\\ c"},
		{"ENV a=", "", "a="},
		{"ENV a=b=c", "", "a=b=c"},
		{"ENV a b c", "", "a=b c"},
		{"ENV a b=c", "", "a=b=c"},
		{"ENV a   \"b\"  c", "", "a=\"b\"  c"},
		{"ENV a='it''s' b=\"x'y\"", "", "a='it''s'|b=\"x'y\""},
		{"ENV a=\"x\\\" y\" b=1", "", "a=\"x\\\" y\"|b=1"},
		{"LABEL \"a b\"=c", "", "\"a b\"=c"},
		{"LABEL a b", "", "a=b"},
		{"ARG a", "", "a=(none)"},
		{"ARG a= b=\"c d\" e", "", "a=|b=\"c d\"|e=(none)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text = sb_asprintf("FROM a\n%s\n", rows[i].line);
		SB_AUTO(sb_buildfile) buildfile = parse(text);
		sb_autofree char *words = joined(&second(buildfile)->words);
		sb_autofree char *pairs = joined_pairs(&second(buildfile)->pairs);

		assert_string_equal(words, rows[i].words);
		assert_string_equal(pairs, rows[i].pairs);
	}
}

static void flags_are_kept_in_order_without_quotes(void **state)
{
	static const struct {
		const char *line;
		const char *flags;
	} rows[] = {
		{"RUN --mount=type=secret,id=a --mount=type=cache,target=$x ls",
			"mount=type=secret,id=a|mount=type=cache,target=$x"},
		{"COPY --link --from=b a c", "link=(none)|from=b"},
		{"COPY --link=false a c", "link=false"},
		{"COPY --exclude=\"a b\" --exclude='c'd e f", "exclude=a b|exclude=cd"},
		{"COPY --chown=a\\ b e f", "chown=a b"},
		{"COPY --chown= e f", "chown="},
		{"ADD --checksum=sha256:00 --keep-git-dir --unpack=true a b",
			"checksum=sha256:00|keep-git-dir=(none)|unpack=true"},
		{"HEALTHCHECK --interval=5s --timeout=1m CMD x", "interval=5s|timeout=1m"},
		{"RUN --security=insecure --device=a --device=b x",
			"security=insecure|device=a|device=b"},
		{"COPY -- a b", ""},
		{"RUN -x", ""},
		{"COPY --from=a -- --b c", "from=a"},
		{"COPY a --from=b c", ""},
		{"COPY  \t--from=a\t--link  b c", "from=a|link=(none)"},
		{"COPY --from='a b' c d", "from=a b"},
		{"COPY --from=\"a'b\" c d", "from=a'b"},
		{"COPY --from=a\\\"b c d", "from=a\"b"},
		{"COPY --from=\"a\\\"b\" c d", "from=a\"b"},
		{"COPY --chown=a=b c d", "chown=a=b"},
		{"COPY --chown=$u:${g:-x} c d", "chown=$u:${g:-x}"},
		{"COPY \\\n  --link \\\n  a b", "link=(none)"},
		{"COPY --link=TRUE --parents=False a b", "link=TRUE|parents=False"},
		{"COPY --exclude=a --exclude=a --exclude=!b c d", "exclude=a|exclude=a|exclude=!b"},
		{"RUN --network=none --security=sandbox x", "network=none|security=sandbox"},
		{"RUN --mount=type=bind,'\"source=a,b\"',target=/x y",
			"mount=type=bind,\"source=a,b\",target=/x"},
		{"ADD --chmod=u=rwX,go=rX a b", "chmod=u=rwX,go=rX"},
		{"ONBUILD COPY --from=a b c", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text = sb_asprintf("FROM a\n%s\n", rows[i].line);
		SB_AUTO(sb_buildfile) buildfile = parse(text);
		sb_autofree char *flags = joined_pairs(&second(buildfile)->flags);

		assert_string_equal(flags, rows[i].flags);
	}
}

static void bare_flags_are_true(void **state)
{
	SB_AUTO(sb_buildfile) buildfile = parse("FROM a\nCOPY --link --parents=False a b\n");

	(void)state;
	assert_string_equal(sb_instruction_flag(second(buildfile), "link"), "");
	assert_null(sb_instruction_flag(second(buildfile), "from"));
	assert_true(sb_instruction_flag_is_true(second(buildfile), "link"));
	assert_false(sb_instruction_flag_is_true(second(buildfile), "parents"));
	assert_false(sb_instruction_flag_is_true(second(buildfile), "from"));
}

static void lines_are_continued_and_comments_dropped(void **state)
{
	static const struct {
		const char *lines;
		const char *shell;
		const char *text;
	} rows[] = {
		{"RUN a \\\n  b\n", "a   b", "RUN a b"},
		{"RUN a\\\nb\n", "ab", "RUN a b"},
		{"RUN a \\  \t\n b\n", "a  b", "RUN a b"},
		{"RUN a \\\n# c\n  # d\n b\n", "a  b", "RUN a b"},
		{"RUN a \\\n\n  \n b\n", "a  b", "RUN a b"},
		{"RUN a \\\r\n b\r\n", "a  b", "RUN a b"},
		{"RUN a \\", "a", "RUN a"},
		{"RUN a # b\n", "a # b", "RUN a # b"},
		{"  RUN a\n", "a", "RUN a"},
		{"\\\nRUN a\n", "a", "RUN a"},
		{"RUN a \\\n  \\\n b\n", "a    b", "RUN a b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text = sb_asprintf("FROM a\n%s", rows[i].lines);
		SB_AUTO(sb_buildfile) buildfile = parse(text);

		assert_int_equal(buildfile->instructions.len, 2);
		assert_string_equal(second(buildfile)->command.shell, rows[i].shell);
		assert_string_equal(second(buildfile)->text, rows[i].text);
	}
}

static void a_doubled_escape_does_not_continue(void **state)
{
	SB_AUTO(sb_buildfile) buildfile = parse("FROM a\nRUN a \\\\\nRUN b\n");

	(void)state;
	assert_int_equal(buildfile->instructions.len, 3);
	assert_string_equal(second(buildfile)->command.shell, "a \\\\");
}

static void directives_come_first_or_are_comments(void **state)
{
	SB_AUTO(sb_buildfile) backtick =
		parse("\xEF\xBB\xBF# Syntax = docker/dockerfile:1.7-labs\n#escape=`\n"
		      "# check=skip=A,B;error=true\nFROM a\nRUN a `\n b\\\n");
	SB_AUTO(sb_buildfile) late = parse("# hello\n# escape=`\nFROM a\nRUN a \\\n b\n");
	SB_AUTO(sb_buildfile) blank = parse("\n# syntax=other/frontend\nFROM a\n");

	(void)state;
	assert_int_equal(backtick->escape, '`');
	assert_string_equal(backtick->check, "skip=A,B;error=true");
	assert_int_equal(backtick->check_line, 3);
	assert_string_equal(second(backtick)->command.shell, "a  b\\");
	assert_int_equal(late->escape, '\\');
	assert_string_equal(second(late)->command.shell, "a  b");
	assert_int_equal(blank->instructions.len, 1);
}

static void positions_point_at_names(void **state)
{
	SB_AUTO(sb_buildfile) buildfile =
		parse("# c\nFROM a\n\n  RUN a \\\n  b \\\n  c\nRUN <<E\nx\nE\nCMD x\n");
	static const unsigned expected[][3] = {{2, 1, 2}, {4, 3, 6}, {7, 1, 9}, {10, 1, 10}};

	(void)state;
	assert_int_equal(buildfile->instructions.len, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct sb_instruction *instr = &buildfile->instructions.items[i];

		assert_int_equal(instr->at.line, expected[i][0]);
		assert_int_equal(instr->at.column, expected[i][1]);
		assert_int_equal(instr->end_line, expected[i][2]);
		assert_string_equal(instr->at.file, "Buildfile");
	}
}

static void stages_get_lower_case_names(void **state)
{
	SB_AUTO(sb_buildfile) buildfile = parse(
		"ARG v=1\nFROM --platform=linux/amd64 alpine:$v as Build-1.x\nFROM scratch\n");
	const struct sb_instruction *from = second(buildfile);

	(void)state;
	assert_string_equal(from->words.items[0], "alpine:$v");
	assert_string_equal(from->name, "build-1.x");
	assert_string_equal(sb_instruction_flag(from, "platform"), "linux/amd64");
	assert_null(buildfile->instructions.items[2].name);
}

static void heredocs_are_read_in_order(void **state)
{
	SB_AUTO(sb_buildfile) buildfile = parse("FROM a\n"
						"RUN cat <<A 3<<-\"B C\" <<'D' ; echo\n"
						"$x # \\\nA\n\t\tone\n\ttwo\n\tB C\nd\r\nD\r\n"
						"COPY <<f.txt <<\\g /dir/\n# f\nf.txt\n$g\ng\n"
						"RUN <<E\nE\n");
	const struct sb_heredocs *run = &second(buildfile)->heredocs;
	const struct sb_instruction *copy = &buildfile->instructions.items[2];
	sb_autofree char *words = joined(&copy->words);

	(void)state;
	assert_int_equal(run->len, 3);
	assert_string_equal(run->items[0].body, "$x # \\\n");
	assert_false(run->items[0].is_quoted);
	assert_int_equal(run->items[0].fd, 0);
	assert_string_equal(run->items[1].name, "B C");
	assert_string_equal(run->items[1].body, "one\ntwo\n");
	assert_true(run->items[1].is_quoted);
	assert_int_equal(run->items[1].fd, 3);
	assert_string_equal(run->items[2].body, "d\r\n");
	assert_true(run->items[2].is_quoted);
	assert_string_equal(words, "<<f.txt|<<g|/dir/");
	assert_string_equal(copy->heredocs.items[0].body, "# f\n");
	assert_true(copy->heredocs.items[1].is_quoted);
	assert_string_equal(buildfile->instructions.items[3].heredocs.items[0].body, "");
}

static void what_only_looks_like_a_heredoc_is_none(void **state)
{
	static const char *const lines[] = {"RUN cat <<<word", "RUN echo $((1<<3))",
		"RUN cat << EOF", "RUN echo \"<<EOF\"", "RUN echo '<<EOF",
		"RUN [\"cat\", \"<<EOF\"]", "RUN x<<EOF", "RUN echo ${x:-a <<EOF}", "CMD cat <<EOF",
		"RUN cat <<''", "RUN echo \\<<EOF", "ENV a=<<EOF"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		sb_autofree char *text = sb_asprintf("FROM a\n%s\nCMD x\n", lines[i]);
		SB_AUTO(sb_buildfile) buildfile = parse(text);

		assert_int_equal(buildfile->instructions.len, 3);
		assert_int_equal(second(buildfile)->heredocs.len, 0);
	}
}

static void run_scripts_are_joined_for_the_shell(void **state)
{
	static const struct {
		const char *lines;
		const char *script;
		bool is_sole;
	} rows[] = {
		{"RUN <<EOF\na\nb\nEOF\n", "a\nb\n", true},
		{"RUN <<-EOF\n\ta\n\tEOF\n", "a\n", true},
		{"RUN python3 <<EOF\na\nEOF\n", "python3 <<EOF\na\nEOF", false},
		{"RUN a <<B <<C\n1\nB\n2\nC\n", "a <<B <<C\n1\nB\n2\nC", false},
		{"RUN <<B <<C\n1\nB\n2\nC\n", "<<B <<C\n1\nB\n2\nC", false},
		{"RUN a b\n", "a b", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text = sb_asprintf("FROM a\n%s", rows[i].lines);
		SB_AUTO(sb_buildfile) buildfile = parse(text);
		sb_autofree char *script = sb_run_script(second(buildfile));

		assert_string_equal(script, rows[i].script);
		assert_int_equal(sb_run_sole_heredoc(second(buildfile)) != NULL, rows[i].is_sole);
	}
}

static void triggers_keep_the_text_that_a_child_parses(void **state)
{
	SB_AUTO(sb_buildfile) buildfile =
		parse("FROM a\nonbuild  COPY --from=b \\\n  <<F /x\n$a\nF\nONBUILD RUN x\n");
	const struct sb_instruction *trigger = second(buildfile)->trigger;
	SB_AUTO(sb_buildfile) again = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(trigger->kind, SB_INSTR_COPY);
	assert_string_equal(trigger->text, "COPY --from=b   <<F /x\n$a\nF");
	assert_int_equal(trigger->at.line, 2);
	assert_int_equal(trigger->at.column, 10);
	assert_int_equal(sb_buildfile_parse_trigger(trigger->text, &again, &err), 0);
	assert_string_equal(again->instructions.items[0].heredocs.items[0].body, "$a\n");
}

static void foreign_triggers_are_one_instruction(void **state)
{
	static const char *const rows[] = {"", "RUN a\nRUN b", "FROM x", "ONBUILD RUN x", "NOPE",
		"MAINTAINER x", "RUN <<E\nx"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_buildfile *buildfile = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_buildfile_parse_trigger(rows[i], &buildfile, &err), -1);
		assert_int_equal(err.code, SB_E_SYNTAX);
	}
}

struct wrong {
	const char *text;
	unsigned line;
	unsigned column;
	const char *message;
	const char *hint; /* NULL: not looked at */
};

static void check_wrong(const struct wrong *row)
{
	struct sb_buildfile *buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_buildfile_parse("Buildfile", row->text, strlen(row->text), &buildfile, &err) == 0) {
		sb_buildfile_free(buildfile);
		fail_msg("'%s' is taken", row->text);
	}
	assert_string_equal(err.at.file, "Buildfile");
	if (strstr(err.message, row->message) == NULL || err.at.line != row->line ||
		err.at.column != row->column)
		fail_msg("'%s': %u:%u: %s", row->text, err.at.line, err.at.column, err.message);
	if (row->hint != NULL && (err.hint == NULL || strstr(err.hint, row->hint) == NULL))
		fail_msg("'%s': hint '%s'", row->text, err.hint != NULL ? err.hint : "(none)");
}

static void errors_say_where_and_what(void **state)
{
	static const struct wrong rows[] = {
		{"", 0, 0, "empty", NULL},
		{"\n# c\n", 0, 0, "no instructions", NULL},
		{"ARG a\n", 0, 0, "no stages", "FROM"},
		{"RUN a\n", 1, 1, "RUN: there is no build stage", "FROM"},
		{"ARG a\nENV b=c\nFROM x\n", 2, 1, "ENV: there is no build stage", NULL},
		{"FORM a\n", 1, 1, "unknown instruction 'FORM'", "'FROM'"},
		{"FROM a\n  CPOY a b\n", 2, 3, "unknown instruction 'CPOY'", "'COPY'"},
		{"FROM a\nworkdri /x\n", 2, 1, "unknown instruction 'workdri'", "'WORKDIR'"},
		{"FROM a\n|x|\n", 2, 1, "unknown instruction '|x|'", NULL},
		{"FROM\n", 1, 5, "one or three", NULL},
		{"FROM a b\n", 1, 6, "one or three", NULL},
		{"FROM a is b\n", 1, 6, "one or three", NULL},
		{"FROM a AS 1b\n", 1, 11, "'1b' is no name", NULL},
		{"FROM a AS b/c\n", 1, 11, "'b/c' is no name", NULL},
		{"FROM --plattform=x a\n", 1, 6, "unknown flag '--plattform'", "'platform'"},
		{"FROM a\nCOPY --form=b x y\n", 2, 6, "COPY: unknown flag '--form'", "'from'"},
		{"FROM a\nADD --from=b x y\n", 2, 5, "unknown flag '--from'", NULL},
		{"FROM a\nENV --x a=b\n", 2, 5, "unknown flag '--x'", NULL},
		{"FROM a\nCOPY --from=b \\\n  --from=c x y\n", 3, 3, "'--from' is given twice",
			NULL},
		{"FROM a\nCOPY --from x y\n", 2, 6, "'--from' needs a value", NULL},
		{"FROM a\nCMD --x\n", 2, 5, "CMD: unknown flag '--x'", NULL},
		{"FROM a\nCOPY --link=yes x y\n", 2, 6, "true or false, not 'yes'", NULL},
		{"FROM a\nCOPY --link= x y\n", 2, 6, "true or false", NULL},
		{"FROM a\nCOPY\n", 2, 5, "at least two arguments", NULL},
		{"FROM a\nCOPY x\n", 2, 6, "there is only 'x'", NULL},
		{"FROM a\nCOPY [\"x\"]\n", 2, 6, "there is only 'x'", NULL},
		{"FROM a\nCOPY [\"x\", 1]\n", 2, 6, "array of strings", NULL},
		{"FROM a\nRUN [1]\n", 2, 5, "array of strings", NULL},
		{"FROM a\nRUN [\"a\", null]\n", 2, 5, "array of strings", NULL},
		{"FROM a\nRUN [\"a\\u0000\"]\n", 2, 5, "NUL", NULL},
		{"FROM a\nCOPY x <<E\nE\n", 2, 8, "can't be the destination", NULL},
		{"FROM a\nRUN a <<E\nx\n", 2, 7, "'<<E' is not terminated", "'E'"},
		{"FROM a\nRUN a <<E>b\nx\nE\n", 2, 7, "'<<E>b' is not terminated", "blank"},
		{"FROM a\nENV\n", 2, 4, "at least one argument", NULL},
		{"FROM a\nENV a\n", 2, 5, "'a' has no value", "ENV a=VALUE"},
		{"FROM a\nENV a=b c\n", 2, 9, "'c' has no '='", NULL},
		{"FROM a\nENV =b\n", 2, 5, "name before '=' is empty", NULL},
		{"FROM a\nLABEL a=b \\\n  c\n", 3, 3, "'c' has no '='", NULL},
		{"FROM a\nARG\n", 2, 4, "at least one argument", NULL},
		{"FROM a\nARG =x\n", 2, 5, "is empty", NULL},
		{"FROM a\nEXPOSE\n", 2, 7, "at least one argument", NULL},
		{"FROM a\nVOLUME [\"\"]\n", 2, 8, "can't be an empty string", NULL},
		{"FROM a\nVOLUME []\n", 2, 8, "at least one argument", NULL},
		{"FROM a\nUSER\n", 2, 5, "exactly one argument", NULL},
		{"FROM a\nMAINTAINER\n", 2, 11, "exactly one argument", NULL},
		{"FROM a\nSHELL /bin/sh\n", 2, 7, "JSON form", NULL},
		{"FROM a\nSHELL []\n", 2, 7, "at least one argument", NULL},
		{"FROM a\nHEALTHCHECK\n", 2, 12, "at least one argument", NULL},
		{"FROM a\nHEALTHCHECK NONE x\n", 2, 18, "NONE takes no arguments", NULL},
		{"FROM a\nHEALTHCHECK CMD\n", 2, 16, "command after CMD is missing", NULL},
		{"FROM a\nHEALTHCHECK CMD []\n", 2, 17, "command after CMD is missing", NULL},
		{"FROM a\nHEALTHCHECK x\n", 2, 13, "unknown type 'x'", NULL},
		{"FROM a\nHEALTHCHECK --interval=5 CMD x\n", 2, 24, "'5' is no duration", NULL},
		{"FROM a\nHEALTHCHECK --timeout=5us CMD x\n", 2, 23, "less than one millisecond",
			NULL},
		{"FROM a\nHEALTHCHECK --retries=-1 CMD x\n", 2, 23, "'-1' is negative", NULL},
		{"FROM a\nONBUILD\n", 2, 8, "at least one argument", NULL},
		{"FROM a\nONBUILD ONBUILD RUN x\n", 2, 9, "another ONBUILD", NULL},
		{"FROM a\nONBUILD from x\n", 2, 9, "FROM can't be a trigger", NULL},
		{"FROM a\nONBUILD MAINTAINER x\n", 2, 9, "MAINTAINER can't be a trigger", NULL},
		{"FROM a\nONBUILD RNU x\n", 2, 9, "unknown instruction 'RNU'", "'RUN'"},
		{"# escape=x\nFROM a\n", 1, 10, "'x' is no escape", NULL},
		{"# escape=`\n# escape=`\nFROM a\n", 2, 3, "only one escape", NULL},
		{"# check=skp=A\nFROM a\n", 1, 9, "unknown option 'skp=A'", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_wrong(&rows[i]);
}

static void other_frontends_are_unsupported(void **state)
{
	static const char text[] = "# syntax=me/frontend:1 x\nFROM a\n";
	struct sb_buildfile *buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_buildfile_parse("Buildfile", text, strlen(text), &buildfile, &err), -1);
	assert_int_equal(err.code, SB_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'me/frontend:1'"));
	assert_int_equal(err.at.line, 1);
}

static void long_lines_and_nul_bytes_are_refused(void **state)
{
	sb_autofree char *text = sb_calloc(SB_MAX_BUILDFILE_LINE + 100, 1);
	struct sb_buildfile *buildfile = NULL;
	SB_AUTO_ERROR line = SB_ERROR_INIT;
	SB_AUTO_ERROR nul = SB_ERROR_INIT;
	SB_AUTO_ERROR whole = SB_ERROR_INIT;

	(void)state;
	memset(text, 'x', SB_MAX_BUILDFILE_LINE + 10);
	memcpy(text, "FROM a\nRUN ", 11);
	assert_int_equal(sb_buildfile_parse("B", text, strlen(text), &buildfile, &line), -1);
	assert_int_equal(line.code, SB_E_LIMIT);
	assert_int_equal(line.at.line, 2);
	assert_int_equal(sb_buildfile_parse("B", "FROM a\nRUN x\0y\n", 15, &buildfile, &nul), -1);
	assert_int_equal(nul.code, SB_E_SYNTAX);
	assert_int_equal(nul.at.line, 2);
	assert_int_equal(nul.at.column, 6);
	assert_int_equal(
		sb_buildfile_parse("B", text, SB_MAX_BUILDFILE + 1U, &buildfile, &whole), -1);
	assert_int_equal(whole.code, SB_E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_take_json_or_fall_back_to_the_shell),
		cmocka_unit_test(words_and_pairs_stay_unexpanded),
		cmocka_unit_test(flags_are_kept_in_order_without_quotes),
		cmocka_unit_test(bare_flags_are_true),
		cmocka_unit_test(lines_are_continued_and_comments_dropped),
		cmocka_unit_test(a_doubled_escape_does_not_continue),
		cmocka_unit_test(directives_come_first_or_are_comments),
		cmocka_unit_test(positions_point_at_names),
		cmocka_unit_test(stages_get_lower_case_names),
		cmocka_unit_test(heredocs_are_read_in_order),
		cmocka_unit_test(what_only_looks_like_a_heredoc_is_none),
		cmocka_unit_test(run_scripts_are_joined_for_the_shell),
		cmocka_unit_test(triggers_keep_the_text_that_a_child_parses),
		cmocka_unit_test(foreign_triggers_are_one_instruction),
		cmocka_unit_test(errors_say_where_and_what),
		cmocka_unit_test(other_frontends_are_unsupported),
		cmocka_unit_test(long_lines_and_nul_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
