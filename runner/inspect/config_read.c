/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "inspect/inspector.h"

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

/* The uid of the line that begins with `name:`, in a passwd file. */
static bool find_uid(const char *passwd, const char *name, uint64_t *out)
{
	const size_t len = strlen(name);

	for (const char *line = passwd; line != NULL && *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			const char *uid =
				memchr(line + len + 1, ':', (size_t)(end - line) - len - 1);
			const char *stop = uid == NULL ? NULL : uid + 1 + strcspn(uid + 1, ":\n");

			if (stop == NULL)
				return false;

			sb_autofree char *digits = sb_memdup0(uid + 1, (size_t)(stop - uid - 1));

			return sb_number_parse(digits, 10, UINT32_MAX, out);
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return false;
}

bool sb_user_is_root(const char *user, const char *passwd)
{
	sb_autofree char *name = sb_memdup0(user, strcspn(user, ":"));
	uint64_t uid = 0;

	if (name[0] == '\0')
		return true;
	if (find_uid(passwd, name, &uid) || sb_number_parse(name, 10, UINT32_MAX, &uid))
		return uid == 0;
	return strcmp(name, "root") == 0;
}

static bool search_text(struct sb_inspector *in, const char *where, const char *text)
{
	return text != NULL && sb_inspector_search(in, text, strlen(text), SIZE_MAX, where);
}

static bool search_list(struct sb_inspector *in, const char *where, const struct sb_strv *list)
{
	bool found = false;

	for (size_t i = 0; i < list->len; i++)
		found |= search_text(in, where, list->items[i]);
	return found;
}

static bool search_history(struct sb_inspector *in, const struct sb_image_config *config)
{
	bool found = false;
	size_t i = 0;

	SB_ARRAY_FOREACH (&config->history, entry) {
		sb_autofree char *where = sb_asprintf("config: history entry %zu", ++i);

		found |= search_text(in, where, entry->created_by);
		found |= search_text(in, where, entry->author);
		found |= search_text(in, where, entry->comment);
	}
	return found;
}

static bool search_fields(struct sb_inspector *in, const struct sb_image_config *config)
{
	const struct {
		const char *where;
		const struct sb_strv *list;
	} lists[] = {
		{"config: Env", &config->env},
		{"config: Labels", &config->labels},
		{"config: Entrypoint", &config->entrypoint},
		{"config: Cmd", &config->cmd},
		{"config: Shell", &config->shell},
		{"config: OnBuild", &config->onbuild},
		{"config: Volumes", &config->volumes},
		{"config: ExposedPorts", &config->exposed_ports},
		{"config: Healthcheck", &config->healthcheck.test},
	};
	bool found = search_history(in, config);

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		found |= search_list(in, lists[i].where, lists[i].list);
	found |= search_text(in, "config: User", config->user);
	found |= search_text(in, "config: WorkingDir", config->working_dir);
	found |= search_text(in, "config: author", config->author);
	return found;
}

static void search_manifest(struct sb_inspector *in, const struct sb_image *image)
{
	const struct sb_manifest *manifest = image->manifest;

	(void)search_text(in, "image name", image->name);
	(void)search_list(in, "index annotations", &image->descriptor.annotations);
	(void)search_list(in, "manifest annotations", &manifest->annotations);
	(void)search_list(in, "manifest: config's annotations", &manifest->config.annotations);
	for (size_t i = 0; i < manifest->layers.len; i++) {
		sb_autofree char *where = sb_asprintf("manifest: annotations of layer %zu", i + 1);

		(void)search_list(in, where, &manifest->layers.items[i].annotations);
	}
}

void sb_inspector_read_config(struct sb_inspector *in, const struct sb_image *image)
{
	const struct sb_image_config *config = image->config;
	struct sb_inspection *report = in->report;

	report->platform = config->platform;
	report->user = sb_strdup(config->user != NULL ? config->user : "");

	const bool shows_passwd = sb_filesystem_shows(in->fs, "etc/passwd", in->passwd_content);

	report->runs_as_root = sb_user_is_root(report->user, shows_passwd ? in->passwd.data : "");
	/* The fields first, since they say where; the whole for what has no field. */
	if (!search_fields(in, config))
		(void)sb_inspector_search(
			in, image->config_json.data, image->config_json.len, SIZE_MAX, "config");
	report->scanned_bytes += image->config_json.len;
	search_manifest(in, image);
}
