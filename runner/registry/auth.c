/* SPDX-License-Identifier: MIT */
#include "registry/auth.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "registry/auth_file.h"
#include "registry/credential_helper.h"

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static int list_files(const char *file, struct sb_strv *out, struct sb_error *err)
{
	const char *home = variable("HOME");
	const char *named = file != NULL ? file : variable("REGISTRY_AUTH_FILE");

	if (file != NULL && access(file, F_OK) < 0)
		return sb_fail_errno(err, "file of credentials '%s'", file);
	if (named != NULL) {
		sb_strv_add(out, named);
		return 0;
	}
	if (variable("DOCKER_CONFIG") != NULL)
		sb_strv_addf(out, "%s/config.json", variable("DOCKER_CONFIG"));
	else if (home != NULL)
		sb_strv_addf(out, "%s/.docker/config.json", home);
	if (variable("XDG_RUNTIME_DIR") != NULL)
		sb_strv_addf(out, "%s/containers/auth.json", variable("XDG_RUNTIME_DIR"));
	if (variable("XDG_CONFIG_HOME") != NULL)
		sb_strv_addf(out, "%s/containers/auth.json", variable("XDG_CONFIG_HOME"));
	else if (home != NULL)
		sb_strv_addf(out, "%s/.config/containers/auth.json", home);
	return 0;
}

static int find_in(const char *path, const char *key, struct sb_interrupt *interrupt,
	struct sb_credential *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_auth_file) file = {0};
	sb_autofree char *helper = NULL;
	bool is_found = false;

	if (sb_auth_file_open(path, &file, err) < 0 ||
		sb_auth_file_find(&file, key, out, &helper, err) < 0)
		return -1;
	if (helper == NULL)
		return 0;

	/* Helpers know registries, not parts of them. */
	sb_autofree char *host = sb_memdup0(key, strcspn(key, "/"));
	sb_autofree char *server = sb_auth_server(host);

	if (sb_credential_helper_get(helper, server, interrupt, out, &is_found, err) < 0) {
		sb_error_hint(err, "it is named in '%s'", path);
		return -1;
	}
	return 0;
}

int sb_auth_find(const char *file, const char *registry, const char *repository,
	struct sb_interrupt *interrupt, struct sb_credential *out, struct sb_error *err)
{
	SB_AUTO_STRV paths = SB_STRV_INIT;
	sb_autofree char *whole = repository != NULL ? sb_asprintf("%s/%s", registry, repository)
						     : sb_strdup(registry);
	sb_autofree char *key = sb_auth_key(whole);

	if (list_files(file, &paths, err) < 0)
		return -1;
	for (size_t i = 0; i < paths.len && !sb_credential_is_set(out); i++)
		if (find_in(paths.items[i], key, interrupt, out, err) < 0)
			return sb_error_context(err, "credentials for '%s'", registry);
	return 0;
}

static int where_to(const char *file, struct sb_strv *out, struct sb_error *err)
{
	if (file != NULL) {
		sb_strv_add(out, file);
		return 0;
	}
	if (list_files(NULL, out, err) < 0)
		return -1;
	if (out->len == 0)
		return sb_fail(err, SB_E_USAGE,
			"no file for credentials: HOME is not set; give --authfile");
	return 0;
}

int sb_auth_store(const char *file, const char *key, const struct sb_credential *credential,
	struct sb_interrupt *interrupt, char **out_where, struct sb_error *err)
{
	SB_AUTO_STRV paths = SB_STRV_INIT;
	SB_AUTO_VALUE(sb_auth_file) opened = {0};
	sb_autofree char *server = sb_auth_server(key);

	if (where_to(file, &paths, err) < 0 || sb_auth_file_open(paths.items[0], &opened, err) < 0)
		return -1;

	const char *helper = sb_auth_file_helper(&opened, key);

	if (helper != NULL &&
		sb_credential_helper_store(helper, server, credential, interrupt, err) < 0)
		return -1;
	if (sb_auth_file_put(paths.items[0], key, credential, helper != NULL, err) < 0)
		return -1;
	*out_where = helper != NULL ? sb_asprintf("docker-credential-%s", helper)
				    : sb_asprintf("'%s'", paths.items[0]);
	return 0;
}

static int erase_in(const char *path, const char *key, struct sb_interrupt *interrupt,
	bool *out_found, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_auth_file) file = {0};
	sb_autofree char *server = sb_auth_server(key);
	bool in_helper = false;
	bool in_file = false;

	if (sb_auth_file_open(path, &file, err) < 0)
		return -1;

	const char *helper = sb_auth_file_helper(&file, key);

	/* Some helpers say success for what they never had. */
	if (helper != NULL) {
		SB_AUTO_VALUE(sb_credential) had = {0};

		if (sb_credential_helper_get(helper, server, interrupt, &had, &in_helper, err) < 0)
			return -1;
	}
	if (in_helper && sb_credential_helper_erase(helper, server, interrupt, &in_helper, err) < 0)
		return -1;
	if (sb_auth_file_remove(path, key, &in_file, err) < 0)
		return -1;
	*out_found = in_file || in_helper;
	return 0;
}

int sb_auth_erase(
	const char *file, const char *key, struct sb_interrupt *interrupt, struct sb_error *err)
{
	SB_AUTO_STRV paths = SB_STRV_INIT;
	size_t n_found = 0;

	if (where_to(file, &paths, err) < 0)
		return -1;
	for (size_t i = 0; i < paths.len; i++) {
		bool is_found = false;

		if (erase_in(paths.items[i], key, interrupt, &is_found, err) < 0)
			return -1;
		n_found += is_found;
	}
	if (n_found == 0)
		return sb_fail(err, SB_E_NOT_FOUND, "not logged in to '%s'", key);
	return 0;
}
