/* SPDX-License-Identifier: MIT */
#include "build/cache_import_private.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/stored_layer.h"
#include "sys/fd.h"

enum {
	/* gzip makes at most 1032 bytes of one. What zstd makes more of is zeros for the most part,
	 * and as soon made again as fetched. */
	MAX_RATIO = 1100,
	MAX_TAR_FREE = 64 << 20, /* so much may come of any blob */
};

int sb_imports_open(const struct sb_cache_option *options, size_t n, struct sb_imports **out,
	struct sb_error *err)
{
	SB_AUTO(sb_imports) imports = SB_NEW(struct sb_imports);

	imports->items = sb_calloc(n + 1, sizeof(*imports->items));
	for (; imports->len < n; imports->len++)
		if (sb_cache_source_open(
			    &options[imports->len], &imports->items[imports->len].source, err) < 0)
			return sb_error_context(err, "--cache-from");
	*out = SB_STEAL(imports);
	return 0;
}

void sb_imports_free(struct sb_imports *imports)
{
	if (imports == NULL)
		return;
	for (size_t i = 0; i < imports->len; i++)
		sb_cache_source_free(imports->items[i].source);
	free(imports->items);
	free(imports);
}

/* True where it was but a failure of the cache; not so for the user's wish to end. */
static bool warn(struct sb_build *build, const struct sb_import *import, const char *what,
	struct sb_error *failed, struct sb_error *err)
{
	if (failed->code == SB_E_CANCELLED) {
		sb_error_move(err, failed);
		return false;
	}

	sb_autofree char *text = sb_asprintf(
		"cache '%s' %s: %s", sb_cache_source_name(import->source), what, failed->message);

	sb_events_warn(&build->events, text, failed->hint);
	sb_error_release(failed);
	return true;
}

int sb_imports_load(struct sb_imports *imports, struct sb_build *build, struct sb_error *err)
{
	for (size_t i = 0; i < imports->len; i++) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (sb_cache_source_load(imports->items[i].source, build, &failed) < 0 &&
			!warn(build, &imports->items[i], "is not used", &failed, err))
			return -1;
	}
	return 0;
}

bool sb_imports_has_state(const struct sb_imports *imports, const struct sb_digest *state)
{
	for (size_t i = 0; imports != NULL && i < imports->len; i++)
		if (sb_shared_cache_find(sb_cache_source_cache(imports->items[i].source), state) !=
			NULL)
			return true;
	return false;
}

bool sb_imports_content(
	const struct sb_imports *imports, const struct sb_digest *key, struct sb_digest *out)
{
	for (size_t i = 0; imports != NULL && i < imports->len; i++) {
		const struct sb_shared_record *record =
			sb_shared_cache_find(sb_cache_source_cache(imports->items[i].source), key);

		if (record == NULL || !sb_digest_is_set(&record->content))
			continue;
		*out = record->content;
		return true;
	}
	return false;
}

bool sb_compression_of_media_type(const char *media_type, enum sb_compression *out)
{
	static const struct {
		const char *media_type;
		enum sb_compression compression;
	} types[] = {
		{SB_MEDIA_OCI_LAYER_GZIP, SB_COMPRESS_GZIP},
		{SB_MEDIA_OCI_LAYER_ZSTD, SB_COMPRESS_ZSTD},
		{SB_MEDIA_OCI_LAYER, SB_COMPRESS_NONE},
		{SB_MEDIA_DOCKER_LAYER_GZIP, SB_COMPRESS_GZIP},
		{SB_MEDIA_DOCKER_LAYER_ZSTD, SB_COMPRESS_ZSTD},
		{SB_MEDIA_DOCKER_LAYER, SB_COMPRESS_NONE},
	};

	for (size_t i = 0; media_type != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].media_type, media_type) != 0)
			continue;
		*out = types[i].compression;
		return true;
	}
	return false;
}

/* A layer that can be used: all is said of it that is needed, and none of it is absurd. */
static bool is_usable(const struct sb_shared_layer *layer)
{
	enum sb_compression compression = SB_COMPRESS_GZIP;
	const uint64_t bytes = layer->blob.size_bytes;

	if (!sb_digest_is_set(&layer->blob.digest) || !sb_digest_is_set(&layer->diff_id) ||
		!sb_compression_of_media_type(layer->blob.media_type, &compression))
		return false;
	if (layer->tar_bytes == 0 || bytes > INT64_MAX / MAX_RATIO)
		return false;
	return layer->tar_bytes <= MAX_TAR_FREE || layer->tar_bytes <= bytes * MAX_RATIO;
}

/* NULL where the cache does not have the step. */
const struct sb_shared_layer *sb_import_find(const struct sb_import *import,
	const struct sb_digest *key, const struct sb_shared_record **out_record)
{
	const struct sb_shared_cache *cache = sb_cache_source_cache(import->source);
	const struct sb_shared_record *record = sb_shared_cache_find(cache, key);

	if (record == NULL || record->layer == SB_SHARED_NONE ||
		!is_usable(&cache->layers.items[record->layer]))
		return NULL;
	*out_record = record;
	return &cache->layers.items[record->layer];
}

