/* SPDX-License-Identifier: MIT */
#include "inspect/inspector.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "inspect/capabilities.h"
#include "inspect/clean.h"
#include "inspect/facts.h"
#include "inspect/notes.h"

static void note_secret(struct sb_inspection *report, const struct sb_secret *secret)
{
	sb_autofree char *what = sb_asprintf("secret '%s'", secret->id);

	sb_strv_add(&report->secret_ids, secret->id);
	if (sb_secret_strength(secret) != SB_SECRET_UNSEARCHABLE)
		report->n_secrets_searched++;
	else
		sb_report_gap(report, SIZE_MAX, what, "too short or too common to search for");
	if (sb_secret_strength(secret) == SB_SECRET_WEAK)
		sb_report_gap(report, SIZE_MAX, what,
			"short or of one pattern, so searched for as a whole word only, not in "
			"encoded forms");
}

static void id_file_init(struct sb_id_file *file)
{
	file->text = (struct sb_buf)SB_BUF_INIT(SB_MAX_PASSWD);
	file->content = SB_NO_CONTENT;
}

static void note_gone(void *self, const struct sb_name *name, size_t layer)
{
	struct sb_inspection *report = self;

	report->layers.items[name->layer].entries.items[name->entry].gone_layer = (uint32_t)layer;
}

static void insert_numbers(struct sb_numbers *contents, size_t at, size_t n, size_t content)
{
	if (n == 0)
		return;
	while (contents->len < at)
		*SB_ARRAY_ADD(contents) = SB_NO_CONTENT;
	for (size_t i = 0; i < n; i++)
		*SB_ARRAY_ADD(contents) = content;
	memmove(contents->items + at + n, contents->items + at,
		(contents->len - n - at) * sizeof(contents->items[0]));
	for (size_t i = 0; i < n; i++)
		contents->items[at + i] = content;
}

static void on_inserted(void *self, const struct sb_report_place *at,
	const struct sb_report_place *n, size_t content)
{
	struct sb_inspector *in = self;

	insert_numbers(&in->secret_contents, at->secret, n->secret, content);
	insert_numbers(&in->pattern_contents, at->pattern, n->pattern, content);
}

static struct sb_inspector *new_inspector(const struct sb_secrets *secrets, bool has_patterns)
{
	struct sb_inspector *in = SB_NEW(struct sb_inspector);

	in->report = SB_NEW(struct sb_inspection);
	in->fs = sb_filesystem_new();
	sb_filesystem_on_gone(in->fs, note_gone, in->report);
	in->blob_scanner = sb_scanner_new(secrets);
	id_file_init(&in->passwd);
	id_file_init(&in->group);
	for (size_t i = 0; secrets != NULL && i < sb_secrets_count(secrets); i++)
		note_secret(in->report, sb_secrets_at(secrets, i));
	in->sweep = has_patterns ? sb_sweep_new(in->report, in->blob_scanner)
				 : sb_sweep_new_known_only(in->report, in->blob_scanner);
	in->contents = sb_contents_new(in->report, in->blob_scanner, in->sweep, on_inserted, in);
	return in;
}

struct sb_inspector *sb_inspector_new(const struct sb_secrets *secrets)
{
	return new_inspector(secrets, true);
}

struct sb_inspector *sb_inspector_new_known_only(const struct sb_secrets *secrets)
{
	return new_inspector(secrets, false);
}

void sb_inspector_free(struct sb_inspector *in)
{
	if (in == NULL)
		return;
	sb_contents_free(in->contents);
	sb_inspection_free(in->report);
	sb_filesystem_free(in->fs);
	sb_sweep_free(in->sweep);
	sb_scanner_free(in->blob_scanner);
	sb_search_release(&in->blob_search);
	sb_buf_release(&in->passwd.text);
	sb_buf_release(&in->group.text);
	SB_ARRAY_FOREACH (&in->caps, caps)
		free(caps->names);
	SB_ARRAY_RELEASE(&in->caps);
	SB_ARRAY_RELEASE(&in->secret_contents);
	SB_ARRAY_RELEASE(&in->pattern_contents);
	free(in);
}

void sb_inspector_add_capabilities(
	struct sb_inspector *in, size_t layer, uint32_t entry, const void *value, size_t len)
{
	char *names = sb_capabilities_text(value, len);

	if (names != NULL)
		*SB_ARRAY_ADD(&in->caps) = (struct sb_entry_caps){
			.layer = (uint32_t)layer, .entry = entry, .names = names};
}

static void fill_up(struct sb_numbers *contents, size_t n_before, size_t n, size_t content)
{
	if (n == n_before)
		return;
	while (contents->len < n_before)
		*SB_ARRAY_ADD(contents) = SB_NO_CONTENT;
	while (contents->len < n)
		*SB_ARRAY_ADD(contents) = content;
}

void sb_inspector_set_contents(
	struct sb_inspector *in, size_t n_secrets, size_t n_patterns, size_t content)
{
	fill_up(&in->secret_contents, n_secrets, in->report->secrets.len, content);
	fill_up(&in->pattern_contents, n_patterns, in->report->patterns.len, content);
}

struct sb_inspection *sb_inspector_take(struct sb_inspector *in, const struct sb_secrets *secrets)
{
	sb_facts_add_visible(in);
	sb_facts_add_caches(in);
	sb_facts_add_privileged(in);
	sb_facts_add_programs(in);
	sb_inspection_clean(in->report, secrets, in->sweep, in->has_found_in_names);
	return SB_STEAL(in->report);
}
