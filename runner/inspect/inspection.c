/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "inspect/inspect.h"

static void free_layer(struct sb_layer_report *layer)
{
	free(layer->media_type);
	free(layer->created_by);
	SB_ARRAY_FOREACH (&layer->entries, entry) {
		free(entry->path);
		free(entry->link);
	}
	SB_ARRAY_RELEASE(&layer->entries);
}

static void free_findings(struct sb_inspection *inspection)
{
	SB_ARRAY_FOREACH (&inspection->secrets, finding) {
		free(finding->secret_id);
		free(finding->where);
		free(finding->path);
		free(finding->inside);
	}
	SB_ARRAY_RELEASE(&inspection->secrets);
	SB_ARRAY_FOREACH (&inspection->patterns, finding) {
		free(finding->where);
		free(finding->path);
		free(finding->inside);
	}
	SB_ARRAY_RELEASE(&inspection->patterns);
	SB_ARRAY_FOREACH (&inspection->problems, problem)
		free(problem->text);
	SB_ARRAY_RELEASE(&inspection->problems);
	SB_ARRAY_FOREACH (&inspection->gaps, gap) {
		free(gap->what);
		free(gap->why);
	}
	SB_ARRAY_RELEASE(&inspection->gaps);
}

static void free_files(struct sb_inspection *inspection)
{
	SB_ARRAY_FOREACH (&inspection->dead, file)
		free(file->path);
	SB_ARRAY_RELEASE(&inspection->dead);
	SB_ARRAY_FOREACH (&inspection->caches, cache)
		free(cache->path);
	SB_ARRAY_RELEASE(&inspection->caches);
	SB_ARRAY_FOREACH (&inspection->privileged, file) {
		free(file->path);
		free(file->capabilities);
	}
	SB_ARRAY_RELEASE(&inspection->privileged);
	sb_strv_release(&inspection->shells);
	sb_strv_release(&inspection->package_managers);
}

bool sb_inspection_is_broken(const struct sb_inspection *inspection)
{
	SB_ARRAY_FOREACH (&inspection->problems, problem)
		if (problem->kind != SB_PROBLEM_OTHER)
			return true;
	return false;
}

void sb_inspection_free(struct sb_inspection *inspection)
{
	if (inspection == NULL)
		return;
	free(inspection->form);
	free(inspection->name);
	free(inspection->user);
	SB_ARRAY_FOREACH (&inspection->layers, layer)
		free_layer(layer);
	SB_ARRAY_RELEASE(&inspection->layers);
	free_findings(inspection);
	free_files(inspection);
	sb_strv_release(&inspection->secret_ids);
	SB_ARRAY_FOREACH (&inspection->config, item) {
		free(item->key);
		free(item->value);
	}
	SB_ARRAY_RELEASE(&inspection->config);
	free(inspection);
}