bool sb_imports_has(const struct sb_imports *imports, const struct sb_digest *key,
	struct sb_digest *out_diff_id)
{
	for (size_t i = 0; imports != NULL && i < imports->len; i++) {
		const struct sb_shared_record *record = NULL;
		const struct sb_shared_layer *layer =
			sb_import_find(&imports->items[i], key, &record);

		if (layer == NULL)
			continue;
		*out_diff_id = layer->diff_id;
		return true;
	}
	return false;
}

/* What the blob begins with is what its media type says: an image would repeat the lie. */
static int check_form(struct sb_build *build, const struct sb_descriptor *blob,
	enum sb_compression said, struct sb_error *err)
{
	static const unsigned char gzip[] = {0x1f, 0x8b};
	static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	enum sb_compression is = SB_COMPRESS_NONE;
	unsigned char magic[sizeof(zstd)] = {0};
	sb_autofd int fd = -1;

	if (sb_layout_open_blob(build->store, &blob->digest, &fd, err) < 0)
		return -1;
	if (pread(fd, magic, sizeof(magic), 0) < 0)
		return sb_fail_errno(err, "blob %s", blob->digest.text);
	if (memcmp(magic, gzip, sizeof(gzip)) == 0)
		is = SB_COMPRESS_GZIP;
	else if (memcmp(magic, zstd, sizeof(zstd)) == 0)
		is = SB_COMPRESS_ZSTD;
	return is == said ? 0
			  : sb_fail(err, SB_E_INTEGRITY, "layer %s is not of the type '%s'",
				    blob->digest.text, blob->media_type);
}

int sb_import_bring(struct sb_build *build, struct sb_import *import, const struct sb_strv *lowers,
	const struct sb_shared_layer *layer, bool with_blob, struct sb_error *err)
{
	const bool is_unpacked = sb_snapshots_has_layer(build->snapshots, &layer->diff_id);
	const struct sb_stored_layer stored = {.blob = &layer->blob,
		.diff_id = &layer->diff_id,
		.max_tar_bytes = layer->tar_bytes};
	enum sb_compression compression = SB_COMPRESS_GZIP;

	if (is_unpacked && !with_blob)
		return 0;
	(void)sb_compression_of_media_type(layer->blob.media_type, &compression);
	if (sb_cache_source_fetch(import->source, build, &layer->blob, err) < 0 ||
		check_form(build, &layer->blob, compression, err) < 0)
		return -1;
	/* Also where its folder is there: only that shows that the blob is this layer. */
	return is_unpacked || lowers == NULL ? sb_stored_layer_verify(build, &stored, NULL, err)
					     : sb_stored_layer_unpack(build, &stored, lowers, err);
}

void sb_import_add_blob(const struct sb_build *build, const struct sb_shared_layer *layer,
	struct sb_cache_record *record)
{
	enum sb_compression compression = SB_COMPRESS_GZIP;

	(void)sb_compression_of_media_type(layer->blob.media_type, &compression);
	if (sb_layout_has_blob(build->store, &layer->blob.digest))
		*SB_ARRAY_ADD(&record->blobs) = (struct sb_cached_blob){.compression = compression,
			.level = layer->level,
			.digest = layer->blob.digest,
			.size_bytes = layer->blob.size_bytes};
}

static void fill_in(const struct sb_build *build, const struct sb_shared_layer *layer,
	const struct sb_shared_record *from, struct sb_cache_record *record)
{
	record->diff_id = layer->diff_id;
	record->tar_bytes = layer->tar_bytes;
	record->created = sb_strdup(from->created);
	sb_import_add_blob(build, layer, record);
}

/* A blob that proved to be something else is of no use to anybody. */
static void discard(struct sb_build *build, const struct sb_digest *blob)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_layout_discard_unused_blob(build->store, blob, &ignored) < 0)
		sb_error_ignore(&ignored, "it goes with the next prune then");
}

int sb_imports_take(struct sb_build *build, const struct sb_strv *lowers, bool with_blob,
	struct sb_cache_record *record, bool *out_is_taken, struct sb_error *err)
{
	struct sb_imports *imports = build->imports;

	*out_is_taken = false;
	for (size_t i = 0; imports != NULL && i < imports->len; i++) {
		struct sb_import *import = &imports->items[i];
		const struct sb_shared_record *from = NULL;
		const struct sb_shared_layer *layer = sb_import_find(import, &record->key, &from);
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (layer == NULL || import->is_gone)
			continue;
		if (sb_import_bring(build, import, lowers, layer, with_blob, &failed) == 0) {
			fill_in(build, layer, from, record);
			*out_is_taken = true;
			return 0;
		}
		if (failed.code == SB_E_NETWORK || failed.code == SB_E_AUTH)
			import->is_gone = true;
		if (failed.code == SB_E_INTEGRITY)
			discard(build, &layer->blob.digest);
		if (!warn(build, import, "is not used for this step", &failed, err))
			return -1;
	}
	return 0;
}

const struct sb_shared_layer *sb_imports_layer(const struct sb_imports *imports,
	const struct sb_digest *key, const char **out_created, struct sb_cache_source **out_source)
{
	for (size_t i = 0; imports != NULL && i < imports->len; i++) {
		const struct sb_import *import = &imports->items[i];
		const struct sb_shared_record *record = NULL;
		const struct sb_shared_layer *layer = sb_import_find(import, key, &record);

		if (layer == NULL || import->is_gone)
			continue;
		*out_created = record->created;
		*out_source = import->source;
		return layer;
	}
	return NULL;
}
