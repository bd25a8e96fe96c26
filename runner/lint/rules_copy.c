/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/size.h"
#include "buildfile/ignore.h"
#include "lint/command.h"
#include "lint/rules.h"
#include "plan/remote.h"

static bool is_copy(const struct sb_lint_item *item)
{
	return item->instr->kind == SB_INSTR_COPY || item->instr->kind == SB_INSTR_ADD;
}

static size_t n_sources(const struct sb_lint_item *item)
{
	return item->instr->words.len - 1;
}

static bool is_remote(const char *source)
{
	return sb_remote_kind_of(source, SB_REMOTE_IN_BUILDFILE) != SB_REMOTE_NONE;
}

/* A source that is a path in the build context, with a value that is known. */
static bool is_in_context(const struct sb_lint_item *item, const char *source)
{
	return sb_instruction_flag(item->instr, "from") == NULL && strncmp(source, "<<", 2) != 0 &&
	       !is_remote(source);
}

/* What an ignore file leaves out and then includes again is too much to say for sure; the answer is
 * NO for it. */
void sb_rule_copy_ignored_file(struct sb_linter *linter)
{
	const struct sb_lint_answers *answers = &linter->options->answers;

	SB_ARRAY_FOREACH (&linter->items, item) {
		/* A trigger copies from the context of another build. */
		if (!is_copy(item) || item->is_trigger || answers->is_ignored == NULL)
			continue;
		for (size_t i = 0; i < n_sources(item); i++) {
			const char *source = item->instr->words.items[i];
			sb_autofree char *value =
				item->stage >= 0
					? sb_scope_expand(&linter->stages.items[item->stage].scope,
						  source, linter->buildfile->escape)
					: NULL;

			if (value == NULL || !is_in_context(item, value))
				continue;

			sb_autofree char *path = sb_path_below_root(value);

			if (answers->is_ignored(path, answers->data) == SB_ANSWER_YES)
				sb_lint_add(linter, item, sb_lint_at_text(item, source),
					"'%s' is left out by the ignore file", value);
		}
	}
}

static bool is_all(const char *source)
{
	sb_autofree char *path = sb_path_below_root(source);

	return strcmp(path, ".") == 0 || strcmp(path, "*") == 0;
}

void sb_rule_copy_all_without_ignore_file(struct sb_linter *linter)
{
	const struct sb_lint_answers *answers = &linter->options->answers;

	if (answers->has_ignore_file == NULL ||
		answers->has_ignore_file(answers->data) != SB_ANSWER_NO)
		return;
	SB_ARRAY_FOREACH (&linter->items, item) {
		if (!is_copy(item) || item->is_trigger)
			continue;
		for (size_t i = 0; i < n_sources(item); i++) {
			const char *source = item->instr->words.items[i];

			if (is_in_context(item, source) && is_all(source))
				sb_lint_add(linter, item, sb_lint_at_text(item, source),
					"all of the build context is copied, and there is no "
					"ignore file");
		}
	}
}

/* A repository's commit is its content's digest. */
static bool names_commit(const char *source)
{
	struct sb_remote remote = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	bool is_pinned = false;

	if (sb_remote_parse(source, SB_REMOTE_IN_BUILDFILE, &remote, &err) < 0)
		sb_error_ignore(&err, "the plan tells it");
	else
		is_pinned =
			remote.kind == SB_REMOTE_GIT &&
			(remote.commit != NULL || (remote.ref != NULL && strlen(remote.ref) >= 40 &&
							  sb_remote_is_commit(remote.ref)));
	sb_remote_release(&remote);
	return is_pinned;
}

void sb_rule_remote_add_without_checksum(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_ADD)
	{
		if (sb_instruction_flag(item->instr, "checksum") != NULL)
			continue;
		for (size_t i = 0; i < n_sources(item); i++) {
			const char *source = item->instr->words.items[i];

			if (is_remote(source) && !names_commit(source))
				sb_lint_add(linter, item, sb_lint_at_text(item, source),
					"'%s' is fetched and not checked", source);
		}
	}
}

/* Can everyone write what has this mode? The sticky bit makes a folder like /tmp of it. */
static bool is_world_writable(const char *mode)
{
	uint64_t number = 0;

	if (sb_number_parse(mode, 8, 07777, &number))
		return (number & 02) != 0 && (number & 01000) == 0;
	for (const char *clause = mode; clause != NULL && *clause != '\0';) {
		const size_t len = strcspn(clause, ",");
		const size_t who = strspn(clause, "ugoa");
		const bool is_all = who > 0 && (memchr(clause, 'o', who) != NULL ||
						       memchr(clause, 'a', who) != NULL);

		if (is_all && (clause[who] == '+' || clause[who] == '=') &&
			memchr(clause + who, 'w', len - who) != NULL &&
			memchr(clause + who, 't', len - who) == NULL)
			return true;
		clause += len + (clause[len] == ',' ? 1 : 0);
	}
	return false;
}

static void check_chmod(struct sb_linter *linter, const struct sb_lint_item *item,
	const struct sb_shell_command *command)
{
	struct sb_call call;

	if (!sb_command_call(command, &call) || !sb_call_is(&call, "chmod"))
		return;

	const char *mode = sb_call_operand(&call, 0);

	if (mode != NULL && is_world_writable(mode))
		sb_lint_add(linter, item, sb_lint_at_command(linter, item, command),
			"chmod %s lets everyone write", mode);
}

void sb_rule_world_writable(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		const char *mode = is_copy(item) ? sb_instruction_flag(item->instr, "chmod") : NULL;

		if (mode != NULL && is_world_writable(mode))
			sb_lint_add(linter, item, sb_lint_at_text(item, "--chmod"),
				"--chmod=%s lets everyone write", mode);
		SB_ARRAY_FOREACH (&item->shell.commands, command)
			check_chmod(linter, item, command);
	}
}
