/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/mem.h"
#include "inspect/report.h"
#include "inspect/report_emit.h"
#include "inspect/report_facts.h"
#include "inspect/report_lists.h"
#include "inspect/report_words.h"
#include "leak/needles.h"

/* The document, "schema": 1, is described in safebuild(1), "JSON REPORT". Later versions of the
 * same number only add keys, and words to lists of words. Lists stand in the order of the image. */

enum { MAX_JSON_BYTES = 1 << 30 /* the inspector follows fewer names than that would take */ };

static void emit_mode(struct sb_emit *emit, mode_t mode)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%04o", (unsigned)mode & 07777U);
	sb_emit_text(emit, "mode", text);
}

static void emit_image(
	struct sb_emit *emit, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	sb_autofree char *platform = sb_platform_format(&in->platform);

	sb_emit_object(emit, "image");
	sb_emit_text(emit, "form", in->form);
	sb_emit_text(emit, "name", in->name);
	sb_emit_digest(emit, "digest", &in->manifest_digest);
	sb_emit_text(emit, "platform", platform);
	sb_emit_text(emit, "user", in->user);
	sb_emit_bool(emit, "runs_as_root", in->runs_as_root);
	sb_emit_number(emit, "size", sums->blob_bytes);
	sb_emit_number(emit, "tar_size", sums->tar_bytes);
	sb_emit_number(emit, "visible", in->visible_bytes);
	sb_emit_end(emit);
}

static void emit_verdict(struct sb_emit *emit, const struct sb_inspection *in,
	const struct sb_findings *findings, const struct sb_report_sums *sums)
{
	sb_autofree char *text = sb_report_verdict_text(in, findings);

	sb_emit_object(emit, "verdict");
	sb_emit_text(emit, "word", sb_verdict_word(sb_report_verdict(in, findings)));
	sb_emit_text(emit, "text", text);
	sb_emit_end(emit);
	sb_emit_object(emit, "counts");
	for (int level = SB_LEVEL_ERROR; level >= SB_LEVEL_NOTE; level--)
		sb_emit_number(
			emit, sb_level_word((enum sb_finding_level)level), sums->n_of_level[level]);
	sb_emit_number(emit, "waived", sums->n_waived);
	sb_emit_end(emit);
}

static void emit_instruction(
	struct sb_emit *emit, const char *key, const struct sb_inspection *in, size_t layer)
{
	sb_emit_text(emit, key, layer < in->layers.len ? in->layers.items[layer].created_by : NULL);
}

static void emit_finding(
	struct sb_emit *emit, const struct sb_inspection *in, const struct sb_finding *finding)
{
	sb_autofree char *place = sb_finding_place(finding);

	sb_emit_object(emit, NULL);
	sb_emit_text(emit, "rule", finding->rule->id);
	sb_emit_text(emit, "level", sb_level_word(finding->level));
	sb_emit_text(emit, "title", finding->rule->title);
	sb_emit_text(emit, "message", finding->message);
	sb_emit_text(emit, "why", finding->rule->why);
	sb_emit_text(emit, "fix", finding->rule->fix);
	sb_emit_text(emit, "place", place);
	sb_emit_index(emit, "layer", finding->layer);
	sb_emit_text(emit, "path", finding->path);
	emit_instruction(emit, "instruction", in, finding->layer);
	sb_emit_index(emit, "removed_layer", finding->removed_layer);
	emit_instruction(emit, "removed_by", in, finding->removed_layer);
	sb_emit_text(emit, "fingerprint", finding->fingerprint);
	sb_emit_text(emit, "waived_by", finding->waived_by);
	sb_emit_end(emit);
}

static void emit_findings(
	struct sb_emit *emit, const struct sb_inspection *in, const struct sb_findings *findings)
{
	sb_emit_array(emit, "findings");
	SB_ARRAY_FOREACH (findings, finding)
		emit_finding(emit, in, finding);
	sb_emit_end(emit);
}

static void emit_file(struct sb_emit *emit, const struct sb_file_entry *file)
{
	const char type[2] = {file->type, '\0'};

	sb_emit_line_object(emit, NULL);
	sb_emit_text(emit, "path", file->path);
	sb_emit_text(emit, "type", type);
	sb_emit_text(emit, "change", sb_change_word(file->change));
	sb_emit_bool(emit, "metadata_only", file->is_metadata_only);
	emit_mode(emit, file->mode);
	sb_emit_number(emit, "uid", file->uid);
	sb_emit_number(emit, "gid", file->gid);
	sb_emit_number(emit, "size", file->size_bytes);
	sb_emit_text(emit, "link", file->link);
	sb_emit_digest(emit, "digest", &file->digest);
	sb_emit_bool(emit, "visible", file->is_visible);
	sb_emit_end(emit);
}

static void emit_layer(struct sb_emit *emit, size_t index, const struct sb_layer_report *layer)
{
	sb_emit_object(emit, NULL);
	sb_emit_number(emit, "index", index);
	sb_emit_digest(emit, "digest", &layer->digest);
	sb_emit_digest(emit, "diff_id", &layer->diff_id);
	sb_emit_text(emit, "media_type", layer->media_type);
	sb_emit_number(emit, "size", layer->size_bytes);
	sb_emit_number(emit, "tar_size", layer->tar_bytes);
	sb_emit_number(emit, "payload", layer->payload_bytes);
	sb_emit_number(emit, "dead_bytes", layer->dead_bytes);
	sb_emit_number(emit, "entries", layer->n_entries);
	sb_emit_number(emit, "whiteouts", layer->n_whiteouts);
	sb_emit_text(emit, "created_by", layer->created_by);
	sb_emit_bool(emit, "foreign", layer->is_foreign);
	sb_emit_array(emit, "files");
	SB_ARRAY_FOREACH (&layer->entries, file)
		emit_file(emit, file);
	sb_emit_end(emit);
	sb_emit_end(emit);
}

