/* SPDX-License-Identifier: MIT */
#include "inspect/clean.h"

#include <stdlib.h>

#include "leak/redact.h"

struct cleaner {
	struct sb_redactor *redactor; /* NULL: no secret is known */
	struct sb_sweep *sweep;       /* NULL: no patterns */
};

static void clean(const struct cleaner *cleaner, char **text)
{
	char *cleaned = NULL;

	if (*text == NULL)
		return;
	if (cleaner->sweep != NULL && (cleaned = sb_sweep_mask(cleaner->sweep, *text)) != NULL) {
		free(*text);
		*text = cleaned;
	}
	if (cleaner->redactor != NULL) {
		cleaned = sb_redactor_text(cleaner->redactor, *text);
		free(*text);
		*text = cleaned;
	}
}

static void clean_list(const struct cleaner *cleaner, struct sb_strv *list)
{
	for (size_t i = 0; i < list->len; i++)
		clean(cleaner, &list->items[i]);
}

/* Names of files, of which there are many. */
static void clean_names(const struct cleaner *cleaner, struct sb_inspection *report)
{
	SB_ARRAY_FOREACH (&report->layers, layer) {
		SB_ARRAY_FOREACH (&layer->entries, entry) {
			clean(cleaner, &entry->path);
			clean(cleaner, &entry->link);
		}
	}
	SB_ARRAY_FOREACH (&report->dead, file)
		clean(cleaner, &file->path);
	SB_ARRAY_FOREACH (&report->caches, cache)
		clean(cleaner, &cache->path);
	SB_ARRAY_FOREACH (&report->privileged, file)
		clean(cleaner, &file->path);
	clean_list(cleaner, &report->shells);
	clean_list(cleaner, &report->package_managers);
}

static void clean_findings(const struct cleaner *cleaner, struct sb_inspection *report)
{
	SB_ARRAY_FOREACH (&report->secrets, finding) {
		clean(cleaner, &finding->where);
		clean(cleaner, &finding->path);
		clean(cleaner, &finding->inside);
	}
	SB_ARRAY_FOREACH (&report->patterns, finding) {
		clean(cleaner, &finding->where);
		clean(cleaner, &finding->path);
		clean(cleaner, &finding->inside);
	}
}

static void clean_rest(const struct cleaner *cleaner, struct sb_inspection *report)
{
	clean(cleaner, &report->name);
	clean(cleaner, &report->user);
	SB_ARRAY_FOREACH (&report->config, item) {
		clean(cleaner, &item->key);
		clean(cleaner, &item->value);
	}
	SB_ARRAY_FOREACH (&report->layers, layer) {
		clean(cleaner, &layer->media_type);
		clean(cleaner, &layer->created_by);
	}
	SB_ARRAY_FOREACH (&report->problems, problem)
		clean(cleaner, &problem->text);
	SB_ARRAY_FOREACH (&report->gaps, gap) {
		clean(cleaner, &gap->what);
		clean(cleaner, &gap->why);
	}
}

void sb_inspection_clean(struct sb_inspection *report, const struct sb_secrets *secrets,
	struct sb_sweep *sweep, bool with_names)
{
	SB_AUTO(sb_redactor) redactor = secrets != NULL ? sb_redactor_new(secrets) : NULL;
	const struct cleaner of_all = {.redactor = redactor, .sweep = sweep};
	const struct cleaner of_names = {.redactor = redactor, .sweep = with_names ? sweep : NULL};

	clean_names(&of_names, report);
	clean_findings(&of_all, report);
	clean_rest(&of_all, report);
}
