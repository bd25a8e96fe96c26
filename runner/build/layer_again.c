/* SPDX-License-Identifier: MIT */
#include "build/layer_again.h"

#include "build/stack.h"
#include "layer/diff.h"
#include "sys/at.h"
#include "sys/fd.h"

static int write_again(const struct sb_do *d, const struct sb_layer_again *layer, int upper_fd,
	const struct sb_changes *changes, struct sb_layer_blob *out, struct sb_error *err)
{
	const struct sb_build *build = d->build;
	SB_AUTO(sb_blob_writer) writer = NULL;

	if (layer->has_blob && sb_blob_writer_new(build->store, &writer, err) < 0)
		return -1;

	const struct sb_layer_write_options options = {
		.upper_fd = upper_fd,
		.out_fd = writer != NULL ? sb_blob_writer_fd(writer) : -1,
		.compression = layer->has_blob ? layer->compression : SB_COMPRESS_NONE,
		.level = layer->level,
		.source_date_epoch = build->source_date_epoch,
		.search = d->worker->search,
		.interrupt = build->interrupt,
	};

	if (sb_layer_write(changes, &options, out, err) < 0)
		return -1;
	if (!sb_digest_equal(&out->diff_id, layer->diff_id))
		return sb_fail(
			err, SB_E_INTEGRITY, "the cached layer %s is broken", layer->diff_id->text);
	return writer != NULL ? sb_blob_writer_commit(writer, &out->digest, err) : 0;
}

int sb_layer_make_again(const struct sb_do *d, const struct sb_layer_again *layer,
	struct sb_layer_blob *out, struct sb_error *err)
{
	struct sb_build *build = d->build;
	__attribute__((cleanup(sb_changes_release))) struct sb_changes changes = {0};
	SB_AUTO_STRV unheard = SB_STRV_INIT;
	sb_autofd int upper = -1;
	sb_autofd int lower = -1;

	if (sb_at_open_dir(sb_snapshots_fd(build->snapshots), layer->name, SB_AT_NO_LINKS, &upper,
		    err) < 0 ||
		(!layer->is_link && sb_stack_view(build, &d->state->lowers, NULL, &lower, err) < 0))
		return -1;

	const struct sb_diff_options options = {.lower_fd = lower,
		.upper_fd = upper,
		.ids = build->host->ids,
		.interrupt = build->interrupt};

	if (sb_diff(&options, &changes, &unheard, err) < 0)
		return -1;
	return write_again(d, layer, upper, &changes, out, err);
}
