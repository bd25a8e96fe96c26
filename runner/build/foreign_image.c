/* SPDX-License-Identifier: MIT */
#include "build/foreign_image.h"

#include "base/mem.h"
#include "build/base_image.h"
#include "build/stack.h"
#include "layer/apply.h"
#include "sys/fd.h"

static ssize_t read_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_blob_reader_read(self, bytes, len, err);
}

static int check(const struct sb_image *image, size_t i, const struct sb_applied *applied,
	struct sb_error *err)
{
	const struct sb_digest *digest = &image->manifest->layers.items[i].digest;
	const struct sb_digest *diff_id = &image->config->diff_ids.items[i];

	if (sb_digest_is_set(digest) && !sb_digest_equal(&applied->digest, digest))
		return sb_fail(err, SB_E_INTEGRITY, "its content has the digest %s, %s expected",
			applied->digest.text, digest->text);
	if (!sb_digest_equal(&applied->diff_id, diff_id))
		return sb_fail(err, SB_E_INTEGRITY, "it unpacks to %s, and the config says %s",
			applied->diff_id.text, diff_id->text);
	return 0;
}

static int unpack_layer(struct sb_build *build, struct sb_image *image, size_t i,
	struct sb_stage_state *state, struct sb_error *err)
{
	SB_AUTO(sb_blob_reader) blob = NULL;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	sb_autofree char *name = NULL;
	sb_autofd int dir = -1;
	sb_autofd int lower = -1;
	struct sb_applied applied = {0};

	if (sb_image_read_layer(image, i, &blob, err) < 0 ||
		sb_stack_view(build, &state->lowers, NULL, &lower, err) < 0 ||
		sb_snapshots_begin_layer(build->snapshots, &name, &dir, err) < 0)
		return -1;

	const struct sb_apply_options options = {
		.ids = build->host->ids, .is_layer = true, .has_lower = true, .lower_fd = lower};
	const struct sb_reader reader = {
		.read = read_blob, .self = blob, .interrupt = build->interrupt};

	if (sb_layer_apply(reader, dir, &options, &applied, &warnings, err) < 0 ||
		check(image, i, &applied, err) < 0)
		return sb_error_context(err, "layer %zu", i + 1);
	for (size_t w = 0; w < warnings.len; w++)
		sb_events_warn(&build->events, warnings.items[w], NULL);
	sb_strv_add_nodup(&state->lowers, SB_STEAL(name));
	return 0;
}

int sb_foreign_image_unpack(struct sb_build *build, struct sb_image *image,
	struct sb_stage_state **out, struct sb_error *err)
{
	SB_AUTO(sb_stage_state) state = sb_stage_state_new();

	state->config = sb_image_config_dup(image->config);
	sb_base_image_start_env(state);
	for (size_t i = 0; i < image->manifest->layers.len; i++)
		if (sb_interrupt_check(build->interrupt, err) < 0 ||
			unpack_layer(build, image, i, state, err) < 0)
			return -1;
	*out = SB_STEAL(state);
	return 0;
}

int sb_foreign_image_layout(struct sb_build *build, struct sb_layout **out, struct sb_error *err)
{
	sb_autofree char *name = NULL;
	sb_autofd int dir = -1;

	if (sb_snapshots_begin_layer(build->snapshots, &name, &dir, err) < 0 ||
		sb_layout_open(dir, true, out, err) < 0)
		return -1;
	sb_layout_set_interrupt(*out, build->interrupt);
	return 0;
}
