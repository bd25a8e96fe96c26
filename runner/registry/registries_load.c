/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/registries.h"
#include "registry/toml.h"
#include "sys/fd.h"
#include "sys/tree.h"

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* "…/containers/NAME" of the user; NULL where there is no home. Caller frees. */
static char *user_path(const char *name)
{
	if (variable("XDG_CONFIG_HOME") != NULL)
		return sb_asprintf("%s/containers/%s", variable("XDG_CONFIG_HOME"), name);
	if (variable("HOME") != NULL)
		return sb_asprintf("%s/.config/containers/%s", variable("HOME"), name);
	return NULL;
}

static int add_drop_ins(const char *folder, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = -1;

	if (folder == NULL || access(folder, R_OK | X_OK) < 0)
		return 0;
	if (sb_fd_open_dir_user(folder, "folder", &fd, err) < 0 ||
		sb_tree_list(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const size_t len = strlen(names.items[i]);

		if (len > 5 && strcmp(names.items[i] + len - 5, ".conf") == 0)
			sb_strv_addf(out, "%s/%s", folder, names.items[i]);
	}
	return 0;
}

/* What podman keeps of the answers that it was given: the user's, else root's. */
static void add_answers(struct sb_strv *out)
{
	static const char system_file[] = "/var/cache/containers/short-name-aliases.conf";
	sb_autofree char *own =
		variable("XDG_CACHE_HOME") != NULL
			? sb_asprintf("%s/containers/short-name-aliases.conf",
				  variable("XDG_CACHE_HOME"))
		: variable("HOME") != NULL
			? sb_asprintf(
				  "%s/.cache/containers/short-name-aliases.conf", variable("HOME"))
			: NULL;

	if (own != NULL && access(own, F_OK) == 0)
		sb_strv_add(out, own);
	else if (access(system_file, R_OK) == 0)
		sb_strv_add(out, system_file);
}

static int list_settings(struct sb_strv *out, struct sb_error *err)
{
	static const char system_file[] = "/etc/containers/registries.conf";
	const char *given = variable("CONTAINERS_REGISTRIES_CONF");
	sb_autofree char *own = user_path("registries.conf");
	sb_autofree char *own_folder = user_path("registries.conf.d");

	if (given != NULL) {
		sb_strv_add(out, given);
		return 0;
	}
	if (own != NULL && access(own, F_OK) == 0)
		sb_strv_add(out, own);
	else if (access(system_file, R_OK) == 0)
		sb_strv_add(out, system_file);
	if (add_drop_ins("/etc/containers/registries.conf.d", out, err) < 0)
		return -1;
	return add_drop_ins(own_folder, out, err);
}

static int list_files(struct sb_strv *out, struct sb_error *err)
{
	if (list_settings(out, err) < 0)
		return -1;
	add_answers(out);
	return 0;
}

static const char *prefix_of(const json_t *entry)
{
	const char *prefix = json_string_value(json_object_get(entry, "prefix"));

	return prefix != NULL ? prefix : json_string_value(json_object_get(entry, "location"));
}

/* A later file's entry for the same prefix replaces the earlier one's. */
static int add_entry(json_t *entries, json_t *entry, struct sb_error *err)
{
	const char *prefix = prefix_of(entry);
	const char *const texts[] = {"prefix", "location"};

	if (prefix == NULL || *prefix == '\0')
		return sb_fail(err, SB_E_SYNTAX, "a [[registry]] has neither prefix nor location");
	for (size_t i = 0; i < 2; i++) {
		const json_t *value = json_object_get(entry, texts[i]);

		if (value != NULL && !json_is_string(value))
			return sb_fail(
				err, SB_E_SYNTAX, "'%s' of a [[registry]] is no string", texts[i]);
	}
	if (strchr(prefix, '*') != NULL &&
		(strncmp(prefix, "*.", 2) != 0 || strpbrk(prefix + 2, "*/:@") != NULL))
		return sb_fail(err, SB_E_SYNTAX,
			"the prefix '%s': a '*' stands alone for the first parts of a host, "
			"'*.example.com'",
			prefix);
	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (strcmp(prefix_of(json_array_get(entries, i)), prefix) == 0) {
			(void)json_array_set(entries, i, entry);
			return 0;
		}
	}
	(void)json_array_append(entries, entry);
	return 0;
}

static int take_search(const json_t *root, struct sb_strv *out, struct sb_error *err)
{
	const json_t *list = json_object_get(root, "unqualified-search-registries");

	if (list == NULL)
		return 0;
	if (!json_is_array(list))
		return sb_fail(
			err, SB_E_SYNTAX, "'unqualified-search-registries' is no list of strings");
	sb_strv_clear(out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name == NULL || *name == '\0')
			return sb_fail(err, SB_E_SYNTAX,
				"'unqualified-search-registries' is no list of names");
		sb_strv_add(out, name);
	}
	return 0;
}

/* A registry and a repository, with no tag or digest. */
static bool is_alias_target(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *name = slash != NULL ? slash + 1 : "";
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (name[strcspn(name, ":@")] != '\0' || sb_reference_parse(text, &ref, &ignored) < 0) {
		sb_error_ignore(&ignored, "the caller says what is wanted");
		return false;
	}
	/* "team/app" is one of docker.io's, and short itself. */
	return slash != NULL && (memchr(text, '.', (size_t)(slash - text)) != NULL ||
					memchr(text, ':', (size_t)(slash - text)) != NULL ||
					strncmp(text, "localhost/", 10) == 0);
}

/* A later file's alias wins; one that is empty takes an earlier one away. */
static int take_aliases(const json_t *root, struct sb_strv *out, struct sb_error *err)
{
	json_t *table = json_object_get(root, "aliases");
	const char *name = NULL;
	json_t *value = NULL;

	if (table != NULL && !json_is_object(table))
		return sb_fail(err, SB_E_SYNTAX, "'aliases' is no table");
	json_object_foreach(table, name, value)
	{
		const char *target = json_string_value(value);

		if (target == NULL || (target[0] != '\0' && !is_alias_target(target)))
			return sb_fail(err, SB_E_SYNTAX,
				"the alias '%s' is no \"REGISTRY/REPOSITORY\" without a tag", name);
		if (name[0] == '\0' || name[strcspn(name, ":@=")] != '\0')
			return sb_fail(err, SB_E_SYNTAX,
				"the alias '%s' is no short name without a tag", name);
		if (target[0] != '\0')
			sb_env_set(out, name, target);
		else
			sb_env_unset(out, name);
	}
	return 0;
}

static int take_file(const char *path, struct sb_registries *to, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_JSON root = NULL;
	sb_autofd int fd = -1;

	if (sb_fd_open_user(path, "registries' settings", &fd, err) < 0 ||
		sb_fd_read_all(fd, &text, err) < 0 ||
		sb_toml_parse(text.data, text.len, &root, err) < 0 ||
		take_search(root, &to->search, err) < 0 ||
		take_aliases(root, &to->aliases, err) < 0)
		return -1;

	const json_t *entries = json_object_get(root, "registry");

	for (size_t i = 0; i < json_array_size(entries); i++)
		if (add_entry(to->entries, json_array_get(entries, i), err) < 0)
			return -1;
	return 0;
}

int sb_registries_load(struct sb_registries *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_registries) registries = {.entries = json_array()};
	SB_AUTO_STRV files = SB_STRV_INIT;

	if (list_files(&files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.len; i++)
		if (take_file(files.items[i], &registries, err) < 0)
			return sb_error_context(err, "'%s'", files.items[i]);
	*out = registries;
	registries = (struct sb_registries){0};
	return 0;
}
