/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/facts.h"

static struct sb_file_entry *entry_at(struct sb_inspection *report, uint32_t layer, uint32_t entry)
{
	return &report->layers.items[layer].entries.items[entry];
}

static void mark_visible(void *self, const struct sb_name *name)
{
	if (name->entry != SB_NO_ENTRY)
		entry_at(self, name->layer, name->entry)->is_visible = true;
}

/* What the file system never took in: a link to itself. */
static void end_unseen(struct sb_inspection *report)
{
	for (size_t i = 0; i < report->layers.len; i++)
		SB_ARRAY_FOREACH (&report->layers.items[i].entries, entry)
			if (!entry->is_visible && entry->gone_layer == SB_NEVER_GONE)
				entry->gone_layer = (uint32_t)i;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The digests of all that is visible, in order. */
static const char **visible_digests(struct sb_inspector *in, size_t *out_n)
{
	const size_t n = sb_filesystem_count(in->fs);
	const char **digests = sb_calloc(n + 1, sizeof(digests[0]));

	*out_n = 0;
	for (size_t i = 0; i < n; i++) {
		const struct sb_content *content = sb_filesystem_content(in->fs, i);
		const struct sb_file_entry *entry =
			entry_at(in->report, content->added_layer, content->entry);

		if (content->cause == NULL && sb_digest_is_set(&entry->digest))
			digests[(*out_n)++] = entry->digest.text;
	}
	qsort(digests, *out_n, sizeof(digests[0]), by_text);
	return digests;
}

static void add_dead(struct sb_inspector *in, const struct sb_content *content,
	const char *const *visible, size_t n_visible)
{
	const struct sb_file_entry *entry =
		entry_at(in->report, content->added_layer, content->entry);
	const char *digest = entry->digest.text;

	in->report->layers.items[content->added_layer].dead_bytes += content->size_bytes;
	*SB_ARRAY_ADD(&in->report->dead) = (struct sb_dead_file){
		.path = sb_strdup(entry->path),
		.added_layer = content->added_layer,
		.removed_layer = content->removed_layer,
		.cause = content->cause,
		.size_bytes = content->size_bytes,
		.digest = entry->digest,
		.is_visible_elsewhere =
			sb_digest_is_set(&entry->digest) &&
			bsearch(&digest, visible, n_visible, sizeof(visible[0]), by_text) != NULL,
	};
}

static size_t removed_layer_of(const struct sb_inspector *in, size_t number)
{
	const struct sb_content *content =
		number != SB_NO_CONTENT ? sb_filesystem_content(in->fs, number) : NULL;

	return content != NULL && content->cause != NULL ? content->removed_layer : SIZE_MAX;
}

/* What was found in a file that is dead by now. */
static void mark_finds(struct sb_inspector *in)
{
	for (size_t i = 0; i < in->secret_contents.len; i++)
		in->report->secrets.items[i].removed_layer =
			removed_layer_of(in, in->secret_contents.items[i]);
	for (size_t i = 0; i < in->pattern_contents.len; i++)
		in->report->patterns.items[i].removed_layer =
			removed_layer_of(in, in->pattern_contents.items[i]);
}

void sb_facts_add_visible(struct sb_inspector *in)
{
	size_t n_visible = 0;
	sb_autofree const char **visible = visible_digests(in, &n_visible);

	sb_filesystem_each(in->fs, mark_visible, in->report);
	end_unseen(in->report);
	for (size_t i = 0; i < sb_filesystem_count(in->fs); i++) {
		const struct sb_content *content = sb_filesystem_content(in->fs, i);

		if (content->cause == NULL)
			in->report->visible_bytes += content->size_bytes;
		else if (content->size_bytes > 0) /* an empty one has nothing left to read */
			add_dead(in, content, visible, n_visible);
	}
	mark_finds(in);
}
