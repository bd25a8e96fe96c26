/* SPDX-License-Identifier: MIT */
#include "build/stored_layer.h"

#include "base/mem.h"
#include "build/blob_check.h"
#include "build/stack.h"
#include "layer/apply.h"
#include "sys/fd.h"

static ssize_t read_fd(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_fd_read(*(int *)self, bytes, len, err);
}

static struct sb_reader reader_of(
	const struct sb_build *build, const struct sb_stored_layer *layer, int *fd)
{
	return (struct sb_reader){.read = read_fd,
		.self = fd,
		.interrupt = build->interrupt,
		.max_tar_bytes = layer->max_tar_bytes};
}

static int check(
	const struct sb_stored_layer *layer, const struct sb_applied *applied, struct sb_error *err)
{
	const struct sb_digest *digest = &layer->blob->digest;

	if (!sb_digest_equal(&applied->digest, digest))
		return sb_fail(err, SB_E_INTEGRITY,
			"layer %s in the store is broken: its content has the digest %s",
			digest->text, applied->digest.text);
	if (!sb_digest_equal(&applied->diff_id, layer->diff_id))
		return sb_fail(err, SB_E_INTEGRITY,
			"layer %s unpacks to %s, and the image's config says %s", digest->text,
			applied->diff_id.text, layer->diff_id->text);
	return 0;
}

int sb_stored_layer_unpack(struct sb_build *build, const struct sb_stored_layer *layer,
	const struct sb_strv *lowers, struct sb_error *err)
{
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	sb_autofree char *name = NULL;
	sb_autofd int blob = -1;
	sb_autofd int dir = -1;
	struct sb_applied applied = {0};
	sb_autofd int lower = -1;

	if (sb_stack_view(build, lowers, NULL, &lower, err) < 0)
		return -1;

	const struct sb_apply_options options = {
		.ids = build->host->ids, .is_layer = true, .has_lower = true, .lower_fd = lower};

	if (sb_layout_open_blob(build->store, &layer->blob->digest, &blob, err) < 0 ||
		sb_snapshots_begin_layer(build->snapshots, &name, &dir, err) < 0 ||
		sb_layer_apply(reader_of(build, layer, &blob), dir, &options, &applied, &warnings,
			err) < 0)
		return sb_error_context(err, "unpack layer %.19s", layer->blob->digest.text);
	if (check(layer, &applied, err) < 0)
		return -1;
	for (size_t i = 0; i < warnings.len; i++)
		sb_events_warn(&build->events, warnings.items[i], NULL);
	return sb_snapshots_commit_layer(build->snapshots, name, layer->diff_id, err);
}

int sb_stored_layer_verify(struct sb_build *build, const struct sb_stored_layer *layer,
	const struct sb_scanner *scanner, struct sb_error *err)
{
	struct sb_applied applied = {0};
	sb_autofd int blob = -1;

	if (sb_layout_open_blob(build->store, &layer->blob->digest, &blob, err) < 0 ||
		sb_layer_verify(reader_of(build, layer, &blob), scanner, &applied, err) < 0)
		return err->code == SB_E_LEAK ? -1
					      : sb_error_context(err, "read layer %.19s",
							layer->blob->digest.text);
	return check(layer, &applied, err);
}

/* What is promised. */
struct stored {
	struct sb_descriptor blob;
	struct sb_digest diff_id;
	uint64_t max_tar_bytes;
	bool is_base;
	char *base_name; /* or NULL */
};

static void stored_release(void *data)
{
	struct stored *stored = data;

	sb_descriptor_release(&stored->blob);
	free(stored->base_name);
	free(stored);
}

/* A step's layer is made again, once its blob is gone; a base's has to be had from elsewhere. */
static int fail_stored(struct sb_build *build, const struct stored *stored, struct sb_error *err)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (stored->is_base) {
		(void)sb_blob_check_unpacked(build, &stored->blob, err);
		return stored->base_name != NULL
			       ? sb_error_context(err, "base image '%s'", stored->base_name)
			       : -1;
	}
	if (err->code != SB_E_INTEGRITY && err->code != SB_E_NOT_FOUND)
		return -1;
	if (err->code == SB_E_INTEGRITY &&
		sb_layout_discard_blob(build->store, &stored->blob.digest, &ignored) < 0)
		sb_error_ignore(&ignored, "the step that begins again sees it too");
	sb_promises_break(build->promises);
	return -1;
}

/* Another process may remove it between the two, until it is pinned. */
static int keep(
	struct sb_build *build, void *data, const struct sb_strv *below, struct sb_error *err)
{
	const struct stored *stored = data;
	const struct sb_stored_layer layer = {.blob = &stored->blob,
		.diff_id = &stored->diff_id,
		.max_tar_bytes = stored->max_tar_bytes};
	sb_autofree char *name = sb_snapshots_layer_name(&stored->diff_id);
	bool is_there = false;

	for (;;) {
		if (sb_interrupt_check(build->interrupt, err) < 0 ||
			sb_snapshots_pin(build->snapshots, name, &is_there, err) < 0)
			return -1;
		if (is_there)
			return 0;
		if (sb_stored_layer_unpack(build, &layer, below, err) < 0)
			return fail_stored(build, stored, err);
	}
}

void sb_stored_layer_promise(struct sb_build *build, const struct sb_stored_layer *layer)
{
	struct stored *stored = SB_NEW(struct stored);

	/* Which keeps it, should nothing else: it counts as a use. */
	(void)sb_layout_has_blob(build->store, &layer->blob->digest);
	sb_descriptor_copy(&stored->blob, layer->blob);
	stored->diff_id = *layer->diff_id;
	stored->max_tar_bytes = layer->max_tar_bytes;
	stored->is_base = layer->is_base;
	stored->base_name = sb_strdup_or_null(layer->base_name);
	sb_promises_add(build->promises,
		&(struct sb_promise){.name = sb_snapshots_layer_name(layer->diff_id),
			.keep = keep,
			.release = stored_release,
			.data = stored});
}
