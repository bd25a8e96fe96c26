/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strv.h"
#include "lint/command.h"
#include "lint/shell.h"

/* Commands are parted by " / ", words by blanks; "<N" before one says that it reads from the N-th.
 */
static char *show(const char *script)
{
	struct sb_shell shell = {0};
	SB_AUTO_STRV commands = SB_STRV_INIT;

	sb_shell_parse(script, strlen(script), &shell);
	SB_ARRAY_FOREACH (&shell.commands, command) {
		SB_AUTO_STRV words = SB_STRV_INIT;

		if (command->words.len == 0)
			continue;
		if (command->pipe_from != SB_SHELL_NONE)
			sb_strv_addf(&words, "<%d", command->pipe_from);
		SB_ARRAY_FOREACH (&command->words, word)
			sb_strv_add(&words, word->text);
		sb_strv_add_nodup(&commands, sb_strv_join(&words, " "));
	}
	sb_shell_release(&shell);
	return sb_strv_join(&commands, " / ");
}

static void commands_are_told_apart(void **state)
{
	static const struct {
		const char *script;
		const char *shown;
	} rows[] = {
		{"", ""},
		{"a b", "a b"},
		{"a;b&c&&d||e\nf", "a / b / c / d / e / f"},
		{"a | b |& c", "a / <0 b / <1 c"},
		{"a |\n b", "a / <0 b"},
		{"a 'b c' \"d e\" f\\ g", "a b c d e f g"},
		{"a \"x'y\" 'p\"q'", "a x'y p\"q"},
		{"a # b\nc", "a / c"},
		{"a#b c", "a#b c"},
		{"a >b 2>&1 <c d", "a d"},
		{"a &>b; c >>d e", "a / c e"},
		{"(a; b) | c", "a / b / <1 c"},
		{"a | (b; c)", "a / <0 b / <0 c"},
		{"{ a; b; }", "a / b"},
		{"if a; then b; elif c; then d; else e; fi", "a / b / c / d / e"},
		{"for x in 1 2; do a $x; done", "a $x"},
		{"while read l; do a; done <f", "read l / a"},
		{"case $x in a|b) c;; *) d;; esac; e", "c / d / e"},
		{"f() { a; }; f", "a / f"},
		{"function f { a; }", "a"},
		{"! a", "a"},
		{"A=1 B=2 a", "A=1 B=2 a"},
		{"a=(1 2); b", "a= / b"},
		{"((x = 1 | 2)); a", "a"},
		{"a $((1|2)) ${x:-a|b} b", "a $((1|2)) ${x:-a|b} b"},
		{"a \"$(b | c)\"", "a $(b | c) / b / <1 c"},
		{"a `b c`", "a `b c` / b c"},
		{"a <(b)", "a <(b) / b"},
		{"cat <<E >f\nx; y\nE\na", "cat / a"},
		{"cat <<-'EOT'\n\tx\n\tEOT\na", "cat / a"},
		{"sh <<E\nx | y\nE\na", "sh / a / x / <2 y"},
		{"python3 <<E\nx | y\nE", "python3"},
		{"sh -c 'a; b'", "sh -c a; b / a / b"},
		{"a \\\n b", "a b"},
		{"a 'not closed", "a not closed"},
		{"a $(b", "a $(b / b"},
		{"a )b", "a / b"},
		{";;&|", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *shown = show(rows[i].script);

		if (strcmp(shown, rows[i].shown) != 0)
			fail_msg("[%s] is [%s], not [%s]", rows[i].script, shown, rows[i].shown);
	}
}

static void programs_behind_others_are_found(void **state)
{
	static const struct {
		const char *script;
		const char *name; /* or NULL */
	} rows[] = {
		{"a", "a"},
		{"/usr/bin/a b", "a"},
		{"A=b", NULL},
		{"A=b c", "c"},
		{"sudo -E -u x a", "a"},
		{"sudo", "sudo"},
		{"env -i A=b c d", "c"},
		{"timeout -k 5 10 a", "a"},
		{"nice -n 5 nohup a", "a"},
		{"exec a", "a"},
		{"busybox wget", "wget"},
		{"gosu app a", "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_shell shell = {0};
		struct sb_call call = {0};

		sb_shell_parse(rows[i].script, strlen(rows[i].script), &shell);

		const bool found = sb_command_call(&shell.commands.items[0], &call);

		assert_int_equal(found, rows[i].name != NULL);
		if (found)
			assert_string_equal(call.name, rows[i].name);
		sb_shell_release(&shell);
	}
}

static void deep_nesting_ends(void **state)
{
	enum { DEPTH = 100000 };
	static const char *const openers[] = {"$(", "(", "a `", "\"$(", "{ ", "case x in ", "<("};

	(void)state;
	for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		const size_t len = strlen(openers[i]);
		sb_autofree char *script = sb_malloc(DEPTH * len + 1);
		struct sb_shell shell = {0};

		for (size_t n = 0; n < DEPTH; n++)
			memcpy(script + n * len, openers[i], len);
		script[DEPTH * len] = '\0';
		sb_shell_parse(script, strlen(script), &shell);
		sb_shell_release(&shell);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_told_apart),
		cmocka_unit_test(programs_behind_others_are_found),
		cmocka_unit_test(deep_nesting_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
