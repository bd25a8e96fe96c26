/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/mem.h"
#include "buildfile/heredoc.h"
#include "buildfile/instruction.h"
#include "fuzz.h"

static void check_instruction(const struct sb_instruction *instr, const struct sb_buildfile *file)
{
	SB_BUG_ON(instr->at.line == 0 || instr->at.column == 0 || instr->end_line < instr->at.line);
	SB_BUG_ON(instr->text == NULL || instr->at.file != file->file);
	if (instr->kind == SB_INSTR_RUN && !instr->command.is_exec) {
		sb_autofree char *script = sb_run_script(instr);

		SB_BUG_ON(script == NULL);
	}
	if (instr->trigger == NULL)
		return;
	SB_BUG_ON(instr->trigger->trigger != NULL);
	check_instruction(instr->trigger, file);
}

/* A Buildfile parses, or the error says something. Its triggers parse again from their text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_buildfile_parse("Buildfile", (const char *)data, len, &buildfile, &err) < 0) {
		SB_BUG_ON(err.code != SB_E_SYNTAX && err.code != SB_E_LIMIT &&
			  err.code != SB_E_UNSUPPORTED);
		SB_BUG_ON(err.message == NULL || err.at.file == NULL);
		return 0;
	}
	SB_ARRAY_FOREACH (&buildfile->instructions, instr) {
		check_instruction(instr, buildfile);
		if (instr->trigger != NULL && buildfile->escape == '\\') {
			SB_AUTO(sb_buildfile) again = NULL;

			SB_BUG_ON(
				sb_buildfile_parse_trigger(instr->trigger->text, &again, &err) < 0);
			SB_BUG_ON(again->instructions.items[0].kind != instr->trigger->kind);
		}
	}
	return 0;
}
