/* SPDX-License-Identifier: MIT */
#include "build/early_layers.h"

#include "base/limits.h"
#include "build/base_image.h"
#include "build/cache_import.h"
#include "build/stack.h"

/* Nothing is to be fetched meanwhile. */
static bool was_there(const struct sb_early_layers *early, size_t i)
{
	return i < early->n_there;
}

/* What nobody may look into. */
static bool may_wait(const struct sb_early_layers *early, size_t i)
{
	const struct sb_build *build = early->build;

	return !build->no_cache && build->cache != NULL && sb_promises_may_add(build->promises) &&
	       (early->is_known || was_there(early, i));
}

void sb_early_layers_release(struct sb_early_layers *early)
{
	sb_stage_state_free(early->state);
	early->state = NULL;
}

static int begin_early(
	struct sb_early_layers *early, const struct sb_manifest *manifest, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);

	sb_early_layers_release(early);
	*early = (struct sb_early_layers){.build = early->build,
		.name = early->name,
		.config = manifest->config.digest,
		.state = sb_stage_state_new()};
	if (sb_layout_read_blob(early->build->store, &manifest->config, &json, err) < 0 ||
		sb_image_config_parse(json.data, json.len, &early->state->config, err) < 0 ||
		sb_base_image_check_counts(manifest->layers.len, early->state->config, err) < 0) {
		sb_early_layers_release(early);
		return -1;
	}
	SB_ARRAY_FOREACH (&manifest->layers, layer)
		sb_descriptor_copy(SB_ARRAY_ADD(&early->state->layers), layer);
	early->is_known =
		sb_imports_has_state(early->build->imports, sb_stage_state_chain(early->state));
	while (early->n_there < manifest->layers.len &&
		sb_layout_has_blob(
			early->build->store, &manifest->layers.items[early->n_there].digest))
		early->n_there++;
	return 0;
}

/* Where it waits to be unpacked it is known to be what the config says all the same, before the
 * image has a name in the store. */
static int take_early(struct sb_early_layers *early, struct sb_error *err)
{
	struct sb_build *build = early->build;
	struct sb_stage_state *state = early->state;
	const size_t i = early->n;
	const bool waits = may_wait(early, i);

	if (sb_base_image_stack(build, state, i, waits ? early->name : NULL, &early->chain, err) <
		0)
		return -1;
	return waits ? sb_base_image_verify(build, state, i, err)
		     : sb_stack_bring(build, &state->lowers, err);
}

int sb_early_layers_unpack(struct sb_early_layers *early, const struct sb_manifest *manifest,
	size_t n, struct sb_error *err)
{
	if ((early->state == NULL || !sb_digest_equal(&early->config, &manifest->config.digest)) &&
		begin_early(early, manifest, err) < 0)
		return -1;
	for (; early->n < n; early->n++) {
		if (take_early(early, err) == 0)
			continue;
		/* Another registry may be tried: from the first layer on. */
		sb_early_layers_release(early);
		return -1;
	}
	return 0;
}
