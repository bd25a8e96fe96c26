/* SPDX-License-Identifier: MIT */
#include "inspect/inspect.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "inspect/inspector.h"
#include "inspect/notes.h"
#include "inspect/surroundings.h"

struct blob {
	struct sb_blob_reader *reader;
	struct sb_interrupt *interrupt;
};

static ssize_t read_from_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	const struct blob *blob = self;

	if (sb_interrupt_check(blob->interrupt, err) < 0)
		return -1;
	return sb_blob_reader_read(blob->reader, bytes, len, err);
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

static void check_blob(struct sb_inspection *report, const struct sb_descriptor *said, size_t i,
	const struct sb_layer_report *layer)
{
	if (!sb_digest_is_set(&said->digest))
		return;
	if (!sb_digest_equal(&said->digest, &layer->digest))
		sb_report_problem(report, SB_PROBLEM_DIGEST, i, NULL,
			"the blob's digest is %s, not %s", layer->digest.text, said->digest.text);
	if (said->size_bytes != layer->size_bytes)
		sb_report_problem(report, SB_PROBLEM_SIZE, i, NULL,
			"the blob has %llu bytes, the manifest says %llu",
			(unsigned long long)layer->size_bytes,
			(unsigned long long)said->size_bytes);
}

static void check_diff_id(struct sb_inspection *report, const struct sb_image_config *config,
	size_t i, const struct sb_layer_report *layer)
{
	if (i >= config->diff_ids.len ||
		sb_digest_equal(&config->diff_ids.items[i], &layer->diff_id))
		return;
	for (size_t k = 0; k < config->diff_ids.len; k++) {
		if (!sb_digest_equal(&config->diff_ids.items[k], &layer->diff_id))
			continue;
		sb_report_problem(report, SB_PROBLEM_ORDER, i, NULL,
			"it is layer %zu in the config: diff_id is %s, not %s", k + 1,
			layer->diff_id.text, config->diff_ids.items[i].text);
		return;
	}
	sb_report_problem(report, SB_PROBLEM_DIFF_ID, i, NULL, "diff_id is %s, the config says %s",
		layer->diff_id.text, config->diff_ids.items[i].text);
}

static void check_packing(struct sb_inspection *report, const struct sb_image *image, size_t i,
	enum sb_layer_packing packing)
{
	const char *media_type = image->manifest->layers.items[i].media_type;
	/* An archive of docker's own form has no media types: those were made up. */
	const int said = media_type == NULL || strcmp(image->form, "docker archive") == 0
				 ? -1
				 : packing_by_media_type(media_type);

	if (said >= 0 && said != (int)packing)
		sb_report_problem(report, SB_PROBLEM_PACKING, i, NULL,
			"its media type is '%s', its content is %s", media_type,
			sb_layer_packing_name(packing));
	else if (packing > SB_PACKED_ZSTD)
		sb_report_problem(report, SB_PROBLEM_PACKING, i, NULL,
			"it is compressed with %s, which most engines can't read",
			sb_layer_packing_name(packing));
}

static void note_absent(struct sb_inspection *report, size_t i, struct sb_layer_report *layer,
	const struct sb_descriptor *said, const char *why)
{
	layer->digest = said->digest;
	layer->size_bytes = said->size_bytes;
	if (layer->is_foreign) {
		sb_report_gap(report, i, NULL, "a foreign layer, not present, not verified");
		return;
	}
	sb_report_problem(report, SB_PROBLEM_MISSING, i, NULL, "%s", why);
	sb_report_gap(report, i, NULL, "it can't be read");
}

static void read_layer(
	struct sb_inspector *in, struct sb_image *image, size_t i, struct sb_interrupt *interrupt)
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
	layer->is_foreign = d->media_type != NULL && sb_media_is_foreign_layer(d->media_type);
	if (sb_image_read_layer(image, i, &reader, &err) < 0) {
		note_absent(in->report, i, layer, d, err.message);
		return;
	}
	struct blob blob = {.reader = reader, .interrupt = interrupt};
	const struct sb_byte_source source = {.read = read_from_blob, .self = &blob};

	sb_inspector_read_layer(in, i, &source, layer, &packing);
	check_blob(in->report, d, i, layer);
	check_diff_id(in->report, image->config, i, layer);
	check_packing(in->report, image, i, packing);
}

static int read_image(struct sb_inspector *in, struct sb_image *image,
	struct sb_interrupt *interrupt, struct sb_error *err)
{
	const size_t n = image->manifest->layers.len;

	if (n > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "the image has %zu layers, more than %d", n,
			SB_MAX_LAYERS);
	in->report->form = sb_strdup(image->form);
	in->report->name = sb_strdup_or_null(image->name);
	in->report->manifest_digest = image->descriptor.digest;
	if (image->config->diff_ids.len != n)
		sb_report_problem(in->report, SB_PROBLEM_ORDER, SIZE_MAX, NULL,
			"the manifest has %zu layers, the config %zu diff_ids", n,
			image->config->diff_ids.len);
	for (size_t i = 0; i < n; i++)
		(void)SB_ARRAY_ADD(&in->report->layers);
	for (size_t i = 0; i < n; i++)
		read_layer(in, image, i, interrupt);
	sb_inspector_read_config(in, image);
	sb_inspector_read_surroundings(in, image);
	return sb_interrupt_check(interrupt, err);
}

int sb_inspect_image(struct sb_image *image, const struct sb_secrets *secrets,
	struct sb_inspection **out, struct sb_error *err)
{
	SB_AUTO(sb_inspector) in = sb_inspector_new(secrets);

	if (read_image(in, image, NULL, err) < 0)
		return -1;
	*out = sb_inspector_take(in, secrets);
	return 0;
}

int sb_inspect_known_secrets(struct sb_image *image, const struct sb_secrets *secrets,
	struct sb_interrupt *interrupt, struct sb_inspection **out, struct sb_error *err)
{
	SB_AUTO(sb_inspector) in = sb_inspector_new_known_only(secrets);

	if (read_image(in, image, interrupt, err) < 0)
		return -1;
	*out = sb_inspector_take(in, secrets);
	return 0;
}
