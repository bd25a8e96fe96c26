/* SPDX-License-Identifier: MIT */
#include "inspect/verification.h"

#include "base/mem.h"
#include "inspect/report_lists.h"
#include "leak/needles.h"

/*
 * The document, "schema": 1. Later versions of the same number only add keys and words. Sizes are
 *in bytes, layers count from 0.
 *
 *	schema          1
 *	tool            "safebuild 0.1.0"
 *	result          clean | partial | leak | broken
 *	image           {digest, config, platform}
 *	secrets[]       {id, search: "every form" | "whole token" | "none"}
 *	forms[]         those that "every form" stands for
 *	searched        {bytes (as unpacked from the layers, and the config), unpacked_bytes (of
 *	                archives in files), files, blobs, layers[]}
 *	layers[]        {digest, diff_id, bytes, entries}
 *	findings[]      {id, form, where, layer, path, inside, offset, removed_layer}
 *	not_searched[]  {layer, what, why}
 *	problems[]      {kind, layer, text}
 */
enum { MAX_JSON_BYTES = 64 << 20 };

enum sb_verification_result sb_verification_result(const struct sb_inspection *inspection)
{
	if (inspection->secrets.len > 0)
		return SB_VERIFIED_LEAK;
	if (sb_inspection_is_broken(inspection))
		return SB_VERIFIED_BROKEN;
	return inspection->gaps.len > 0 ? SB_VERIFIED_IN_PART : SB_VERIFIED_CLEAN;
}

const char *sb_verification_word(enum sb_verification_result result)
{
	static const char *const words[] = {
		[SB_VERIFIED_CLEAN] = "clean",
		[SB_VERIFIED_IN_PART] = "partial",
		[SB_VERIFIED_LEAK] = "leak",
		[SB_VERIFIED_BROKEN] = "broken",
	};

	return words[result];
}

static void emit_image(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_autofree char *platform = sb_platform_format(&in->platform);

	sb_emit_line_object(emit, "image");
	sb_emit_digest(emit, "digest", &in->manifest_digest);
	sb_emit_digest(emit, "config", &in->config_digest);
	sb_emit_text(emit, "platform", platform);
	sb_emit_end(emit);
}

static void emit_secrets(struct sb_emit *emit, const struct sb_secrets *secrets)
{
	static const char *const searches[] = {
		[SB_SECRET_UNSEARCHABLE] = "none",
		[SB_SECRET_WEAK] = "whole token",
		[SB_SECRET_STRONG] = "every form",
	};
	SB_AUTO_STRV forms = SB_STRV_INIT;

	sb_needle_form_names(&forms);
	sb_emit_array(emit, "secrets");
	for (size_t i = 0; secrets != NULL && i < sb_secrets_count(secrets); i++) {
		const struct sb_secret *secret = sb_secrets_at(secrets, i);

		sb_emit_line_object(emit, NULL);
		sb_emit_text(emit, "id", secret->id);
		sb_emit_text(emit, "search", searches[sb_secret_strength(secret)]);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
	sb_emit_lines(emit, "forms", &forms);
}

static void emit_searched(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_object(emit, "searched");
	sb_emit_searched(emit, in);
	sb_emit_array(emit, "layers");
	SB_ARRAY_FOREACH (&in->layers, layer) {
		sb_emit_line_object(emit, NULL);
		sb_emit_digest(emit, "digest", &layer->digest);
		sb_emit_digest(emit, "diff_id", &layer->diff_id);
		sb_emit_number(emit, "bytes", layer->tar_bytes);
		sb_emit_number(emit, "entries", layer->n_entries);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
	sb_emit_end(emit);
}

int sb_verification_json(const struct sb_inspection *inspection, const struct sb_secrets *secrets,
	const char *tool, char **out, struct sb_error *err)
{
	struct sb_emit emit = {.text = SB_BUF_INIT(MAX_JSON_BYTES), .err = err};

	sb_emit_object(&emit, NULL);
	sb_emit_number(&emit, "schema", 1);
	sb_emit_text(&emit, "tool", tool);
	sb_emit_text(&emit, "result", sb_verification_word(sb_verification_result(inspection)));
	emit_image(&emit, inspection);
	emit_secrets(&emit, secrets);
	emit_searched(&emit, inspection);
	sb_emit_secret_findings(&emit, inspection);
	sb_emit_gaps(&emit, "not_searched", inspection);
	sb_emit_problems(&emit, inspection);
	sb_emit_end(&emit);
	return sb_emit_finish(&emit, out);
}
