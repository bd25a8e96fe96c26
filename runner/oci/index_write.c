/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/mem.h"
#include "oci/descriptor_json.h"
#include "oci/index.h"
#include "oci/layout.h"

json_t *sb_index_new_json(void)
{
	json_t *index = json_object();
	const char *bad = NULL;

	sb_json_put_int(index, "schemaVersion", 2);
	sb_json_put_string(index, "mediaType", SB_MEDIA_OCI_INDEX, &bad);
	sb_json_put(index, "manifests", json_array());
	return index;
}

void sb_index_append(json_t *index, const struct sb_descriptor *d, const char **bad)
{
	SB_BUG_ON(json_array_append_new(
			  json_object_get(index, "manifests"), sb_descriptor_to_json(d, bad)) != 0);
}

int sb_layout_put_index(struct sb_layout *layout, const struct sb_descriptors *entries,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_JSON index = sb_index_new_json();
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	const char *bad = NULL;
	struct sb_digest digest;

	SB_ARRAY_FOREACH (entries, d)
		sb_index_append(index, d, &bad);
	if (sb_json_dump(index, "image index", bad, &buf, err) < 0 ||
		sb_layout_put_bytes(layout, buf.data, buf.len, &digest, err) < 0)
		return -1;
	*out = (struct sb_descriptor){.media_type = sb_strdup(SB_MEDIA_OCI_INDEX),
		.digest = digest,
		.size_bytes = buf.len};
	return 0;
}
