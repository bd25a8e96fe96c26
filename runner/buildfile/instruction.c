/* SPDX-License-Identifier: MIT */
#include "buildfile/instruction.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buildfile/heredoc.h"

static void release_pairs(struct sb_pairs *pairs)
{
	SB_ARRAY_FOREACH (pairs, pair) {
		free(pair->key);
		free(pair->value);
	}
	SB_ARRAY_RELEASE(pairs);
}

void sb_instruction_release(struct sb_instruction *instr)
{
	free(instr->text);
	free(instr->name);
	SB_ARRAY_FOREACH (&instr->heredocs, heredoc)
		sb_heredoc_release(heredoc);
	SB_ARRAY_RELEASE(&instr->heredocs);
	release_pairs(&instr->flags);
	release_pairs(&instr->pairs);
	sb_strv_release(&instr->words);
	sb_strv_release(&instr->command.exec);
	free(instr->command.shell);
	if (instr->trigger != NULL) {
		sb_instruction_release(instr->trigger);
		free(instr->trigger);
	}
	*instr = (struct sb_instruction){0};
}

void sb_mount_flag_release(struct sb_mount_flag *mount)
{
	free(mount->target);
	free(mount->source);
	free(mount->from);
	free(mount->id);
	free(mount->env);
	*mount = (struct sb_mount_flag){0};
}

const char *sb_instruction_flag(const struct sb_instruction *instr, const char *name)
{
	SB_ARRAY_FOREACH (&instr->flags, flag)
		if (strcmp(flag->key, name) == 0)
			return flag->value != NULL ? flag->value : "";
	return NULL;
}

bool sb_instruction_flag_is_true(const struct sb_instruction *instr, const char *name)
{
	const char *value = sb_instruction_flag(instr, name);

	return value != NULL && strcasecmp(value, "false") != 0;
}

void sb_buildfile_free(struct sb_buildfile *buildfile)
{
	if (buildfile == NULL)
		return;
	SB_ARRAY_FOREACH (&buildfile->instructions, instr)
		sb_instruction_release(instr);
	SB_ARRAY_RELEASE(&buildfile->instructions);
	free(buildfile->file);
	free(buildfile->text);
	free(buildfile->check);
	free(buildfile);
}
