/* SPDX-License-Identifier: MIT */
#include "oci/reach.h"

#include <string.h>

#include "oci/descriptor_json.h"
#include "oci/layout_private.h"

enum { MAX_NESTING = 8 }; /* of indexes; real ones have two levels */

/* The place of the digest in the sorted list, or where it would be. */
static size_t place_of(const struct sb_descriptors *list, const char *hex)
{
	size_t low = 0;
	size_t high = list->len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(sb_digest_hex(&list->items[middle].digest), hex) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool sb_reach_has(const struct sb_descriptors *list, const char *hex)
{
	const size_t i = place_of(list, hex);

	return i < list->len && strcmp(sb_digest_hex(&list->items[i].digest), hex) == 0;
}

/* False where it was there before. */
static bool add(struct sb_descriptors *list, const struct sb_descriptor *d)
{
	const char *hex = sb_digest_hex(&d->digest);
	const size_t i = place_of(list, hex);
	struct sb_descriptor copy = {0};

	if (sb_reach_has(list, hex))
		return false;
	sb_descriptor_copy(&copy, d);
	(void)SB_ARRAY_ADD(list);
	memmove(&list->items[i + 1], &list->items[i], (list->len - 1 - i) * sizeof(copy));
	list->items[i] = copy;
	return true;
}

static bool is_manifest_type(const char *media_type)
{
	/* A caller who has but a digest leaves it out; what layouts hold always has one. */
	if (media_type == NULL || media_type[0] == '\0')
		return true;
	return sb_media_is_index(media_type) || strcmp(media_type, SB_MEDIA_OCI_MANIFEST) == 0 ||
	       strcmp(media_type, SB_MEDIA_DOCKER_MANIFEST) == 0;
}

static int walk(struct sb_layout *layout, const struct sb_descriptor *d, unsigned depth,
	struct sb_descriptors *list, struct sb_error *err);

static int walk_json(struct sb_layout *layout, const json_t *json, unsigned depth,
	struct sb_descriptors *list, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) d = {0};

	if (sb_descriptor_from_json(json, "image manifest", &d, err) < 0)
		return -1;
	return walk(layout, &d, depth, list, err);
}

static int walk_content(struct sb_layout *layout, const json_t *json, unsigned depth,
	struct sb_descriptors *list, struct sb_error *err)
{
	static const char *const single[] = {"config", "subject"};
	static const char *const many[] = {"manifests", "layers", "blobs"};

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		const json_t *one = json_object_get(json, single[i]);

		if (json_is_object(one) && walk_json(layout, one, depth, list, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		const json_t *items = json_object_get(json, many[i]);

		for (size_t j = 0; j < json_array_size(items); j++)
			if (walk_json(layout, json_array_get(items, j), depth, list, err) < 0)
				return -1;
	}
	return 0;
}

static int walk(struct sb_layout *layout, const struct sb_descriptor *d, unsigned depth,
	struct sb_descriptors *list, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(0);
	SB_AUTO_JSON json = NULL;
	struct stat st;

	if (!add(list, d) || !is_manifest_type(d->media_type) ||
		!sb_layout_stat_blob(layout, &d->digest, &st))
		return 0;
	if (depth == MAX_NESTING)
		return sb_fail(
			err, SB_E_LIMIT, "indexes are nested more than %d deep", MAX_NESTING);
	if (sb_layout_read_blob_aside(layout, d, &buf, err) < 0 ||
		sb_json_parse_object(buf.data, buf.len, "image manifest", &json, err) < 0 ||
		walk_content(layout, json, depth + 1, list, err) < 0)
		return sb_error_context(err, "manifest %s", d->digest.text);
	return 0;
}

int sb_layout_reach(struct sb_layout *layout, const struct sb_descriptor *from,
	struct sb_descriptors *inout, struct sb_error *err)
{
	return walk(layout, from, 0, inout, err);
}
