/* SPDX-License-Identifier: MIT */
#include "build/cache_import_private.h"

#include "base/mem.h"
#include "build/layer_again.h"
#include "build/stack.h"
#include "leak/scan.h"

/* What is promised. */
struct deferred {
	struct sb_cache_record record;
	struct sb_import *import;
	const struct sb_shared_layer *layer;
	bool is_link; /* it is compared with nothing below */
};

static void deferred_release(void *data)
{
	struct deferred *deferred = data;

	sb_cache_record_release(&deferred->record);
	free(deferred);
}

bool sb_imports_find_deferred(struct sb_build *build, struct sb_cache_record *record)
{
	struct sb_cache_source *source = NULL;
	const char *created = NULL;
	const struct sb_shared_layer *layer =
		sb_imports_layer(build->imports, &record->key, &created, &source);

	if (layer == NULL || !sb_promises_may_add(build->promises) ||
		sb_snapshots_has_layer(build->snapshots, &layer->diff_id))
		return false;
	record->diff_id = layer->diff_id;
	record->tar_bytes = layer->tar_bytes;
	record->created = sb_strdup(created);
	return true;
}

/* Whoever removes unused layers may be faster, until it is pinned; not each time. */
static int bring_and_pin(struct sb_build *build, const struct deferred *deferred,
	const struct sb_strv *below, struct sb_error *err)
{
	enum { MAX_TRIES = 10 };
	sb_autofree char *name = sb_snapshots_layer_name(&deferred->record.diff_id);
	bool is_there = false;

	for (int n = 0; n < MAX_TRIES && !is_there; n++)
		if (sb_interrupt_check(build->interrupt, err) < 0 ||
			sb_import_bring(
				build, deferred->import, below, deferred->layer, false, err) < 0 ||
			sb_snapshots_pin(build->snapshots, name, &is_there, err) < 0)
			return -1;
	return is_there ? 0
			: sb_fail(err, SB_E_NOT_FOUND, "layer %s is removed as soon as it is there",
				  deferred->layer->diff_id.text);
}

/* As with a layer that is found in the store. One that holds a secret leaves nothing here. */
static int search_deferred(struct sb_build *build, const struct deferred *deferred,
	const struct sb_strv *below, struct sb_error *err)
{
	SB_AUTO(sb_stage_state) state = sb_stage_state_new();
	SB_AUTO(sb_content_search) search = sb_content_search_new(build->scanner);
	struct sb_worker worker = {.search = search};
	sb_autofree char *name = sb_snapshots_layer_name(&deferred->record.diff_id);
	const struct sb_do d = {.build = build, .state = state, .worker = &worker};
	const struct sb_layer_again again = {
		.name = name, .is_link = deferred->is_link, .diff_id = &deferred->layer->diff_id};
	struct sb_layer_blob unused = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (!sb_scanner_is_active(build->scanner))
		return 0;
	sb_strv_copy(&state->lowers, below);
	if (sb_layer_make_again(&d, &again, &unused, err) == 0)
		return 0;
	if (err->code == SB_E_LEAK &&
		(sb_layout_discard_unused_blob(
			 build->store, &deferred->layer->blob.digest, &ignored) < 0 ||
			sb_snapshots_discard(build->snapshots, name, &ignored) < 0))
		sb_error_ignore(&ignored, "what was found is what is told");
	return -1;
}

static int bring(struct sb_build *build, struct deferred *deferred, const struct sb_strv *below,
	struct sb_error *err)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (deferred->import->is_gone)
		return sb_fail(err, SB_E_NETWORK, "it does not answer any more");
	if (bring_and_pin(build, deferred, below, err) < 0 ||
		search_deferred(build, deferred, below, err) < 0)
		return -1;
	sb_import_add_blob(build, deferred->layer, &deferred->record);
	if (sb_cache_write(build->cache, &deferred->record, &ignored) < 0)
		sb_error_ignore(&ignored, "the next build asks the cache again");
	return 0;
}

static int bring_deferred(
	struct sb_build *build, void *data, const struct sb_strv *below, struct sb_error *err)
{
	struct deferred *deferred = data;

	if (bring(build, deferred, below, err) == 0)
		return 0;
	if (err->code == SB_E_CANCELLED)
		return -1;
	/* The layer is what it should be: no other would be better. */
	if (err->code != SB_E_LEAK)
		sb_promises_break(build->promises);
	return sb_error_context(err, "cache '%s'", sb_cache_source_name(deferred->import->source));
}

void sb_imports_defer(struct sb_build *build, struct sb_cache_record *record, bool is_link)
{
	struct sb_imports *imports = build->imports;
	struct deferred *deferred = SB_NEW(struct deferred);

	deferred->record = *record;
	deferred->is_link = is_link;
	*record = (struct sb_cache_record){0};
	for (size_t i = 0; deferred->layer == NULL && i < imports->len; i++) {
		const struct sb_shared_record *from = NULL;
		const struct sb_shared_layer *layer =
			sb_import_find(&imports->items[i], &deferred->record.key, &from);

		/* Two caches may have other layers of one step. */
		if (layer == NULL || !sb_digest_equal(&layer->diff_id, &deferred->record.diff_id))
			continue;
		deferred->import = &imports->items[i];
		deferred->layer = layer;
	}
	SB_BUG_ON(deferred->layer == NULL);
	sb_promises_add(build->promises,
		&(struct sb_promise){.name = sb_snapshots_layer_name(&deferred->record.diff_id),
			.keep = bring_deferred,
			.release = deferred_release,
			.data = deferred});
}
