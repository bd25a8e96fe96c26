/* SPDX-License-Identifier: MIT */
#include "inspect/inspector.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "leak/redact.h"

struct sb_inspector *sb_inspector_new(const struct sb_secrets *secrets)
{
	struct sb_inspector *in = SB_NEW(struct sb_inspector);

	in->report = SB_NEW(struct sb_inspection);
	in->fs = sb_filesystem_new();
	in->blob_scanner = sb_scanner_new(secrets);
	in->tar_scanner = sb_scanner_new(secrets);
	in->value_scanner = sb_scanner_new(secrets);
	in->passwd = (struct sb_buf)SB_BUF_INIT(SB_MAX_PASSWD);
	in->passwd_content = SIZE_MAX;
	for (size_t i = 0; secrets != NULL && i < sb_secrets_count(secrets); i++) {
		const struct sb_secret *secret = sb_secrets_at(secrets, i);

		sb_strv_add(&in->report->secret_ids, secret->id);
		if (sb_secret_strength(secret) != SB_SECRET_UNSEARCHABLE)
			in->report->n_secrets_searched++;
		else
			sb_strv_addf(&in->report->not_scanned,
				"secret '%s': too short to search for (under 4 bytes)", secret->id);
		if (sb_secret_strength(secret) == SB_SECRET_WEAK)
			sb_strv_addf(&in->report->not_scanned,
				"secret '%s': under 8 bytes, so searched for as a whole word only, "
				"not in encoded forms",
				secret->id);
	}
	return in;
}

void sb_inspector_free(struct sb_inspector *in)
{
	if (in == NULL)
		return;
	sb_inspection_free(in->report);
	sb_filesystem_free(in->fs);
	sb_scanner_free(in->blob_scanner);
	sb_scanner_free(in->tar_scanner);
	sb_scanner_free(in->value_scanner);
	sb_search_release(&in->blob_search);
	sb_search_release(&in->tar_search);
	sb_search_release(&in->value_search);
	sb_buf_release(&in->passwd);
	free(in);
}

/* An attribute that an archive holds in two spellings is read twice. */
static bool is_last_finding(
	const struct sb_inspector *in, const struct sb_leak *leak, const char *where)
{
	const struct sb_inspection *report = in->report;

	if (report->secrets.len == 0)
		return false;

	const struct sb_secret_finding *last = &report->secrets.items[report->secrets.len - 1];

	return last->offset == leak->offset && strcmp(last->where, where) == 0 &&
	       strcmp(last->secret_id, leak->secret_id) == 0;
}

void sb_inspector_add_finding(
	struct sb_inspector *in, const struct sb_leak *leak, size_t layer, const char *where)
{
	if (is_last_finding(in, leak, where))
		return;
	*SB_ARRAY_ADD(&in->report->secrets) = (struct sb_secret_finding){
		.secret_id = sb_strdup(leak->secret_id),
		.form = leak->form,
		.where = sb_strdup(where),
		.layer = layer,
		.offset = leak->offset,
	};
}

bool sb_inspector_search(
	struct sb_inspector *in, const void *bytes, size_t len, size_t layer, const char *where)
{
	struct sb_search *search = &in->value_search;

	sb_search_begin(search, in->value_scanner);
	sb_search_feed(search, bytes, len);
	sb_search_end(search);
	for (size_t i = 0; i < search->hits.len; i++)
		if (!sb_search_is_repeated(search, i))
			sb_inspector_add_finding(in, &search->hits.items[i], layer, where);
	return search->hits.len > 0;
}

static void list_dead(struct sb_inspector *in)
{
	for (size_t i = 0; i < sb_filesystem_count(in->fs); i++) {
		const struct sb_content *content = sb_filesystem_content(in->fs, i);

		/* An empty file has nothing left to read. */
		if (!content->is_dead || content->size_bytes == 0)
			continue;
		if (content->added_layer < in->report->layers.len)
			in->report->layers.items[content->added_layer].dead_bytes +=
				content->size_bytes;
		*SB_ARRAY_ADD(&in->report->dead) = (struct sb_dead_file){
			.path = sb_strdup(content->path),
			.added_layer = content->added_layer,
			.removed_layer = content->removed_layer,
			.cause = content->cause,
			.size_bytes = content->size_bytes,
			.digest = content->digest,
		};
	}
}

static void redact(struct sb_redactor *redactor, char **text)
{
	char *clean = sb_redactor_text(redactor, *text);

	free(*text);
	*text = clean;
}

static void redact_list(struct sb_redactor *redactor, struct sb_strv *list)
{
	for (size_t i = 0; i < list->len; i++)
		redact(redactor, &list->items[i]);
}

static void redact_report(struct sb_inspection *report, const struct sb_secrets *secrets)
{
	if (secrets == NULL)
		return;

	SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);

	redact(redactor, &report->name);
	redact(redactor, &report->user);
	SB_ARRAY_FOREACH (&report->layers, layer) {
		redact(redactor, &layer->media_type);
		redact(redactor, &layer->created_by);
	}
	SB_ARRAY_FOREACH (&report->dead, file)
		redact(redactor, &file->path);
	SB_ARRAY_FOREACH (&report->secrets, finding)
		redact(redactor, &finding->where);
	redact_list(redactor, &report->problems);
	redact_list(redactor, &report->not_scanned);
}

struct sb_inspection *sb_inspector_take(struct sb_inspector *in, const struct sb_secrets *secrets)
{
	list_dead(in);
	redact_report(in->report, secrets);
	return SB_STEAL(in->report);
}

void sb_inspection_free(struct sb_inspection *inspection)
{
	if (inspection == NULL)
		return;
	free(inspection->form);
	free(inspection->name);
	free(inspection->user);
	SB_ARRAY_FOREACH (&inspection->layers, layer) {
		free(layer->media_type);
		free(layer->created_by);
	}
	SB_ARRAY_RELEASE(&inspection->layers);
	SB_ARRAY_FOREACH (&inspection->dead, file)
		free(file->path);
	SB_ARRAY_RELEASE(&inspection->dead);
	SB_ARRAY_FOREACH (&inspection->secrets, finding) {
		free(finding->secret_id);
		free(finding->where);
	}
	SB_ARRAY_RELEASE(&inspection->secrets);
	sb_strv_release(&inspection->problems);
	sb_strv_release(&inspection->not_scanned);
	sb_strv_release(&inspection->secret_ids);
	free(inspection);
}
