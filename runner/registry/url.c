/* SPDX-License-Identifier: MIT */
#include "registry/url.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

bool sb_host_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	const size_t len = strlen(host);

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;

	const bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
	sb_autofree char *bare = bracketed ? sb_memdup0(host + 1, len - 2) : sb_strdup(host);

	return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* The addresses that a connection from here finds here, in all the ways they are written. */
static bool is_local_v4(uint32_t address)
{
	return address >> 24 == 127 || address >> 24 == 0;
}

static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	const size_t dot = strlen(host) > 0 && host[strlen(host) - 1] == '.';
	const size_t len = strlen(host) - dot;
	const size_t name_len = sizeof(name) - 1;

	return len >= name_len && strncasecmp(host + len - name_len, name, name_len) == 0 &&
	       (len == name_len || host[len - name_len - 1] == '.');
}

bool sb_host_is_this_machine(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	const size_t len = strlen(host);
	const bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
	sb_autofree char *bare = bracketed ? sb_memdup0(host + 1, len - 2) : sb_strdup(host);

	if (sb_host_is_loopback(host) || is_localhost(host))
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return is_local_v4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, bare, &v6) != 1)
		return false;
	if (IN6_IS_ADDR_UNSPECIFIED(&v6))
		return true;
	memcpy(&v4, v6.s6_addr + 12, sizeof(v4));
	return IN6_IS_ADDR_V4MAPPED(&v6) && is_local_v4(ntohl(v4.s_addr));
}

const char *sb_registry_host(const char *registry)
{
	if (strcmp(registry, "docker.io") == 0 || strcmp(registry, "index.docker.io") == 0)
		return "registry-1.docker.io";
	return registry;
}

bool sb_registry_is_loopback(const char *registry)
{
	const char *bracket = strrchr(registry, ']');
	const char *colon = strrchr(bracket != NULL ? bracket : registry, ':');
	const size_t len = colon != NULL ? (size_t)(colon - registry) : strlen(registry);
	sb_autofree char *host = sb_memdup0(registry, len);

	return sb_host_is_loopback(host);
}

char *sb_registry_base(const char *registry, bool is_plain)
{
	return sb_asprintf("%s://%s", is_plain ? "http" : "https", sb_registry_host(registry));
}

char *sb_manifest_url(const char *base, const struct sb_reference *ref, const char *what)
{
	return sb_asprintf("%s/v2/%s/manifests/%s", base, ref->repository, what);
}

char *sb_blob_url(const char *base, const struct sb_reference *ref, const struct sb_digest *digest)
{
	return sb_asprintf("%s/v2/%s/blobs/%s", base, ref->repository, digest->text);
}

/* RFC 3986, 2.3: all but the unreserved characters. */
static char *percent_encode(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	const size_t len = strlen(text);
	char *out = sb_calloc(len + 1, 3);
	char *to = out;

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (strchr(unreserved, c) != NULL) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	*to = '\0';
	return out;
}

char *sb_upload_url(const char *base, const struct sb_reference *ref,
	const struct sb_digest *digest, const char *from)
{
	if (digest == NULL || from == NULL)
		return sb_asprintf("%s/v2/%s/blobs/uploads/", base, ref->repository);

	sb_autofree char *encoded_digest = percent_encode(digest->text);
	sb_autofree char *encoded_from = percent_encode(from);

	return sb_asprintf("%s/v2/%s/blobs/uploads/?mount=%s&from=%s", base, ref->repository,
		encoded_digest, encoded_from);
}

char *sb_upload_end_url(const char *address, const struct sb_digest *digest)
{
	sb_autofree char *encoded = percent_encode(digest->text);

	return sb_asprintf(
		"%s%sdigest=%s", address, strchr(address, '?') != NULL ? "&" : "?", encoded);
}

char *sb_token_scope(const char *repository, bool for_push)
{
	return sb_asprintf("repository:%s:pull%s", repository, for_push ? ",push" : "");
}

/* Encoded "name=value", behind `to` and its separator. */
static void add_field(char **to, const char *separator, const char *name, const char *value)
{
	sb_autofree char *encoded = percent_encode(value);
	char *longer = sb_asprintf("%s%s%s=%s", *to, separator, name, encoded);

	free(*to);
	*to = longer;
}

char *sb_token_url(const char *realm, const char *service, const struct sb_strv *scopes)
{
	/* A fragment is never sent, and would swallow the query. */
	char *url = sb_memdup0(realm, strcspn(realm, "#"));

	if (service != NULL)
		add_field(&url, strchr(url, '?') != NULL ? "&" : "?", "service", service);
	for (size_t i = 0; i < scopes->len; i++)
		add_field(&url, strchr(url, '?') != NULL ? "&" : "?", "scope", scopes->items[i]);
	return url;
}

char *sb_token_form(const char *identity_token, const char *service, const struct sb_strv *scopes)
{
	sb_autofree char *scope = sb_strv_join(scopes, " ");
	char *form = sb_strdup("grant_type=refresh_token&client_id=safebuild");
	sb_autofree char *encoded = NULL;
	char *whole = NULL;

	if (service != NULL)
		add_field(&form, "&", "service", service);
	if (*scope != '\0')
		add_field(&form, "&", "scope", scope);
	encoded = percent_encode(identity_token);
	whole = sb_asprintf("%s&refresh_token=%s", form, encoded);
	explicit_bzero(encoded, strlen(encoded));
	free(form);
	return whole;
}
