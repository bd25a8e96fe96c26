/* SPDX-License-Identifier: MIT */
#include "inspect/inspect.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "inspect/inspector.h"

static ssize_t read_from_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_blob_reader_read(self, bytes, len, err);
}

static bool is_foreign(const char *media_type)
{
	return media_type != NULL && (strstr(media_type, "foreign") != NULL ||
					     strstr(media_type, "nondistributable") != NULL);
}

static bool ends_with(const char *text, const char *end)
{
	const size_t len = strlen(text);
	const size_t n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/* What the media type says of the packing; -1 where it says nothing that is known. */
static int packing_by_media_type(const char *media_type)
{
	if (ends_with(media_type, "gzip"))
		return SB_PACKED_GZIP;
	if (ends_with(media_type, "zstd"))
		return SB_PACKED_ZSTD;
	return ends_with(media_type, "tar") ? SB_PACKED_NOT : -1;
}

static const char *packing_name(enum sb_layer_packing packing)
{
	static const char *const names[] = {"not compressed", "gzip", "zstd"};

	return names[packing];
}

static void check_layer(struct sb_inspection *report, const struct sb_image *image, size_t i,
	const struct sb_layer_report *layer, enum sb_layer_packing packing)
{
	const struct sb_descriptor *d = &image->manifest->layers.items[i];
	struct sb_strv *problems = &report->problems;

	if (sb_digest_is_set(&d->digest)) {
		if (!sb_digest_equal(&d->digest, &layer->digest))
			sb_strv_addf(problems, "layer %zu: the blob's digest is %s, not %s", i + 1,
				layer->digest.text, d->digest.text);
		if (d->size_bytes != layer->size_bytes)
			sb_strv_addf(problems,
				"layer %zu: the blob has %llu bytes, the manifest says %llu", i + 1,
				(unsigned long long)layer->size_bytes,
				(unsigned long long)d->size_bytes);
	}
	if (i < image->config->diff_ids.len &&
		!sb_digest_equal(&image->config->diff_ids.items[i], &layer->diff_id))
		sb_strv_addf(problems, "layer %zu: diff_id is %s, the config says %s", i + 1,
			layer->diff_id.text, image->config->diff_ids.items[i].text);

	/* An archive of docker's own form has no media types: those were made up. */
	const int said = d->media_type == NULL || strcmp(image->form, "docker archive") == 0
				 ? -1
				 : packing_by_media_type(d->media_type);

	if (said >= 0 && said != (int)packing)
		sb_strv_addf(problems, "layer %zu: its media type is '%s', its content is %s",
			i + 1, d->media_type, packing_name(packing));
}

static void read_layer(struct sb_inspector *in, struct sb_image *image, size_t i)
{
	const struct sb_descriptor *d = &image->manifest->layers.items[i];
	const char *instruction =
		sb_layer_instruction(image->config, i, image->manifest->layers.len);
	struct sb_layer_report *layer = &in->report->layers.items[i];
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	enum sb_layer_packing packing = SB_PACKED_NOT;

	layer->media_type = sb_strdup_or_null(d->media_type);
	layer->created_by = sb_strdup_or_null(instruction);
	if (sb_image_read_layer(image, i, &reader, &err) < 0) {
		layer->digest = d->digest;
		layer->size_bytes = d->size_bytes;
		if (is_foreign(d->media_type)) {
			sb_strv_addf(&in->report->not_scanned,
				"layer %zu: a foreign layer, not present, not verified", i + 1);
			return;
		}
		sb_strv_addf(&in->report->problems, "layer %zu: %s", i + 1, err.message);
		sb_strv_addf(&in->report->not_scanned, "layer %zu: it can't be read", i + 1);
		return;
	}
	const struct sb_byte_source source = {.read = read_from_blob, .self = reader};

	sb_inspector_read_layer(in, i, &source, layer, &packing);
	check_layer(in->report, image, i, layer, packing);
}

int sb_inspect_image(struct sb_image *image, const struct sb_secrets *secrets,
	struct sb_inspection **out, struct sb_error *err)
{
	SB_AUTO(sb_inspector) in = sb_inspector_new(secrets);
	const size_t n = image->manifest->layers.len;

	if (n > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "the image has %zu layers, more than %d", n,
			SB_MAX_LAYERS);
	in->report->form = sb_strdup(image->form);
	in->report->name = sb_strdup_or_null(image->name);
	in->report->manifest_digest = image->descriptor.digest;
	if (image->config->diff_ids.len != n)
		sb_strv_addf(&in->report->problems,
			"the manifest has %zu layers, the config %zu diff_ids", n,
			image->config->diff_ids.len);
	for (size_t i = 0; i < n; i++)
		(void)SB_ARRAY_ADD(&in->report->layers);
	for (size_t i = 0; i < n; i++)
		read_layer(in, image, i);
	sb_inspector_read_config(in, image);
	*out = sb_inspector_take(in, secrets);
	return 0;
}
