/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "inspect/inspector.h"
#include "inspect/notes.h"
#include "inspect/user.h"
#include "oci/image_files.h"

const char *sb_layer_instruction(const struct sb_image_config *config, size_t i, size_t n)
{
	const char *found = NULL;
	size_t layer = 0;

	SB_ARRAY_FOREACH (&config->history, entry) {
		if (entry->is_empty_layer)
			continue;
		if (layer == i)
			found = entry->created_by;
		layer++;
	}
	/* A history that does not have one entry a layer would name the wrong one. */
	return layer == n ? found : NULL;
}

static void search_text(struct sb_inspector *in, const char *where, const char *text)
{
	const struct sb_place place = {.layer = SIZE_MAX, .where = where};

	if (text != NULL)
		(void)sb_sweep_value(in->sweep, &place, NULL, text, strlen(text));
}

static void search_list(struct sb_inspector *in, const char *where, const struct sb_strv *list)
{
	for (size_t i = 0; i < list->len; i++)
		search_text(in, where, list->items[i]);
}

/* Of "NAME=value" the patterns take the name as a hint; a known secret may be in either. */
static void search_pairs(
	struct sb_inspector *in, const char *where, const char *kind, const struct sb_strv *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const char *pair = list->items[i];
		const size_t n = strcspn(pair, "=");
		const char *value = pair[n] == '=' ? pair + n + 1 : pair + n;
		sb_autofree char *name = sb_asprintf("%s %.*s", kind, (int)n, pair);
		sb_autofree char *which = sb_asprintf("%s %.*s", where, (int)n, pair);
		const struct sb_place place = {.layer = SIZE_MAX, .where = which};

		(void)sb_sweep_value(in->sweep, &place, name, value, strlen(value));
		(void)sb_sweep_raw(in->sweep, &place, 0, pair, strlen(pair));
	}
}

static void search_history(struct sb_inspector *in, const struct sb_image_config *config)
{
	size_t i = 0;

	SB_ARRAY_FOREACH (&config->history, entry) {
		sb_autofree char *where = sb_asprintf("config: history entry %zu", ++i);

		search_text(in, where, entry->created_by);
		search_text(in, where, entry->author);
		search_text(in, where, entry->comment);
	}
}

static void search_fields(struct sb_inspector *in, const struct sb_image_config *config)
{
	const struct {
		const char *where;
		const struct sb_strv *list;
	} lists[] = {
		{"config: Entrypoint", &config->entrypoint},
		{"config: Cmd", &config->cmd},
		{"config: Shell", &config->shell},
		{"config: OnBuild", &config->onbuild},
		{"config: Volumes", &config->volumes},
		{"config: ExposedPorts", &config->exposed_ports},
		{"config: Healthcheck", &config->healthcheck.test},
	};

	search_history(in, config);
	search_pairs(in, "config: Env", "ENV", &config->env);
	search_pairs(in, "config: Labels", "label", &config->labels);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		search_list(in, lists[i].where, lists[i].list);
	search_text(in, "config: User", config->user);
	search_text(in, "config: WorkingDir", config->working_dir);
	search_text(in, "config: author", config->author);
}

static void search_annotations(
	struct sb_inspector *in, const char *where, const struct sb_strv *list)
{
	search_pairs(in, where, "annotation", list);
}

static void search_manifest(struct sb_inspector *in, const struct sb_image *image)
{
	const struct sb_manifest *manifest = image->manifest;

	search_text(in, "image name", image->name);
	search_annotations(in, "index annotations", &image->descriptor.annotations);
	search_annotations(in, "manifest annotations", &manifest->annotations);
	search_annotations(in, "manifest: config's annotations", &manifest->config.annotations);
	for (size_t i = 0; i < manifest->layers.len; i++) {
		const struct sb_descriptor *layer = &manifest->layers.items[i];
		sb_autofree char *where = sb_asprintf("manifest: annotations of layer %zu", i + 1);
		sb_autofree char *urls = sb_asprintf("manifest: addresses of layer %zu", i + 1);

		search_annotations(in, where, &layer->annotations);
		search_list(in, urls, &layer->urls);
	}
}

/* The file's text, if it is what the image shows at the path. */
static const char *shown_text(
	const struct sb_inspector *in, const struct sb_id_file *file, const char *path)
{
	struct sb_name name;

	return sb_filesystem_find(in->fs, path, &name) && name.content != SB_NO_CONTENT &&
			       name.content == file->content
		       ? file->text.data
		       : "";
}

static void look_at_user(struct sb_inspector *in, const char *user)
{
	struct sb_inspection *report = in->report;
	const char *passwd = shown_text(in, &in->passwd, "etc/passwd");
	const char *group = shown_text(in, &in->group, "etc/group");
	sb_autofree char *problem = sb_user_problem(user, passwd, group);

	report->user = sb_strdup(user);
	report->runs_as_root = sb_user_is_root(user, passwd);
	if (problem != NULL)
		sb_report_problem(report, SB_PROBLEM_OTHER, SIZE_MAX, NULL, "%s", problem);
}

void sb_inspector_read_config(struct sb_inspector *in, const struct sb_image *image)
{
	const struct sb_image_config *config = image->config;
	const struct sb_place whole = {.layer = SIZE_MAX, .where = "config"};
	const struct sb_place manifest = {.layer = SIZE_MAX, .where = "manifest"};
	const struct sb_buf *json = sb_image_manifest_json(image);

	in->report->platform = config->platform;
	sb_inspector_list_config(in, image);
	look_at_user(in, config->user != NULL ? config->user : "");
	/* The fields first, since they say where; the whole for what has no field. */
	sb_sweep_begin_entry(in->sweep);
	search_fields(in, config);
	(void)sb_sweep_raw(in->sweep, &whole, 0, image->config_json.data, image->config_json.len);
	sb_sweep_json(in->sweep, &whole, image->config_json.data, image->config_json.len);
	in->report->scanned_bytes += image->config_json.len;
	in->report->n_blobs_scanned++;
	sb_sweep_begin_entry(in->sweep);
	search_manifest(in, image);
	if (json->len > 0) {
		(void)sb_sweep_raw(in->sweep, &manifest, 0, json->data, json->len);
		sb_sweep_json(in->sweep, &manifest, json->data, json->len);
		in->report->scanned_bytes += json->len;
		in->report->n_blobs_scanned++;
	}
}
