/* SPDX-License-Identifier: MIT */
#include "build/convert.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "layer/decompress.h"
#include "oci/config.h"
#include "sys/fd.h"

/* A layer on its way from one form into another. */
struct conversion {
	int from;
	int to;
	struct sb_hasher *hasher; /* of what is written */
	uint64_t size_bytes;
};

static ssize_t read_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	const struct conversion *c = self;

	return sb_fd_read(c->from, bytes, len, err);
}

static int write_blob(void *self, const void *bytes, size_t len, struct sb_error *err)
{
	struct conversion *c = self;

	sb_hasher_add(c->hasher, bytes, len);
	c->size_bytes += len;
	return sb_fd_write_all(c->to, bytes, len, err);
}

static int recompress(struct sb_decompressor *from, struct sb_compressor *to,
	struct sb_digest *out_diff_id, struct sb_error *err)
{
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();

	for (;;) {
		const void *bytes = NULL;
		const ssize_t n = sb_decompressor_read(from, &bytes, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		sb_hasher_add(hasher, bytes, (size_t)n);
		if (sb_compressor_write(to, bytes, (size_t)n, err) < 0)
			return -1;
	}
	sb_hasher_finish(hasher, out_diff_id);
	return sb_compressor_finish(to, err);
}

static bool has_form(const struct sb_descriptor *layer, enum sb_compression compression)
{
	const char *type = layer->media_type;

	return strcmp(type, sb_compression_media_type(compression)) == 0 ||
	       (compression == SB_COMPRESS_GZIP && strcmp(type, SB_MEDIA_DOCKER_LAYER_GZIP) == 0) ||
	       (compression == SB_COMPRESS_NONE && strcmp(type, SB_MEDIA_DOCKER_LAYER) == 0);
}

static int convert_layer(struct sb_layout *store, enum sb_compression compression, int level,
	const struct sb_digest *diff_id, struct sb_descriptor *inout, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();
	SB_AUTO(sb_decompressor) from = NULL;
	SB_AUTO(sb_compressor) to = NULL;
	struct sb_digest was;
	struct sb_digest unpacked;
	uint64_t bytes = 0;
	sb_autofd int blob = -1;

	if (has_form(inout, compression))
		return 0;
	if (sb_layout_open_blob(store, &inout->digest, &blob, err) < 0 ||
		sb_blob_writer_new(store, &writer, err) < 0)
		return -1;

	struct conversion c = {.from = blob, .to = sb_blob_writer_fd(writer), .hasher = hasher};

	from = sb_decompressor_new(
		(struct sb_reader){
			.read = read_blob, .self = &c, .interrupt = sb_layout_interrupt(store)},
		true);
	if (sb_compressor_new(compression, level, write_blob, &c, &to, err) < 0 ||
		recompress(from, to, &unpacked, err) < 0 ||
		sb_decompressor_finish(from, &was, &bytes, err) < 0)
		return -1;
	if (!sb_digest_equal(&was, &inout->digest) || !sb_digest_equal(&unpacked, diff_id))
		return sb_fail(err, SB_E_INTEGRITY,
			"it is broken: its content has the digest %s, and unpacks to %s", was.text,
			unpacked.text);
	sb_hasher_finish(hasher, &inout->digest);
	inout->size_bytes = c.size_bytes;
	free(inout->media_type);
	inout->media_type = sb_strdup(sb_compression_media_type(compression));
	return sb_blob_writer_commit(writer, &inout->digest, err);
}

/* An OCI manifest: Docker has no media type for zstd. */
static void make_oci(struct sb_manifest *manifest)
{
	free(manifest->media_type);
	manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	free(manifest->config.media_type);
	manifest->config.media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	SB_ARRAY_FOREACH (&manifest->layers, layer) {
		const bool is_gzip = strcmp(layer->media_type, SB_MEDIA_DOCKER_LAYER_GZIP) == 0;

		if (!is_gzip && strcmp(layer->media_type, SB_MEDIA_DOCKER_LAYER) != 0)
			continue;
		free(layer->media_type);
		layer->media_type =
			sb_strdup(is_gzip ? SB_MEDIA_OCI_LAYER_GZIP : SB_MEDIA_OCI_LAYER);
	}
}

static int convert_all(struct sb_layout *store, enum sb_compression compression, int level,
	struct sb_manifest *manifest, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO(sb_image_config) config = NULL;

	if (sb_layout_read_blob(store, &manifest->config, &json, err) < 0 ||
		sb_image_config_parse(json.data, json.len, &config, err) < 0)
		return -1;
	if (config->diff_ids.len != manifest->layers.len)
		return sb_fail(err, SB_E_INTEGRITY,
			"the image has %zu layers, its config lists %zu", manifest->layers.len,
			config->diff_ids.len);
	for (size_t i = 0; i < manifest->layers.len; i++)
		if (sb_interrupt_check(sb_layout_interrupt(store), err) < 0 ||
			convert_layer(store, compression, level, &config->diff_ids.items[i],
				&manifest->layers.items[i], err) < 0)
			return sb_error_context(err, "layer %zu", i + 1);
	make_oci(manifest);
	return 0;
}

int sb_convert_layers(struct sb_layout *store, enum sb_compression compression, int level,
	struct sb_descriptor *inout, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_BUF written = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO(sb_manifest) manifest = NULL;

	if (sb_media_is_index(inout->media_type))
		return sb_fail(err, SB_E_UNSUPPORTED,
			"the layers of an image for several platforms can't be compressed anew");
	if (sb_layout_read_blob(store, inout, &json, err) < 0 ||
		sb_manifest_parse(json.data, json.len, &manifest, err) < 0 ||
		convert_all(store, compression, level, manifest, err) < 0 ||
		sb_manifest_write(manifest, &written, err) < 0 ||
		sb_layout_put_bytes(store, written.data, written.len, &inout->digest, err) < 0)
		return sb_error_context(err, "compress the layers anew");
	free(inout->media_type);
	inout->media_type = sb_strdup(manifest->media_type);
	inout->size_bytes = written.len;
	return 0;
}
