/* SPDX-License-Identifier: MIT */
#include "registry/login.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/auth.h"
#include "registry/auth_file.h"
#include "registry/client.h"
#include "registry/registries.h"

static bool keep_going(void *data)
{
	return !sb_interrupt_is_pending(data);
}

/* The key's registry and, behind it, a repository that the credentials are asked about, or none. */
static int split_key(const char *key, struct sb_reference *out, struct sb_error *err)
{
	const size_t len = strcspn(key, "/");

	if (len == 0 || strpbrk(key, " \t?#@") != NULL)
		return sb_fail(err, SB_E_USAGE, "'%s' is not the name of a registry", key);
	*out = (struct sb_reference){.registry = sb_memdup0(key, len),
		.repository =
			key[len] == '/' && key[len + 1] != '\0' ? sb_strdup(key + len + 1) : NULL};
	return 0;
}

static int find_endpoint(
	const struct sb_reference *named, struct sb_endpoint *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_VALUE(sb_endpoints) endpoints = {0};
	/* Entries of registries.conf are found by names of images. */
	const struct sb_reference any = {.registry = named->registry,
		.repository =
			(char *)(uintptr_t)(named->repository != NULL ? named->repository : "any")};

	if (sb_registries_load(&registries, err) < 0 ||
		sb_registries_endpoints(&registries, &any, true, &endpoints, err) < 0)
		return -1;
	*out = endpoints.items[0];
	endpoints.len = 0;
	return 0;
}

static int ask(struct sb_client *client, struct sb_error *err)
{
	sb_autofree char *url = sb_asprintf("%s/v2/", sb_client_base(client));
	struct sb_http_request request = {.url = url, .max_body_bytes = SB_MAX_JSON};
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;

	if (sb_client_send(client, &request, &answer, err) < 0)
		return -1;
	if (answer.status == 200)
		return 0;
	return sb_client_fail(client, &answer, "login", err);
}

static int try_credential(const struct sb_registry_login *options, const struct sb_reference *named,
	struct sb_error *err)
{
	const struct sb_http_limits limits = SB_HTTP_LIMITS_INIT;
	struct sb_endpoint endpoint = {0};
	SB_AUTO(sb_access) access = NULL;
	SB_AUTO(sb_client) client = NULL;
	int rc = -1;

	if (find_endpoint(named, &endpoint, err) < 0)
		return -1;

	struct sb_reference asked = {
		.registry = endpoint.ref.registry, .repository = named->repository};
	const struct sb_access_options way = {
		.ref = &asked,
		.is_insecure = endpoint.is_insecure,
		.is_secure = endpoint.is_secure,
		.credential = options->credential,
		.interrupt = options->interrupt,
	};

	if (sb_access_new(&way, &access, err) == 0 &&
		sb_client_new(access, &limits, keep_going, options->interrupt, &client, err) == 0)
		rc = ask(client, err);
	if (rc < 0 && access != NULL)
		(void)sb_access_redact(access, err);
	sb_client_free(SB_STEAL(client));
	sb_access_free(SB_STEAL(access));
	sb_reference_release(&endpoint.ref);
	return rc;
}

int sb_registry_login(
	const struct sb_registry_login *options, char **out_where, struct sb_error *err)
{
	sb_autofree char *key = sb_auth_key(options->registry);
	SB_AUTO_VALUE(sb_reference) named = {0};

	if (split_key(key, &named, err) < 0 || try_credential(options, &named, err) < 0 ||
		sb_auth_store(options->auth_file, key, options->credential, options->interrupt,
			out_where, err) < 0)
		return sb_error_context(err, "log in to '%s'", key);
	return 0;
}

int sb_registry_logout(const char *registry, const char *auth_file, struct sb_interrupt *interrupt,
	struct sb_error *err)
{
	sb_autofree char *key = sb_auth_key(registry);

	return sb_auth_erase(auth_file, key, interrupt, err);
}
