/* SPDX-License-Identifier: MIT */
#include "build/stage.h"

#include "base/mem.h"
#include "plan/key.h"

struct sb_stage_state *sb_stage_state_new(void)
{
	return SB_NEW(struct sb_stage_state);
}

void sb_stage_state_free(struct sb_stage_state *state)
{
	if (state == NULL)
		return;
	sb_image_config_free(state->config);
	sb_descriptors_release(&state->layers);
	sb_strv_release(&state->lowers);
	sb_strv_release(&state->env);
	free(state);
}

struct sb_stage_state *sb_stage_state_derive(const struct sb_stage_state *from)
{
	struct sb_stage_state *state = sb_stage_state_new();

	state->config = sb_image_config_dup(from->config);
	SB_ARRAY_FOREACH (&from->layers, layer)
		sb_descriptor_copy(SB_ARRAY_ADD(&state->layers), layer);
	sb_strv_copy(&state->lowers, &from->lowers);
	sb_strv_copy(&state->env, &from->env);
	state->n_base_layers = from->n_base_layers;
	state->chain = from->chain;
	state->n_chained = from->n_chained;
	state->n_base_history = from->n_base_history;
	state->is_unknown = from->is_unknown;
	state->escape = from->escape;
	return state;
}

const struct sb_digest *sb_stage_state_chain(struct sb_stage_state *state)
{
	while (state->n_chained < state->config->diff_ids.len) {
		struct sb_digest next;

		sb_key_chain(
			&state->chain, &state->config->diff_ids.items[state->n_chained], &next);
		state->chain = next;
		state->n_chained++;
	}
	return &state->chain;
}

void sb_stage_state_shell(const struct sb_stage_state *state, struct sb_strv *out)
{
	if (state->config->shell.len > 0) {
		sb_strv_add_all(out, &state->config->shell);
		return;
	}
	sb_strv_add(out, "/bin/sh");
	sb_strv_add(out, "-c");
}

const char *sb_stage_state_workdir(const struct sb_stage_state *state)
{
	return state->config->working_dir[0] != '\0' ? state->config->working_dir : "/";
}
