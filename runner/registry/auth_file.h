/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_AUTH_FILE_H
#define SB_REGISTRY_AUTH_FILE_H

#include "base/strv.h"
#include "oci/json.h"
#include "registry/credential.h"

/*
 * One file of credentials, as docker (config.json) and podman (auth.json, containers-auth.json(5))
 * write it. A key names a registry, HOST[:PORT], or a part of one, HOST[:PORT]/PATH. What else is
 * in the file is kept when it is written.
 */
struct sb_auth_file {
	char *path;
	json_t *root;
	bool exists;
};

/* A file that is not there is one without credentials. SB_E_INTEGRITY where it is not JSON of that
 * form: the message repeats nothing of it. */
int sb_auth_file_open(const char *path, struct sb_auth_file *out, struct sb_error *err) SB_MUST_USE;
void sb_auth_file_release(struct sb_auth_file *file);

/* "host[:port][/path]" of a registry as users, docker and podman write it: without a scheme and
 * "/v1/", and "docker.io" under its one name. Caller frees. */
char *sb_auth_key(const char *text);
/* The name that docker and its helpers know the registry by; caller frees. */
char *sb_auth_server(const char *key);

/* What the file says for a key or the longest part of it: credentials, or the name of the helper
 * (caller frees) that has them; both stay unset where it says nothing. */
int sb_auth_file_find(const struct sb_auth_file *file, const char *key, struct sb_credential *out,
	char **out_helper, struct sb_error *err) SB_MUST_USE;
/* The helper in which new credentials for the key belong; borrowed, or NULL. */
const char *sb_auth_file_helper(const struct sb_auth_file *file, const char *key);

/* Both change the file as it is now, under a lock of its folder, and replace it atomically (mode
 * 0600). The entry that is put is empty where is_in_helper: docker lists registries so. */
int sb_auth_file_put(const char *path, const char *key, const struct sb_credential *credential,
	bool is_in_helper, struct sb_error *err) SB_MUST_USE;
int sb_auth_file_remove(
	const char *path, const char *key, bool *out_found, struct sb_error *err) SB_MUST_USE;

#endif
