/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "lint/lint.h"
#include "lint/shell.h"

static enum sb_answer yes_or_no(void *data)
{
	return *(const uint8_t *)data % 2 == 0 ? SB_ANSWER_YES : SB_ANSWER_NO;
}

static enum sb_answer is_ignored(const char *path, void *data)
{
	return path[0] == *(const char *)data ? SB_ANSWER_YES : SB_ANSWER_NO;
}

static void check_report(const struct sb_lint_report *report, const struct sb_buildfile *file)
{
	size_t n_of[SB_N_SEVERITIES] = {0};

	SB_BUG_ON(report->len > SB_LINT_MAX_FINDINGS);
	for (size_t i = 0; i < report->len; i++) {
		const struct sb_lint_finding *f = &report->findings[i];

		n_of[f->rule->severity]++;
		SB_BUG_ON(f->message[0] == '\0' || strchr(f->message, '\n') != NULL);
		SB_BUG_ON(strchr(f->excerpt, '\n') != NULL || !sb_utf8_is_valid(f->excerpt));
		SB_BUG_ON(f->at.line == 0 || f->at.line > file->len + 1 || f->at.column == 0);
		SB_BUG_ON(strlen(f->fingerprint) != 32);
		SB_BUG_ON(i > 0 && f->at.line < f[-1].at.line);
	}
	for (size_t i = 0; i < SB_N_SEVERITIES; i++)
		SB_BUG_ON(n_of[i] != report->n_of[i]);
}

/* Words lie in the script, and commands know only those that came before them. */
static void check_shell(const char *text, size_t len)
{
	struct sb_shell shell = {0};

	sb_shell_parse(text, len, &shell);
	for (size_t i = 0; i < shell.commands.len; i++) {
		const struct sb_shell_command *command = &shell.commands.items[i];

		SB_BUG_ON(command->pipe_from >= (int)i || command->owner >= (int)i);
		SB_BUG_ON(command->n_assignments > command->words.len);
		SB_BUG_ON(command->body_at + command->body_len > len);
		SB_ARRAY_FOREACH (&command->words, word)
			SB_BUG_ON(command->owner_kind != SB_SHELL_OWNER_ARGUMENT &&
				  word->at + word->len > len);
	}
	sb_shell_release(&shell);
}

/* The first byte chooses the answers; the rest is a Buildfile, and a script too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO(sb_lint_report) report = NULL;
	SB_AUTO_STRV all = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (len == 0)
		return 0;

	sb_autofree char *text = sb_memdup0(data + 1, len - 1);
	uint8_t choice = data[0];
	struct sb_lint_input input = {
		.experimental = &all,
		.platform = {"linux", "amd64", ""},
		.build_platform = {"linux", "arm64", ""},
		.answers = {yes_or_no, is_ignored, NULL, &choice},
	};

	sb_strv_add(&all, "all");
	check_shell(text, len - 1);
	if (sb_buildfile_parse("Buildfile", text, len - 1, &buildfile, &err) < 0)
		return 0;
	if (sb_lint_buildfile(buildfile, &input, &report, &err) < 0)
		SB_BUG_ON(err.code != SB_E_LIMIT);
	else
		check_report(report, buildfile);
	return 0;
}
