/* SPDX-License-Identifier: MIT */
#include "build/run_command.h"

#include <string.h>

#include "buildfile/heredoc.h"

const struct sb_heredoc *sb_run_command(const struct sb_do *d, struct sb_strv *argv)
{
	const struct sb_instruction *instr = d->instr;

	if (instr->command.is_exec) {
		sb_strv_copy(argv, &instr->command.exec);
		return NULL;
	}

	const struct sb_heredoc *script = sb_run_sole_heredoc(instr);

	if (script != NULL && strncmp(script->body, "#!", 2) == 0) {
		sb_strv_addf(argv, "/dev/pipes/%s", script->name);
		return script;
	}
	sb_stage_state_shell(d->state, argv);
	if (instr->heredocs.len == 0)
		sb_strv_add(argv, instr->command.shell);
	else
		sb_strv_add_nodup(argv, sb_run_script(instr));
	return NULL;
}
