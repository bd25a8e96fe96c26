/* SPDX-License-Identifier: MIT */
#include "build/change.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/instructions.h"
#include "plan/check.h"

static bool is_allowed(enum sb_instruction_kind kind)
{
	static const enum sb_instruction_kind allowed[] = {SB_INSTR_CMD, SB_INSTR_ENTRYPOINT,
		SB_INSTR_ENV, SB_INSTR_EXPOSE, SB_INSTR_HEALTHCHECK, SB_INSTR_LABEL,
		SB_INSTR_ONBUILD, SB_INSTR_SHELL, SB_INSTR_STOPSIGNAL, SB_INSTR_USER,
		SB_INSTR_VOLUME, SB_INSTR_WORKDIR};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i] == kind)
			return true;
	return false;
}

/* In a build it makes the folder, too. */
static int set_workdir(const struct sb_do *d, struct sb_error *err)
{
	sb_autofree char *word = NULL;
	char *path = NULL;

	if (sb_do_expand(d, d->instr->words.items[0], &word, err) < 0)
		return -1;
	path = sb_path_resolve(sb_stage_state_workdir(d->state), word);
	free(d->state->config->working_dir);
	d->state->config->working_dir = path;
	return 0;
}

static int apply(const char *text, struct sb_build *build, struct sb_stage_state *state,
	struct sb_error *err)
{
	SB_AUTO(sb_buildfile) parsed = NULL;
	struct sb_do d = {.build = build, .state = state};

	if (strchr(text, '\n') != NULL)
		return sb_fail(err, SB_E_SYNTAX, "one instruction is one line");
	if (sb_buildfile_parse_trigger(text, &parsed, err) < 0)
		return -1;
	SB_BUG_ON(parsed->instructions.len != 1);
	d.instr = &parsed->instructions.items[0];
	if (!is_allowed(d.instr->kind)) {
		(void)sb_fail(err, SB_E_USAGE, "%s changes more than how the image runs",
			sb_instruction_name(d.instr->kind));
		return sb_error_hint(err, "build on it: FROM the imported image");
	}
	return d.instr->kind == SB_INSTR_WORKDIR ? set_workdir(&d, err)
						 : sb_do_instruction(&d, err);
}

/* They are how it was imported, not how it was built. */
static void forget_history(struct sb_image_config *config)
{
	SB_ARRAY_FOREACH (&config->history, entry) {
		free(entry->created);
		free(entry->created_by);
		free(entry->author);
		free(entry->comment);
	}
	config->history.len = 0;
}

int sb_changes_apply(const char *const *changes, struct sb_image_config **out, struct sb_error *err)
{
	SB_AUTO(sb_stage_state) state = sb_stage_state_new();
	struct sb_build build = {0};

	state->config = sb_image_config_new();
	state->escape = '\\';
	for (; changes != NULL && *changes != NULL; changes++)
		if (apply(*changes, &build, state, err) < 0)
			return sb_error_context(err, "--change");
	forget_history(state->config);
	*out = SB_STEAL(state->config);
	return 0;
}
