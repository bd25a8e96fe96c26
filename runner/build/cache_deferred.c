/* SPDX-License-Identifier: MIT */
#include "build/cache_import_private.h"

#include <string.h>

#include "base/mem.h"

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
		free(deferred->name);
		sb_cache_record_release(&deferred->record);
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

void sb_imports_defer(struct sb_build *build, struct sb_cache_record *record)
{
	struct sb_imports *imports = build->imports;
	struct sb_deferred deferred = {
		.name = sb_snapshots_layer_name(&record->diff_id), .record = *record};

	for (size_t i = 0; deferred.layer == NULL && i < imports->len; i++) {
		const struct sb_shared_record *from = NULL;

		deferred.import = &imports->items[i];
		if (!deferred.import->is_gone)
			deferred.layer = sb_import_find(deferred.import, &record->key, &from);
	}
	*record = (struct sb_cache_record){0};
	lock(imports);
	*SB_ARRAY_ADD(&imports->deferred) = deferred;
	unlock(imports);
}

/* The place in the stack of a layer that has to be brought, or the number of all. */
static size_t next_missing(
	struct sb_imports *imports, const struct sb_strv *lowers, struct sb_deferred **out)
{
	for (size_t i = 0; i < lowers->len; i++)
		SB_ARRAY_FOREACH (&imports->deferred, deferred) {
			if (deferred->is_there || strcmp(deferred->name, lowers->items[i]) != 0)
				continue;
			*out = deferred;
			return i;
		}
	return lowers->len;
}

static int bring_deferred(struct sb_build *build, struct sb_deferred *deferred,
	const struct sb_strv *lowers, size_t i, struct sb_error *err)
{
	SB_AUTO_STRV below = SB_STRV_INIT;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	struct sb_cache_record *record = &deferred->record;

	if (deferred->layer == NULL)
		return sb_fail(err, SB_E_NETWORK, "it does not answer any more");
	for (size_t j = 0; j < i; j++)
		sb_strv_add(&below, lowers->items[j]);
	while (!deferred->is_there)
		if (sb_interrupt_check(build->interrupt, err) < 0 ||
			sb_import_bring(
				build, deferred->import, &below, deferred->layer, false, err) < 0 ||
			sb_snapshots_pin(
				build->snapshots, deferred->name, &deferred->is_there, err) < 0)
			return -1;
	sb_import_add_blob(build, deferred->layer, record);
	if (sb_cache_write(build->cache, record, &ignored) < 0)
		sb_error_ignore(&ignored, "the next build asks the cache again");
	return 0;
}

static int bring_missing(struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err)
{
	struct sb_imports *imports = build->imports;
	struct sb_deferred *deferred = NULL;
	size_t i = 0;

	while ((i = next_missing(imports, lowers, &deferred)) < lowers->len) {
		if (bring_deferred(build, deferred, lowers, i, err) == 0)
			continue;
		if (err->code == SB_E_CANCELLED)
			return -1;
		imports->has_failed = true;
		return sb_error_context(
			err, "cache '%s'", sb_cache_source_name(deferred->import->source));
	}
	return 0;
}

int sb_imports_bring(struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err)
{
	int rc = 0;

	if (build->imports == NULL)
		return 0;
	lock(build->imports);
	rc = bring_missing(build, lowers, err);
	unlock(build->imports);
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