static void emit_layers(struct sb_emit *emit, const struct sb_inspection *in)
{
	size_t index = 0;

	sb_emit_array(emit, "layers");
	SB_ARRAY_FOREACH (&in->layers, layer)
		emit_layer(emit, index++, layer);
	sb_emit_end(emit);
}

static void emit_causes(struct sb_emit *emit, const struct sb_inspection *in)
{
	struct sb_dead_causes causes = {0};

	sb_report_causes(in, &causes);
	sb_emit_array(emit, "dead_causes");
	SB_ARRAY_FOREACH (&causes, cause) {
		sb_emit_line_object(emit, NULL);
		sb_emit_text(emit, "cause", cause->cause);
		sb_emit_number(emit, "files", cause->n_files);
		sb_emit_number(emit, "bytes", cause->bytes);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
	SB_ARRAY_RELEASE(&causes);
}

static void emit_dead(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_array(emit, "dead");
	SB_ARRAY_FOREACH (&in->dead, file) {
		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "path", file->path);
		sb_emit_number(emit, "size", file->size_bytes);
		sb_emit_digest(emit, "digest", &file->digest);
		sb_emit_text(emit, "cause", file->cause);
		sb_emit_number(emit, "added_layer", file->added_layer);
		sb_emit_number(emit, "removed_layer", file->removed_layer);
		sb_emit_bool(emit, "visible_elsewhere", file->is_visible_elsewhere);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

static void emit_secrets(struct sb_emit *emit, const struct sb_inspection *in)
{
	SB_AUTO_STRV forms = SB_STRV_INIT;

	sb_needle_form_names(&forms);
	sb_emit_object(emit, "secrets");
	sb_emit_number(emit, "searched", in->n_secrets_searched);
	sb_emit_lines(emit, "ids", &in->secret_ids);
	sb_emit_lines(emit, "forms", &forms);
	sb_emit_number(emit, "scanned_bytes", in->scanned_bytes);
	sb_emit_secret_findings(emit, in);
	sb_emit_end(emit);
}

static void emit_patterns(struct sb_emit *emit, const struct sb_inspection *in)
{
	static const char *const severities[] = {"note", "warning", "error"};

	sb_emit_array(emit, "patterns");
	SB_ARRAY_FOREACH (&in->patterns, pattern) {
		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "rule", pattern->rule->id);
		sb_emit_text(emit, "title", pattern->rule->title);
		sb_emit_text(emit, "severity", severities[pattern->rule->severity]);
		sb_emit_text(emit, "shown", pattern->shown);
		sb_emit_text(emit, "where", pattern->where);
		sb_emit_index(emit, "layer", pattern->layer);
		sb_emit_text(emit, "path", pattern->path);
		sb_emit_text(emit, "inside", pattern->inside);
		sb_emit_number(emit, "offset", pattern->offset);
		sb_emit_number(emit, "line", pattern->line);
		sb_emit_number(emit, "more", pattern->n_more);
		sb_emit_index(emit, "removed_layer", pattern->removed_layer);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

static void emit_hardening(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_array(emit, "caches");
	SB_ARRAY_FOREACH (&in->caches, cache) {
		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "manager", cache->manager);
		sb_emit_text(emit, "path", cache->path);
		sb_emit_index(emit, "layer", cache->layer);
		sb_emit_number(emit, "files", cache->n_files);
		sb_emit_number(emit, "live_bytes", cache->live_bytes);
		sb_emit_number(emit, "dead_bytes", cache->dead_bytes);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
	sb_emit_array(emit, "privileged");
	SB_ARRAY_FOREACH (&in->privileged, file) {
		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "path", file->path);
		sb_emit_index(emit, "layer", file->layer);
		emit_mode(emit, file->mode);
		sb_emit_number(emit, "uid", file->uid);
		sb_emit_number(emit, "gid", file->gid);
		sb_emit_text(emit, "capabilities", file->capabilities);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
	sb_emit_lines(emit, "shells", &in->shells);
	sb_emit_lines(emit, "package_managers", &in->package_managers);
}

static void emit_searched(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_object(emit, "searched");
	sb_emit_searched(emit, in);
	sb_emit_end(emit);
}

int sb_inspection_json(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err)
{
	struct sb_emit emit = {.text = SB_BUF_INIT(MAX_JSON_BYTES), .err = err};
	const struct sb_report_sums sums = sb_report_sums(inspection, findings);

	sb_emit_object(&emit, NULL);
	sb_emit_number(&emit, "schema", 1);
	emit_image(&emit, inspection, &sums);
	emit_verdict(&emit, inspection, findings, &sums);
	emit_findings(&emit, inspection, findings);
	emit_layers(&emit, inspection);
	sb_emit_number(&emit, "dead_bytes", sums.dead_bytes);
	emit_causes(&emit, inspection);
	emit_dead(&emit, inspection);
	emit_secrets(&emit, inspection);
	emit_patterns(&emit, inspection);
	emit_hardening(&emit, inspection);
	emit_searched(&emit, inspection);
	sb_emit_problems(&emit, inspection);
	sb_emit_gaps(&emit, "not_scanned", inspection);
	sb_emit_end(&emit);
	return sb_emit_finish(&emit, out);
}
