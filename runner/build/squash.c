/* SPDX-License-Identifier: MIT */
#include "build/squash.h"

#include "base/mem.h"
#include "build/stack.h"
#include "layer/diff.h"
#include "layer/write.h"
#include "sys/fd.h"

/* The base's file system; -1 where there is none. */
static int open_base(struct sb_build *build, const struct sb_stage_state *state, int *out_fd,
	struct sb_error *err)
{
	SB_AUTO_STRV lowers = SB_STRV_INIT;

	if (state->n_base_layers == 0)
		return 0;
	for (size_t i = 0; i < state->n_base_layers; i++)
		sb_strv_add(&lowers, state->lowers.items[i]);
	return sb_stack_view(build, &lowers, NULL, out_fd, err);
}

static int write_layer(struct sb_build *build, const struct sb_stage_state *state,
	struct sb_layer_blob *out, struct sb_error *err)
{
	__attribute__((cleanup(sb_changes_release))) struct sb_changes changes = {0};
	SB_AUTO(sb_blob_writer) writer = NULL;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	sb_autofd int base = -1;
	sb_autofd int root = -1;

	if (open_base(build, state, &base, err) < 0 ||
		sb_stack_view(build, &state->lowers, NULL, &root, err) < 0 ||
		sb_blob_writer_new(build->store, &writer, err) < 0)
		return -1;

	const struct sb_diff_options diff = {.lower_fd = base,
		.upper_fd = root,
		.is_whole = true,
		.ids = build->host->ids,
		.interrupt = build->interrupt};
	const struct sb_layer_write_options write = {.upper_fd = root,
		.out_fd = sb_blob_writer_fd(writer),
		.compression = build->compression,
		.level = build->compression_level,
		.source_date_epoch = build->source_date_epoch,
		.search = build->worker.search,
		.interrupt = build->interrupt};

	/* What can't be stored was said when the layers were made. */
	if (sb_diff(&diff, &changes, &warnings, err) < 0 ||
		sb_layer_write(&changes, &write, out, err) < 0)
		return -1;
	return sb_blob_writer_commit(writer, &out->digest, err);
}

/* The instructions stay, as ones that made no layer; the last entry is the layer's. */
static void rewrite_history(struct sb_image_config *config, size_t n_base_layers)
{
	size_t n_layers = 0;
	const char *created = NULL;

	SB_ARRAY_FOREACH (&config->history, entry) {
		if (!entry->is_empty_layer && n_layers++ >= n_base_layers)
			entry->is_empty_layer = true;
		if (entry->created != NULL)
			created = entry->created;
	}

	sb_autofree char *time = sb_strdup_or_null(created);

	sb_image_config_add_history(
		config, &(struct sb_history){.created = time,
				.created_by = (char *)(uintptr_t) "safebuild build --squash"});
}

static void replace_layers(struct sb_stage_state *state, const struct sb_layer_blob *blob,
	enum sb_compression compression)
{
	struct sb_descriptor *layer = NULL;

	while (state->layers.len > state->n_base_layers)
		sb_descriptor_release(&state->layers.items[--state->layers.len]);
	layer = SB_ARRAY_ADD(&state->layers);
	layer->media_type = sb_strdup(sb_compression_media_type(compression));
	layer->digest = blob->digest;
	layer->size_bytes = blob->size_bytes;
	state->config->diff_ids.len = state->n_base_layers;
	*SB_ARRAY_ADD(&state->config->diff_ids) = blob->diff_id;
}

int sb_squash(struct sb_build *build, struct sb_stage_state *state, struct sb_error *err)
{
	struct sb_layer_blob blob = {0};

	if (state->layers.len < state->n_base_layers + 2)
		return 0;
	if (write_layer(build, state, &blob, err) < 0)
		return sb_error_context(err, "squash");
	replace_layers(state, &blob, build->compression);
	rewrite_history(state->config, state->n_base_layers);
	return 0;
}
