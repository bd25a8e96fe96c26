/* SPDX-License-Identifier: MIT */
#include "build/cache_import_private.h"

#include <string.h>

#include "base/mem.h"
#include "build/layer_again.h"
#include "leak/scan.h"

static void lock(struct sb_imports *imports)
{
	SB_BUG_ON(pthread_mutex_lock(&imports->lock) != 0);
}

static void unlock(struct sb_imports *imports)
{
	SB_BUG_ON(pthread_mutex_unlock(&imports->lock) != 0);
}

void sb_imports_forget_deferred(struct sb_imports *imports)
{
	SB_ARRAY_FOREACH (&imports->deferred, deferred) {
		free((*deferred)->name);
		sb_cache_record_release(&(*deferred)->record);
		free(*deferred);
	}
	SB_ARRAY_RELEASE(&imports->deferred);
}

static bool may_defer(struct sb_imports *imports)
{
	lock(imports);

	const bool is_eager = imports->is_eager;

	unlock(imports);
	return !is_eager;
}

bool sb_imports_find_deferred(struct sb_build *build, struct sb_cache_record *record)
{
	struct sb_cache_source *source = NULL;
	const char *created = NULL;
	const struct sb_shared_layer *layer =
		sb_imports_layer(build->imports, &record->key, &created, &source);

	if (layer == NULL || !may_defer(build->imports) ||
		sb_snapshots_has_layer(build->snapshots, &layer->diff_id))
		return false;
	record->diff_id = layer->diff_id;
	record->tar_bytes = layer->tar_bytes;
	record->created = sb_strdup(created);
	return true;
}

void sb_imports_defer(struct sb_build *build, struct sb_cache_record *record, bool is_link)
{
	struct sb_imports *imports = build->imports;
	struct sb_deferred *deferred = SB_NEW(struct sb_deferred);

	deferred->name = sb_snapshots_layer_name(&record->diff_id);
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
	lock(imports);
	*SB_ARRAY_ADD(&imports->deferred) = deferred;
	unlock(imports);
}

/* A layer of the stack that has to be brought, and its place there; or NULL. */
static struct sb_deferred *next_missing(
	struct sb_imports *imports, const struct sb_strv *lowers, size_t *out_i)
{
	struct sb_deferred *found = NULL;

	lock(imports);
	for (size_t i = 0; found == NULL && i < lowers->len; i++)
		SB_ARRAY_FOREACH (&imports->deferred, deferred) {
			if ((*deferred)->is_there ||
				strcmp((*deferred)->name, lowers->items[i]) != 0)
				continue;
			found = *deferred;
			*out_i = i;
			break;
		}
	unlock(imports);
	return found;
}

/* Whoever removes unused layers may be faster, until it is pinned; not each time. */
static int bring_and_pin(struct sb_build *build, const struct sb_deferred *deferred,
	const struct sb_strv *below, struct sb_error *err)
{
	enum { MAX_TRIES = 10 };
	bool is_there = false;

	for (int n = 0; n < MAX_TRIES && !is_there; n++)
		if (sb_interrupt_check(build->interrupt, err) < 0 ||
			sb_import_bring(
				build, deferred->import, below, deferred->layer, false, err) < 0 ||
			sb_snapshots_pin(build->snapshots, deferred->name, &is_there, err) < 0)
			return -1;
	return is_there ? 0
			: sb_fail(err, SB_E_NOT_FOUND, "layer %s is removed as soon as it is there",
				  deferred->layer->diff_id.text);
}

/* As with a layer that is found in the store. One that holds a secret leaves nothing here. */
static int search_deferred(struct sb_build *build, const struct sb_deferred *deferred,
	const struct sb_strv *below, struct sb_error *err)
{
	SB_AUTO(sb_stage_state) state = sb_stage_state_new();
	SB_AUTO(sb_content_search) search = sb_content_search_new(build->scanner);
	struct sb_worker worker = {.search = search};
	const struct sb_do d = {.build = build, .state = state, .worker = &worker};
	const struct sb_layer_again again = {.name = deferred->name,
		.is_link = deferred->is_link,
		.diff_id = &deferred->layer->diff_id};
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
			sb_snapshots_discard(build->snapshots, deferred->name, &ignored) < 0))
		sb_error_ignore(&ignored, "what was found is what is told");
	return -1;
}

/* Meanwhile no other layer is brought. */
static int bring_deferred(struct sb_build *build, struct sb_deferred *deferred,
	const struct sb_strv *lowers, size_t i, struct sb_error *err)
{
	SB_AUTO_STRV below = SB_STRV_INIT;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (deferred->import->is_gone)
		return sb_fail(err, SB_E_NETWORK, "it does not answer any more");
	for (size_t j = 0; j < i; j++)
		sb_strv_add(&below, lowers->items[j]);
	if (bring_and_pin(build, deferred, &below, err) < 0 ||
		search_deferred(build, deferred, &below, err) < 0)
		return -1;
	sb_import_add_blob(build, deferred->layer, &deferred->record);
	if (sb_cache_write(build->cache, &deferred->record, &ignored) < 0)
		sb_error_ignore(&ignored, "the next build asks the cache again");
	lock(build->imports);
	deferred->is_there = true;
	unlock(build->imports);
	return 0;
}

static void note_failure(struct sb_imports *imports)
{
	lock(imports);
	imports->has_failed = true;
	unlock(imports);
}

static int bring_missing(struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err)
{
	struct sb_imports *imports = build->imports;
	struct sb_deferred *deferred = NULL;
	size_t i = 0;

	while ((deferred = next_missing(imports, lowers, &i)) != NULL) {
		if (bring_deferred(build, deferred, lowers, i, err) == 0)
			continue;
		if (err->code == SB_E_CANCELLED)
			return -1;
		/* The layer is what it should be: no other would be better. */
		if (err->code != SB_E_LEAK)
			note_failure(imports);
		return sb_error_context(
			err, "cache '%s'", sb_cache_source_name(deferred->import->source));
	}
	return 0;
}

int sb_imports_bring(struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err)
{
	struct sb_imports *imports = build->imports;
	size_t i = 0;
	int rc = 0;

	/* Who has all does not wait for who has not. */
	if (imports == NULL || next_missing(imports, lowers, &i) == NULL)
		return 0;
	SB_BUG_ON(pthread_mutex_lock(&imports->bringing) != 0);
	rc = bring_missing(build, lowers, err);
	SB_BUG_ON(pthread_mutex_unlock(&imports->bringing) != 0);
	return rc;
}

int sb_imports_view(struct sb_build *build, const struct sb_strv *lowers,
	const struct sb_upper *upper, int *out_mount_fd, struct sb_error *err)
{
	return sb_imports_bring(build, lowers, err) < 0
		       ? -1
		       : sb_snapshots_view(build->snapshots, lowers, upper, out_mount_fd, err);
}

bool sb_imports_must_restart(struct sb_imports *imports)
{
	if (imports == NULL || !imports->has_failed)
		return false;
	imports->has_failed = false;
	imports->is_eager = true;
	sb_imports_forget_deferred(imports);
	return true;
}
