/* SPDX-License-Identifier: MIT */
#include "oci/config.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/descriptor_json.h"

static const char what_config[] = "image config";

static void release_history(struct sb_history *entry)
{
	free(entry->created);
	free(entry->created_by);
	free(entry->author);
	free(entry->comment);
}

struct sb_image_config *sb_image_config_new(void)
{
	struct sb_image_config *config = SB_NEW(struct sb_image_config);

	config->user = sb_strdup("");
	config->working_dir = sb_strdup("");
	return config;
}

void sb_image_config_free(struct sb_image_config *config)
{
	if (config == NULL)
		return;
	free(config->created);
	free(config->author);
	free(config->os_version);
	sb_strv_release(&config->env);
	sb_strv_release(&config->entrypoint);
	sb_strv_release(&config->cmd);
	free(config->user);
	free(config->working_dir);
	sb_strv_release(&config->labels);
	sb_strv_release(&config->exposed_ports);
	sb_strv_release(&config->volumes);
	free(config->stop_signal);
	sb_strv_release(&config->shell);
	sb_strv_release(&config->onbuild);
	sb_strv_release(&config->healthcheck.test);
	SB_ARRAY_RELEASE(&config->diff_ids);
	SB_ARRAY_FOREACH (&config->history, entry)
		release_history(entry);
	SB_ARRAY_RELEASE(&config->history);
	json_decref(config->rest);
	free(config);
}

static void copy_healthcheck(struct sb_healthcheck *to, const struct sb_healthcheck *from)
{
	const struct sb_strv none = SB_STRV_INIT;

	*to = *from;
	to->test = none;
	sb_strv_copy(&to->test, &from->test);
}

struct sb_image_config *sb_image_config_dup(const struct sb_image_config *config)
{
	struct sb_image_config *copy = SB_NEW(struct sb_image_config);

	copy->created = sb_strdup_or_null(config->created);
	copy->author = sb_strdup_or_null(config->author);
	copy->platform = config->platform;
	copy->os_version = sb_strdup_or_null(config->os_version);
	sb_strv_copy(&copy->env, &config->env);
	sb_strv_copy(&copy->entrypoint, &config->entrypoint);
	copy->has_entrypoint = config->has_entrypoint;
	sb_strv_copy(&copy->cmd, &config->cmd);
	copy->has_cmd = config->has_cmd;
	copy->args_escaped = config->args_escaped;
	copy->user = sb_strdup(config->user);
	copy->working_dir = sb_strdup(config->working_dir);
	sb_strv_copy(&copy->labels, &config->labels);
	sb_strv_copy(&copy->exposed_ports, &config->exposed_ports);
	sb_strv_copy(&copy->volumes, &config->volumes);
	copy->stop_signal = sb_strdup_or_null(config->stop_signal);
	sb_strv_copy(&copy->shell, &config->shell);
	sb_strv_copy(&copy->onbuild, &config->onbuild);
	copy->has_healthcheck = config->has_healthcheck;
	copy_healthcheck(&copy->healthcheck, &config->healthcheck);
	SB_ARRAY_FOREACH (&config->diff_ids, diff_id)
		*SB_ARRAY_ADD(&copy->diff_ids) = *diff_id;
	SB_ARRAY_FOREACH (&config->history, entry)
		sb_image_config_add_history(copy, entry);
	copy->rest = config->rest != NULL ? json_deep_copy(config->rest) : NULL;
	return copy;
}

void sb_image_config_add_history(struct sb_image_config *config, const struct sb_history *entry)
{
	*SB_ARRAY_ADD(&config->history) = (struct sb_history){
		.created = sb_strdup_or_null(entry->created),
		.created_by = sb_strdup_or_null(entry->created_by),
		.author = sb_strdup_or_null(entry->author),
		.comment = sb_strdup_or_null(entry->comment),
		.is_empty_layer = entry->is_empty_layer,
	};
}

/* A copy of the string; *out stays as it is where there is none. */
static int read_text(const json_t *json, const char *key, char **out, struct sb_error *err)
{
	const char *value = NULL;

	if (sb_json_get_string(json, key, what_config, &value, err) < 0)
		return -1;
	if (value != NULL) {
		free(*out);
		*out = sb_strdup(value);
	}
	return 0;
}

/* A list of words; Docker takes a lone string as a list of one (strslice). */
static int read_words(const json_t *json, const char *key, struct sb_strv *out, bool *out_has,
	struct sb_error *err)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_string(value))
		return sb_json_get_strings(json, key, what_config, out, out_has, err);
	sb_strv_add(out, json_string_value(value));
	*out_has = true;
	return 0;
}

/* {"80/tcp": {}}: the keys count. */
static int read_keys(const json_t *json, const char *key, struct sb_strv *out, struct sb_error *err)
{
	json_t *map = NULL;
	const json_t *value = NULL;
	const char *name = NULL;

	if (sb_json_get_object(json, key, what_config, &map, err) < 0)
		return -1;
	json_object_foreach(map, name, value)
	{
		sb_strv_add(out, name);
	}
	return 0;
}

