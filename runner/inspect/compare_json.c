/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "inspect/compare.h"
#include "inspect/report_emit.h"

/*
 * The document, "schema": 1. Later versions of the same number only add keys, and words to lists of
 * words. Sizes are in bytes, layers count from 0, what does not apply is null.
 *
 *	schema        1
 *	verdict       "same", "different" or "unreadable"
 *	images[2]     {image (as named), form, digest, config_digest, platform, size (of all layers,
 *	              as downloaded), tar_size, visible, dead_bytes, files (a number)}
 *	counts        {added, removed, modified, metadata}: of the files
 *	files[]       {path, change (added | removed | modified | metadata), what[] (type | content
 *| link | device | mode | owner | attributes), before, after}; parents first, then by bytes. before
 *and after are {type (- d l b c p), mode ("0644"), uid, gid, size, link, digest} or null config[]
 *{field, key, change (added | removed | modified), before, after}: values of secrets are masked, so
 *that a modified one may look the same other_config  true where the configs differ in nothing that
 *is in that list layers[]      {before, after (indices; both for a shared one), repacked, diff_id,
 *digest, size, created_by}, in the order of the images unreadable[]  one line of text each: why the
 *verdict is what it is
 */

enum { MAX_JSON_BYTES = 1 << 30 };

static const char *const kind_words[] = {
	[SB_DIFF_ADDED] = "added",
	[SB_DIFF_REMOVED] = "removed",
	[SB_DIFF_MODIFIED] = "modified",
	[SB_DIFF_METADATA] = "metadata",
};

static void emit_image(struct sb_emit *emit, const char *name, const struct sb_inspection *image,
	const struct sb_image_sums *sums)
{
	sb_autofree char *platform = sb_platform_format(&image->platform);

	sb_emit_object(emit, NULL);
	sb_emit_text(emit, "image", name);
	sb_emit_text(emit, "form", image->form);
	sb_emit_digest(emit, "digest", &image->manifest_digest);
	sb_emit_digest(emit, "config_digest", &image->config_digest);
	sb_emit_text(emit, "platform", platform);
	sb_emit_number(emit, "size", sums->blob_bytes);
	sb_emit_number(emit, "tar_size", sums->tar_bytes);
	sb_emit_number(emit, "visible", sums->visible_bytes);
	sb_emit_number(emit, "dead_bytes", sums->dead_bytes);
	sb_emit_number(emit, "files", sums->n_files);
	sb_emit_end(emit);
}

static void emit_entry(struct sb_emit *emit, const char *key, const struct sb_file_entry *entry)
{
	char text[16];

	if (entry == NULL) {
		sb_emit_text(emit, key, NULL);
		return;
	}
	sb_emit_line_object(emit, key);
	(void)snprintf(text, sizeof(text), "%c", entry->type);
	sb_emit_text(emit, "type", text);
	(void)snprintf(text, sizeof(text), "%04o", (unsigned)entry->mode & 07777U);
	sb_emit_text(emit, "mode", text);
	sb_emit_number(emit, "uid", entry->uid);
	sb_emit_number(emit, "gid", entry->gid);
	sb_emit_number(emit, "size", entry->size_bytes);
	sb_emit_text(emit, "link", entry->link);
	sb_emit_digest(emit, "digest", &entry->digest);
	sb_emit_end(emit);
}

static void emit_file(struct sb_emit *emit, const struct sb_file_difference *file)
{
	static const char *const words[] = {
		"type", "content", "link", "device", "mode", "owner", "attributes"};

	sb_emit_object(emit, NULL);
	sb_emit_text(emit, "path", (file->after != NULL ? file->after : file->before)->path);
	sb_emit_text(emit, "change", kind_words[file->kind]);
	sb_emit_line_array(emit, "what");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((file->aspects & (1U << i)) != 0)
			sb_emit_text(emit, NULL, words[i]);
	sb_emit_end(emit);
	emit_entry(emit, "before", file->before);
	emit_entry(emit, "after", file->after);
	sb_emit_end(emit);
}

static void emit_files(struct sb_emit *emit, const struct sb_comparison *c)
{
	sb_emit_line_object(emit, "counts");
	for (int kind = 0; kind < SB_N_DIFFERENCES; kind++)
		sb_emit_number(emit, kind_words[kind], c->n_files[kind]);
	sb_emit_end(emit);
	sb_emit_array(emit, "files");
	SB_ARRAY_FOREACH (&c->files, file)
		emit_file(emit, file);
	sb_emit_end(emit);
}

static void emit_config(struct sb_emit *emit, const struct sb_comparison *c)
{
	sb_emit_array(emit, "config");
	SB_ARRAY_FOREACH (&c->config, setting) {
		const struct sb_config_item *any =
			setting->after != NULL ? setting->after : setting->before;

		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "field", any->field);
		sb_emit_text(emit, "key", any->key);
		sb_emit_text(emit, "change", kind_words[setting->kind]);
		sb_emit_text(
			emit, "before", setting->before != NULL ? setting->before->value : NULL);
		sb_emit_text(emit, "after", setting->after != NULL ? setting->after->value : NULL);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
	sb_emit_bool(emit, "other_config", c->has_other_config);
}

static void emit_layers(struct sb_emit *emit, const struct sb_comparison *c)
{
	sb_emit_array(emit, "layers");
	SB_ARRAY_FOREACH (&c->layers, pair) {
		const struct sb_layer_report *layer =
			pair->after != SIZE_MAX ? &c->after->layers.items[pair->after]
						: &c->before->layers.items[pair->before];

		sb_emit_object(emit, NULL);
		sb_emit_index(emit, "before", pair->before);
		sb_emit_index(emit, "after", pair->after);
		sb_emit_bool(emit, "repacked", pair->is_packed_differently);
		sb_emit_digest(emit, "diff_id", &layer->diff_id);
		sb_emit_digest(emit, "digest", &layer->digest);
		sb_emit_number(emit, "size", layer->size_bytes);
		sb_emit_text(emit, "created_by", layer->created_by);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

int sb_comparison_json(
	const struct sb_comparison *c, const char *const names[2], char **out, struct sb_error *err)
{
	struct sb_emit emit = {.text = SB_BUF_INIT(MAX_JSON_BYTES), .err = err};
	const char *verdict = c->unreadable.len > 0      ? "unreadable"
			      : sb_comparison_is_same(c) ? "same"
							 : "different";

	sb_emit_object(&emit, NULL);
	sb_emit_number(&emit, "schema", 1);
	sb_emit_text(&emit, "verdict", verdict);
	sb_emit_array(&emit, "images");
	emit_image(&emit, names[0], c->before, &c->sums[0]);
	emit_image(&emit, names[1], c->after, &c->sums[1]);
	sb_emit_end(&emit);
	emit_files(&emit, c);
	emit_config(&emit, c);
	emit_layers(&emit, c);
	sb_emit_lines(&emit, "unreadable", &c->unreadable);
	sb_emit_end(&emit);
	return sb_emit_finish(&emit, out);
}
