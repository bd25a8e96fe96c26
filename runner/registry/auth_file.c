/* SPDX-License-Identifier: MIT */
#include "registry/auth_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "registry/basic_auth.h"
#include "sys/atomic.h"
#include "sys/fd.h"

static const char docker_server[] = "https://index.docker.io/v1/";

void sb_auth_file_release(struct sb_auth_file *file)
{
	json_decref(file->root);
	free(file->path);
	*file = (struct sb_auth_file){0};
}

char *sb_auth_key(const char *text)
{
	static const char *const versions[] = {"/v1", "/v2"};
	static const char *const docker_names[] = {
		"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"};
	const char *separator = strstr(text, "://");
	char *key = sb_strdup(separator != NULL ? separator + 3 : text);
	size_t len = strlen(key);

	while (len > 0 && key[len - 1] == '/')
		key[--len] = '\0';
	for (size_t i = 0; i < 2; i++)
		if (len > 3 && strcmp(key + len - 3, versions[i]) == 0 &&
			strchr(key, '/') == key + len - 3)
			key[len -= 3] = '\0';

	const size_t host_len = strcspn(key, "/");

	for (size_t i = 0; i < 3; i++) {
		if (strlen(docker_names[i]) != host_len ||
			strncasecmp(key, docker_names[i], host_len) != 0)
			continue;

		char *renamed = sb_asprintf("docker.io%s", key + host_len);

		free(key);
		return renamed;
	}
	return key;
}

char *sb_auth_server(const char *key)
{
	return sb_strdup(strcmp(key, "docker.io") == 0 ? docker_server : key);
}

/* How much of the wanted key an entry's key is: 0 where it is for something else. */
static size_t match_len(const char *entry, const char *wanted)
{
	sb_autofree char *key = sb_auth_key(entry);
	const size_t len = strlen(key);

	if (strncasecmp(key, wanted, len) != 0 || (wanted[len] != '\0' && wanted[len] != '/'))
		return 0;
	return len;
}

static int read_root(int fd, json_t **out, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_JSON);
	int rc = sb_fd_read_all(fd, &text, err);

	if (rc == 0 && strspn(text.data, " \t\r\n") == text.len)
		*out = json_object();
	else if (rc == 0)
		rc = sb_json_parse_object(text.data, text.len, "credentials", out, err);
	explicit_bzero(text.data, text.len);
	return rc;
}

int sb_auth_file_open(const char *path, struct sb_auth_file *out, struct sb_error *err)
{
	SB_AUTO_ERROR failure = SB_ERROR_INIT;
	SB_AUTO_JSON root = NULL;
	sb_autofd int fd = -1;
	bool exists = true;

	if (sb_fd_open_user(path, "credentials", &fd, &failure) < 0) {
		if (failure.code != SB_E_NOT_FOUND) {
			sb_error_move(err, &failure);
			return -1;
		}
		sb_error_ignore(&failure, "no file is no credentials");
		root = json_object();
		exists = false;
	} else if (read_root(fd, &root, err) < 0) {
		return sb_error_context(err, "'%s'", path);
	}
	*out = (struct sb_auth_file){
		.path = sb_strdup(path), .root = SB_STEAL(root), .exists = exists};
	return 0;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && *text != '\0' ? text : NULL;
}

static int read_entry(const struct sb_auth_file *file, const char *key, const json_t *entry,
	struct sb_credential *out, struct sb_error *err)
{
	const char *auth = text_of(entry, "auth");
	const char *user = text_of(entry, "username");
	const char *password = text_of(entry, "password");
	char *decoded = auth != NULL ? sb_basic_auth_decode(auth) : NULL;
	char *colon = decoded != NULL ? strchr(decoded, ':') : NULL;

	if (auth != NULL && colon == NULL) {
		sb_secret_free(decoded);
		return sb_fail(err, SB_E_INTEGRITY,
			"'%s': the \"auth\" of '%s' is not USER:PASSWORD in base64", file->path,
			key);
	}
	if (colon != NULL) {
		*colon = '\0';
		sb_credential_set(out, decoded, colon + 1);
		*colon = ':';
	} else if (user != NULL && password != NULL) {
		sb_credential_set(out, user, password);
	}
	sb_secret_free(decoded);
	if (text_of(entry, "identitytoken") != NULL && out->identity_token == NULL)
		out->identity_token = sb_strdup(text_of(entry, "identitytoken"));
	if (text_of(entry, "registrytoken") != NULL)
		out->registry_token = sb_strdup(text_of(entry, "registrytoken"));
	if (sb_credential_is_set(out))
		out->source = sb_asprintf("'%s'", file->path);
	return 0;
}

/* The key of the member that fits best, or NULL; an entry that says nothing is none. */
static const char *best_member(const json_t *object, const char *wanted, size_t *out_len)
{
	const char *best = NULL;
	const char *key = NULL;
	json_t *value = NULL;

	*out_len = 0;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const size_t len = match_len(key, wanted);

		if (len > *out_len && (!json_is_object(value) || json_object_size(value) > 0)) {
			best = key;
			*out_len = len;
		}
	}
	return best;
}