static int read_healthcheck(
	const json_t *json, struct sb_image_config *config, struct sb_error *err)
{
	struct sb_healthcheck *check = &config->healthcheck;
	json_t *from = NULL;

	if (sb_json_get_object(json, "Healthcheck", what_config, &from, err) < 0)
		return -1;
	if (from == NULL)
		return 0;
	config->has_healthcheck = true;
	if (sb_json_get_strings(from, "Test", what_config, &check->test, NULL, err) < 0 ||
		sb_json_get_int(from, "Interval", what_config, &check->interval_ns, err) < 0 ||
		sb_json_get_int(from, "Timeout", what_config, &check->timeout_ns, err) < 0 ||
		sb_json_get_int(from, "StartPeriod", what_config, &check->start_period_ns, err) <
			0 ||
		sb_json_get_int(
			from, "StartInterval", what_config, &check->start_interval_ns, err) < 0 ||
		sb_json_get_int(from, "Retries", what_config, &check->retries, err) < 0)
		return -1;
	return 0;
}

static int read_container(const json_t *from, struct sb_image_config *config, struct sb_error *err)
{
	if (read_text(from, "User", &config->user, err) < 0 ||
		read_keys(from, "ExposedPorts", &config->exposed_ports, err) < 0 ||
		sb_json_get_strings(from, "Env", what_config, &config->env, NULL, err) < 0 ||
		read_words(from, "Entrypoint", &config->entrypoint, &config->has_entrypoint, err) <
			0 ||
		read_words(from, "Cmd", &config->cmd, &config->has_cmd, err) < 0 ||
		sb_json_get_bool(from, "ArgsEscaped", what_config, &config->args_escaped, err) < 0)
		return -1;
	if (read_keys(from, "Volumes", &config->volumes, err) < 0 ||
		read_text(from, "WorkingDir", &config->working_dir, err) < 0 ||
		sb_json_get_map(from, "Labels", what_config, &config->labels, err) < 0 ||
		sb_json_get_strings(from, "OnBuild", what_config, &config->onbuild, NULL, err) <
			0 ||
		read_text(from, "StopSignal", &config->stop_signal, err) < 0 ||
		sb_json_get_strings(from, "Shell", what_config, &config->shell, NULL, err) < 0)
		return -1;
	return read_healthcheck(from, config, err);
}

static int read_rootfs(const json_t *json, struct sb_image_config *config, struct sb_error *err)
{
	json_t *rootfs = NULL;
	SB_AUTO_STRV diff_ids = SB_STRV_INIT;
	const char *type = NULL;

	if (sb_json_get_object(json, "rootfs", what_config, &rootfs, err) < 0 ||
		sb_json_get_string(rootfs, "type", what_config, &type, err) < 0 ||
		sb_json_get_strings(rootfs, "diff_ids", what_config, &diff_ids, NULL, err) < 0)
		return -1;
	if (type != NULL && strcmp(type, "layers") != 0)
		return sb_fail(err, SB_E_UNSUPPORTED, "%s: a rootfs of type '%s' is not supported",
			what_config, type);
	if (diff_ids.len > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "the image has %zu layers, more than %d",
			diff_ids.len, SB_MAX_LAYERS);
	for (size_t i = 0; i < diff_ids.len; i++)
		if (sb_digest_parse(diff_ids.items[i], SB_ARRAY_ADD(&config->diff_ids), err) < 0)
			return sb_error_context(err, "%s: diff_id %zu", what_config, i + 1);
	return 0;
}

static int read_history(const json_t *json, struct sb_image_config *config, struct sb_error *err)
{
	json_t *list = NULL;
	const json_t *from = NULL;
	size_t i = 0;

	if (sb_json_get_array(json, "history", what_config, &list, err) < 0)
		return -1;
	json_array_foreach(list, i, from)
	{
		if (!json_is_object(from))
			return sb_fail(err, SB_E_INTEGRITY,
				"%s: history entry %zu is not an object", what_config, i + 1);

		struct sb_history *entry = SB_ARRAY_ADD(&config->history);

		if (read_text(from, "created", &entry->created, err) < 0 ||
			read_text(from, "created_by", &entry->created_by, err) < 0 ||
			read_text(from, "author", &entry->author, err) < 0 ||
			read_text(from, "comment", &entry->comment, err) < 0 ||
			sb_json_get_bool(
				from, "empty_layer", what_config, &entry->is_empty_layer, err) < 0)
			return sb_error_context(err, "history entry %zu", i + 1);
	}
	return 0;
}

int sb_image_config_parse(
	const char *json_text, size_t len, struct sb_image_config **out, struct sb_error *err)
{
	SB_AUTO(sb_image_config) config = sb_image_config_new();
	SB_AUTO_JSON json = NULL;
	json_t *container = NULL;

	if (sb_json_parse_object(json_text, len, what_config, &json, err) < 0 ||
		sb_platform_from_json(json, what_config, &config->platform, err) < 0 ||
		read_text(json, "created", &config->created, err) < 0 ||
		read_text(json, "author", &config->author, err) < 0 ||
		read_text(json, "os.version", &config->os_version, err) < 0 ||
		sb_json_get_object(json, "config", what_config, &container, err) < 0)
		return -1;
	if (container != NULL && read_container(container, config, err) < 0)
		return -1;
	if (read_rootfs(json, config, err) < 0 || read_history(json, config, err) < 0)
		return -1;
	config->rest = SB_STEAL(json);
	*out = SB_STEAL(config);
	return 0;
}
