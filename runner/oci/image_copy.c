/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/image_private.h"
#include "sys/fd.h"

int sb_blob_reader_copy(struct sb_blob_reader *reader, struct sb_interrupt *interrupt, int to,
	struct sb_digest *out_digest, uint64_t *out_bytes, struct sb_error *err)
{
	enum { CHUNK = 256 << 10 };
	sb_autofree char *chunk = sb_malloc(CHUNK);
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();
	uint64_t total = 0;

	for (;;) {
		if (sb_interrupt_check(interrupt, err) < 0)
			return -1;

		const ssize_t n = sb_blob_reader_read(reader, chunk, CHUNK, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		sb_hasher_add(hasher, chunk, (size_t)n);
		if (sb_fd_write_all(to, chunk, (size_t)n, err) < 0)
			return -1;
		total += (uint64_t)n;
	}
	sb_hasher_finish(hasher, out_digest);
	*out_bytes = total;
	return 0;
}

/* Holds what was read against what was said of it. */
static int check_layer(const struct sb_descriptor *said, bool is_size_known,
	const struct sb_digest *diff_id, const struct sb_descriptor *found, struct sb_error *err)
{
	if (is_size_known && said->size_bytes != found->size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"it has %" PRIu64 " bytes, %" PRIu64 " expected", found->size_bytes,
			said->size_bytes);
	if (sb_digest_is_set(&said->digest) && !sb_digest_equal(&said->digest, &found->digest))
		return sb_fail(err, SB_E_INTEGRITY, "its content has the digest %s, %s expected",
			found->digest.text, said->digest.text);
	if (strcmp(found->media_type, SB_MEDIA_OCI_LAYER) == 0 &&
		!sb_digest_equal(diff_id, &found->digest))
		return sb_fail(err, SB_E_INTEGRITY,
			"its content has the digest %s, but the config's diff_id is %s",
			found->digest.text, diff_id->text);
	return 0;
}

/* *out: digest, size and media type (by content) of the layer as it lies in `to`. */
static int copy_layer(struct sb_image *image, size_t i, struct sb_layout *to,
	struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_image_origin *origin = image->origin;
	const struct sb_descriptor *said = &image->manifest->layers.items[i];
	SB_AUTO_VALUE(sb_descriptor) found = {0};
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO(sb_blob_writer) writer = NULL;
	const char *media_type = NULL;

	if (sb_layout_holds(to, said)) {
		sb_descriptor_copy(out, said);
		return 0;
	}
	if (sb_image_read_layer(image, i, &reader, err) < 0)
		return -1;
	if (sb_layer_media_type_of(reader, &media_type, err) < 0 ||
		sb_blob_writer_new(to, &writer, err) < 0 ||
		sb_blob_reader_copy(reader, sb_layout_interrupt(to), sb_blob_writer_fd(writer),
			&found.digest, &found.size_bytes, err) < 0)
		return sb_error_context(err, "layer %zu", i + 1);
	found.media_type = sb_strdup(media_type);
	if (check_layer(said, origin->manifest_json.len > 0, &image->config->diff_ids.items[i],
		    &found, err) < 0 ||
		sb_blob_writer_commit(writer, &found.digest, err) < 0)
		return sb_error_context(err, "layer %zu", i + 1);
	sb_descriptor_copy(out, &found);
	return 0;
}

/* A manifest for what had none, from the layers as they were found to be. */
static int write_manifest(const struct sb_image *image, struct sb_descriptors *layers,
	struct sb_buf *out, struct sb_error *err)
{
	struct sb_manifest made_up = {
		.media_type = image->manifest->media_type,
		.config = image->manifest->config,
		.layers = *layers,
	};

	return sb_manifest_write(&made_up, out, err);
}

int sb_image_copy_to_layout(struct sb_image *image, struct sb_layout *to, struct sb_descriptor *out,
	struct sb_error *err)
{
	const struct sb_image_origin *origin = image->origin;
	SB_AUTO_VALUE(sb_descriptors) layers = {0};
	SB_AUTO_BUF made_up = SB_BUF_INIT(SB_MAX_JSON);
	const struct sb_buf *json = &origin->manifest_json;
	struct sb_digest digest;

	for (size_t i = 0; i < image->manifest->layers.len; i++)
		if (copy_layer(image, i, to, SB_ARRAY_ADD(&layers), err) < 0)
			return -1;
	if (json->len == 0) {
		if (write_manifest(image, &layers, &made_up, err) < 0)
			return -1;
		json = &made_up;
	}
	if (sb_layout_put_bytes(to, image->config_json.data, image->config_json.len, &digest, err) <
			0 ||
		sb_layout_put_bytes(to, json->data, json->len, &digest, err) < 0)
		return -1;
	*out = (struct sb_descriptor){
		.media_type = sb_strdup(image->manifest->media_type),
		.digest = digest,
		.size_bytes = json->len,
	};
	return 0;
}