int sb_auth_file_find(const struct sb_auth_file *file, const char *key, struct sb_credential *out,
	char **out_helper, struct sb_error *err)
{
	const json_t *auths = json_object_get(file->root, "auths");
	const json_t *helpers = json_object_get(file->root, "credHelpers");
	size_t auth_len = 0;
	size_t helper_len = 0;
	const char *auth_key = best_member(auths, key, &auth_len);
	const char *helper_key = best_member(helpers, key, &helper_len);
	const char *store = text_of(file->root, "credsStore");

	if (helper_len > 0 && helper_len >= auth_len)
		*out_helper = sb_strdup_or_null(text_of(helpers, helper_key));
	else if (auth_len > 0)
		return read_entry(file, auth_key, json_object_get(auths, auth_key), out, err);
	else
		*out_helper = sb_strdup_or_null(store);
	return 0;
}

const char *sb_auth_file_helper(const struct sb_auth_file *file, const char *key)
{
	const json_t *helpers = json_object_get(file->root, "credHelpers");
	size_t len = 0;
	const char *helper_key = best_member(helpers, key, &len);

	return helper_key != NULL ? text_of(helpers, helper_key)
				  : text_of(file->root, "credsStore");
}

/* Where a link leads: it is not to be replaced by a file. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);

	return real != NULL ? real : sb_strdup(path);
}

static int make_folder(const char *dir, struct sb_error *err)
{
	sb_autofree char *path = sb_strdup(dir);

	for (char *p = path + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;

		const char ended_by = *p;

		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST && access(path, F_OK) < 0)
			return sb_fail_errno(err, "make folder '%s'", path);
		*p = ended_by;
		if (ended_by == '\0')
			return 0;
	}
}

static json_t *make_entry(const struct sb_credential *credential)
{
	json_t *entry = json_object();
	const char *bad = NULL;

	if (credential->identity_token != NULL) {
		sb_json_put_string(entry, "identitytoken", credential->identity_token, &bad);
		return entry;
	}

	char *user = sb_asprintf("%s:", credential->user);
	char *header = sb_basic_auth(user, credential->password, strlen(credential->password));

	sb_json_put_string(entry, "auth", header + strlen("Basic "), &bad);
	sb_secret_free(header);
	free(user);
	return entry;
}

/* Takes the entries of one registry out; how many there were. */
static size_t take_out(json_t *auths, const char *key)
{
	SB_AUTO_STRV same = SB_STRV_INIT;
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach(auths, name, value)
	{
		sb_autofree char *its_key = sb_auth_key(name);

		if (strcasecmp(its_key, key) == 0)
			sb_strv_add(&same, name);
	}
	for (size_t i = 0; i < same.len; i++)
		(void)json_object_del(auths, same.items[i]);
	return same.len;
}

struct change {
	const char *key;
	json_t *entry; /* or NULL, to remove */
	size_t n_removed;
};

static int write_changed(
	const char *path, const char *name, int dir_fd, struct change *change, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_auth_file) file = {0};
	sb_autofree char *server = sb_auth_server(change->key);

	if (sb_auth_file_open(path, &file, err) < 0)
		return -1;

	json_t *auths = json_object_get(file.root, "auths");

	if (auths != NULL && !json_is_object(auths))
		return sb_fail(err, SB_E_INTEGRITY, "'%s': \"auths\" is not an object", path);
	change->n_removed = auths != NULL ? take_out(auths, change->key) : 0;
	if (change->entry == NULL && change->n_removed == 0)
		return 0;
	if (auths == NULL && json_object_set_new(file.root, "auths", auths = json_object()) != 0)
		return sb_fail(err, SB_E_BUG, "an object takes no member");
	if (change->entry != NULL && json_object_set(auths, server, change->entry) != 0)
		return sb_fail(err, SB_E_INTEGRITY, "'%s' is not UTF-8", change->key);

	char *text = json_dumps(file.root, JSON_INDENT(4));
	const int rc = sb_atomic_write(dir_fd, name, 0600, text, strlen(text), err);

	sb_secret_free(text);
	return rc < 0 ? sb_error_context(err, "'%s'", path) : 0;
}

static int change_file(const char *path, struct change *change, struct sb_error *err)
{
	sb_autofree char *real = real_path(path);
	sb_autofree char *dir = sb_path_dir(real);
	sb_autofree char *name = sb_path_base(real);
	sb_autofd int dir_fd = -1;

	if (make_folder(dir, err) < 0 ||
		sb_fd_open_dir_user(dir, "folder of the credentials", &dir_fd, err) < 0)
		return -1;
	/* Two logins at once: the second reads what the first has written. */
	if (flock(dir_fd, LOCK_EX) < 0)
		return sb_fail_errno(err, "lock '%s'", dir);
	return write_changed(real, name, dir_fd, change, err);
}

int sb_auth_file_put(const char *path, const char *key, const struct sb_credential *credential,
	bool is_in_helper, struct sb_error *err)
{
	SB_AUTO_JSON entry = is_in_helper ? json_object() : make_entry(credential);
	struct change change = {.key = key, .entry = entry};

	return change_file(path, &change, err);
}

int sb_auth_file_remove(const char *path, const char *key, bool *out_found, struct sb_error *err)
{
	struct change change = {.key = key};

	if (access(path, F_OK) < 0) {
		*out_found = false;
		return 0;
	}
	if (change_file(path, &change, err) < 0)
		return -1;
	*out_found = change.n_removed > 0;
	return 0;
}
