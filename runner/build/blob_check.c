/* SPDX-License-Identifier: MIT */
#include "build/blob_check.h"

#include <sys/stat.h>

#include "build/stage.h"
#include "sys/fd.h"
#include "sys/transfer.h"

static int fail_broken(
	struct sb_build *build, const struct sb_digest *want, bool is_base, struct sb_error *err)
{
	if (sb_layout_discard_blob(build->store, want, err) < 0)
		return -1;
	(void)sb_fail(err, SB_E_INTEGRITY,
		"layer %s in the store is broken: its content has another digest", want->text);
	return is_base ? sb_error_hint(err, "it is removed; pull or import the base image again")
		       : sb_error_hint(err, "it is removed; build again, and it is made anew");
}

static int check_layer(struct sb_build *build, const struct sb_descriptor *layer, bool is_base,
	struct sb_error *err)
{
	struct sb_stat_cache *files = NULL;
	sb_autofd int fd = -1;
	struct sb_digest got;
	struct stat st;

	if (sb_cache_files(build->cache, build->store_fd, &files, err) < 0 ||
		sb_layout_open_blob(build->store, &layer->digest, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "blob %s", layer->digest.text);
	if (!sb_stat_cache_get(files, &st, &got)) {
		if (sb_transfer_digest(build->interrupt, fd, &got, err) < 0)
			return sb_error_context(err, "blob %s", layer->digest.text);
		sb_stat_cache_put(files, &st, &got);
	}
	return sb_digest_equal(&got, &layer->digest)
		       ? 0
		       : fail_broken(build, &layer->digest, is_base, err);
}

int sb_blob_check(struct sb_build *build, const struct sb_descriptor *layer, struct sb_error *err)
{
	return sb_strv_contains(&build->written_blobs, layer->digest.text)
		       ? 0
		       : check_layer(build, layer, false, err);
}

int sb_blob_check_result(struct sb_build *build, struct sb_error *err)
{
	const struct sb_stage_state *state = build->stages.items[build->plan->target];

	for (size_t i = 0; i < state->layers.len; i++) {
		const struct sb_descriptor *layer = &state->layers.items[i];

		if (!sb_strv_contains(&build->written_blobs, layer->digest.text) &&
			check_layer(build, layer, i < state->n_base_layers, err) < 0)
			return -1;
	}
	return sb_cache_save_files(build->cache, err);
}

static bool is_broken(struct sb_build *build, const struct sb_descriptor *layer)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	struct sb_digest got;

	if (sb_layout_open_blob(build->store, &layer->digest, &fd, &ignored) < 0 ||
		sb_transfer_digest(build->interrupt, fd, &got, &ignored) < 0) {
		sb_error_ignore(&ignored, "why it could not be unpacked is told");
		return false;
	}
	return !sb_digest_equal(&got, &layer->digest);
}

int sb_blob_check_unpacked(
	struct sb_build *build, const struct sb_descriptor *layer, struct sb_error *err)
{
	if (err->code == SB_E_SYSTEM || err->code == SB_E_CANCELLED)
		return -1;
	if (err->code == SB_E_NOT_FOUND)
		return sb_error_hint(err, "pull or import the base image again");
	if (!is_broken(build, layer))
		return -1;
	sb_error_release(err);
	return fail_broken(build, &layer->digest, true, err);
}
