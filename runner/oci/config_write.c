/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "oci/config.h"
#include "oci/descriptor_json.h"

static const char what_config[] = "image config";

/* What struct sb_image_config has a field for; the rest is passed on as it was read. */
static const char *const image_keys[] = {"created", "author", "architecture", "variant", "os",
	"os.version", "config", "rootfs", "history", NULL};
static const char *const container_keys[] = {"User", "ExposedPorts", "Env", "Entrypoint", "Cmd",
	"Healthcheck", "ArgsEscaped", "Volumes", "WorkingDir", "Labels", "OnBuild", "StopSignal",
	"Shell", NULL};
static const char *const healthcheck_keys[] = {
	"Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries", NULL};

static bool is_one_of(const char *const *keys, const char *key)
{
	for (; *keys != NULL; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

static void put_rest(json_t *to, json_t *from, const char *const *known)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach(from, key, value)
	{
		if (!is_one_of(known, key))
			sb_json_put(to, key, json_incref(value));
	}
}

/* As {"80/tcp": {}}, by key. */
static void put_keys(json_t *to, const char *key, const struct sb_strv *names, const char **bad)
{
	SB_AUTO_STRV sorted = SB_STRV_INIT;

	if (names->len == 0)
		return;

	json_t *map = json_object();

	sb_strv_copy(&sorted, names);
	sb_strv_sort(&sorted);
	for (size_t i = 0; i < sorted.len; i++)
		if (json_object_set_new(map, sorted.items[i], json_object()) != 0 && *bad == NULL)
			*bad = key;
	sb_json_put(to, key, map);
}

static void put_list(json_t *to, const char *key, const struct sb_strv *list, const char **bad)
{
	if (list->len > 0)
		sb_json_put_strings(to, key, list, bad);
}

static void put_number(json_t *to, const char *key, int64_t value)
{
	if (value != 0)
		sb_json_put_int(to, key, value);
}

static void put_text(json_t *to, const char *key, const char *value, const char **bad)
{
	if (value != NULL && value[0] != '\0')
		sb_json_put_string(to, key, value, bad);
}

static void put_healthcheck(
	json_t *to, const struct sb_healthcheck *check, json_t *rest, const char **bad)
{
	json_t *json = json_object();

	put_list(json, "Test", &check->test, bad);
	put_number(json, "Interval", check->interval_ns);
	put_number(json, "Timeout", check->timeout_ns);
	put_number(json, "StartPeriod", check->start_period_ns);
	put_number(json, "StartInterval", check->start_interval_ns);
	put_number(json, "Retries", check->retries);
	put_rest(json, rest, healthcheck_keys);
	sb_json_put(to, "Healthcheck", json);
}

static json_t *make_container(const struct sb_image_config *config, const char **bad)
{
	json_t *rest = json_object_get(config->rest, "config");
	json_t *json = json_object();

	put_text(json, "User", config->user, bad);
	put_keys(json, "ExposedPorts", &config->exposed_ports, bad);
	put_list(json, "Env", &config->env, bad);
	if (config->has_entrypoint)
		sb_json_put_strings(json, "Entrypoint", &config->entrypoint, bad);
	if (config->has_cmd)
		sb_json_put_strings(json, "Cmd", &config->cmd, bad);
	if (config->has_healthcheck)
		put_healthcheck(
			json, &config->healthcheck, json_object_get(rest, "Healthcheck"), bad);
	if (config->args_escaped)
		sb_json_put(json, "ArgsEscaped", json_true());
	put_keys(json, "Volumes", &config->volumes, bad);
	put_text(json, "WorkingDir", config->working_dir, bad);
	sb_json_put_map(json, "Labels", &config->labels, json_object_get(rest, "Labels"), bad);
	put_list(json, "OnBuild", &config->onbuild, bad);
	put_text(json, "StopSignal", config->stop_signal, bad);
	put_list(json, "Shell", &config->shell, bad);
	put_rest(json, rest, container_keys);
	return json;
}

static json_t *make_rootfs(const struct sb_image_config *config)
{
	json_t *json = json_object();
	json_t *diff_ids = json_array();

	SB_ARRAY_FOREACH (&config->diff_ids, diff_id)
		SB_BUG_ON(json_array_append_new(diff_ids, json_string(diff_id->text)) != 0);
	sb_json_put(json, "type", json_string("layers"));
	sb_json_put(json, "diff_ids", diff_ids);
	return json;
}

static json_t *make_history(const struct sb_image_config *config, const char **bad)
{
	json_t *list = json_array();

	SB_ARRAY_FOREACH (&config->history, entry) {
		json_t *json = json_object();

		sb_json_put_string(json, "created", entry->created, bad);
		sb_json_put_string(json, "created_by", entry->created_by, bad);
		sb_json_put_string(json, "author", entry->author, bad);
		sb_json_put_string(json, "comment", entry->comment, bad);
		if (entry->is_empty_layer)
			sb_json_put(json, "empty_layer", json_true());
		SB_BUG_ON(json_array_append_new(list, json) != 0);
	}
	return list;
}

int sb_image_config_write(
	const struct sb_image_config *config, struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_JSON json = json_object();
	const char *bad = NULL;

	sb_json_put_string(json, "created", config->created, &bad);
	sb_json_put_string(json, "author", config->author, &bad);
	sb_platform_put(json, &config->platform);
	sb_json_put_string(json, "os.version", config->os_version, &bad);
	sb_json_put(json, "config", make_container(config, &bad));
	sb_json_put(json, "rootfs", make_rootfs(config));
	if (config->history.len > 0)
		sb_json_put(json, "history", make_history(config, &bad));
	put_rest(json, config->rest, image_keys);
	return sb_json_dump(json, what_config, bad, out, err);
}
