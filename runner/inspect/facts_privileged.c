/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "base/mem.h"
#include "inspect/facts.h"

/* They come in the order of the entries: *at is where the search goes on. */
static const char *caps_of(const struct sb_inspector *in, size_t layer, size_t entry, size_t *at)
{
	for (; *at < in->caps.len; ++*at) {
		const struct sb_entry_caps *caps = &in->caps.items[*at];

		if (caps->layer == layer && caps->entry == entry)
			return caps->names;
		if (caps->layer > layer || (caps->layer == layer && caps->entry > entry))
			return NULL;
	}
	return NULL;
}

void sb_facts_add_privileged(struct sb_inspector *in)
{
	struct sb_inspection *report = in->report;
	size_t at = 0;

	for (size_t i = 0; i < report->layers.len; i++) {
		for (size_t k = 0; k < report->layers.items[i].entries.len; k++) {
			const struct sb_file_entry *entry =
				&report->layers.items[i].entries.items[k];
			const char *caps = NULL;

			if (!entry->is_visible || entry->type != '-')
				continue;
			caps = caps_of(in, i, k, &at);
			if ((entry->mode & (S_ISUID | S_ISGID)) == 0 && caps == NULL)
				continue;
			*SB_ARRAY_ADD(&report->privileged) = (struct sb_privileged_file){
				.path = sb_strdup(entry->path),
				.layer = i,
				.mode = entry->mode,
				.uid = entry->uid,
				.gid = entry->gid,
				.capabilities = sb_strdup_or_null(caps),
			};
		}
	}
}
