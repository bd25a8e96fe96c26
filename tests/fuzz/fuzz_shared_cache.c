/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "fuzz.h"
#include "oci/shared_cache.h"

/* What was read is within its bounds, and can be written and read again. */
static void check(struct sb_shared_cache *cache)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_shared_cache) again = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_descriptors none = {0};

	SB_ARRAY_FOREACH (&cache->layers, layer)
		SB_BUG_ON(layer->parent != SB_SHARED_NONE && layer->parent >= cache->layers.len);
	SB_ARRAY_FOREACH (&cache->records, record) {
		SB_BUG_ON(record->layer != SB_SHARED_NONE && record->layer >= cache->layers.len);
		SB_BUG_ON((record->layer != SB_SHARED_NONE) != (record->created != NULL));
		SB_BUG_ON(sb_shared_cache_find(cache, &record->key) != record);
	}
	/* Layers whose blob is not listed have none to write. */
	SB_ARRAY_FOREACH (&cache->layers, layer)
		if (!sb_digest_is_set(&layer->blob.digest))
			return;
	SB_BUG_ON(sb_shared_cache_write_config(cache, &json, &err) < 0);
	SB_BUG_ON(sb_shared_cache_parse_config(json.data, json.len, &none, &again, &err) < 0);
	SB_BUG_ON(again.records.len != cache->records.len);
}

/* A document, and after a NUL the config. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	const char *nul = len > 0 ? memchr(text, '\0', len) : NULL;
	const size_t first = nul != NULL ? (size_t)(nul - text) : len;
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_VALUE(sb_descriptor) config = {0};
	SB_AUTO_VALUE(sb_shared_cache) cache = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_shared_cache_parse(text, first, &blobs, &config, &ignored) < 0)
		sb_error_ignore(&ignored, "the config is read all the same");
	if (nul != NULL &&
		sb_shared_cache_parse_config(nul + 1, len - first - 1, &blobs, &cache, &err) == 0)
		check(&cache);
	return 0;
}
