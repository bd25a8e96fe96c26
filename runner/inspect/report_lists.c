/* SPDX-License-Identifier: MIT */
#include "inspect/report_lists.h"

#include "inspect/report_words.h"

void sb_emit_secret_findings(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_array(emit, "findings");
	SB_ARRAY_FOREACH (&in->secrets, secret) {
		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "id", secret->secret_id);
		sb_emit_text(emit, "form", secret->form);
		sb_emit_text(emit, "where", secret->where);
		sb_emit_index(emit, "layer", secret->layer);
		sb_emit_text(emit, "path", secret->path);
		sb_emit_text(emit, "inside", secret->inside);
		sb_emit_number(emit, "offset", secret->offset);
		sb_emit_index(emit, "removed_layer", secret->removed_layer);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

void sb_emit_searched(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_number(emit, "bytes", in->scanned_bytes);
	sb_emit_number(emit, "unpacked_bytes", in->unpacked_bytes);
	sb_emit_number(emit, "files", in->n_files_scanned);
	sb_emit_number(emit, "blobs", in->n_blobs_scanned);
}

void sb_emit_problems(struct sb_emit *emit, const struct sb_inspection *in)
{
	sb_emit_array(emit, "problems");
	SB_ARRAY_FOREACH (&in->problems, problem) {
		sb_emit_object(emit, NULL);
		sb_emit_text(emit, "kind", sb_problem_word(problem->kind));
		sb_emit_index(emit, "layer", problem->layer);
		sb_emit_text(emit, "text", problem->text);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}

void sb_emit_gaps(struct sb_emit *emit, const char *key, const struct sb_inspection *in)
{
	sb_emit_array(emit, key);
	SB_ARRAY_FOREACH (&in->gaps, gap) {
		sb_emit_object(emit, NULL);
		sb_emit_index(emit, "layer", gap->layer);
		sb_emit_text(emit, "what", gap->what);
		sb_emit_text(emit, "why", gap->why);
		sb_emit_end(emit);
	}
	sb_emit_end(emit);
}
