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

static const char *scheme_of(const char *host_and_port)
{
	const char *bracket = strrchr(host_and_port, ']');
	const char *colon = strrchr(bracket != NULL ? bracket : host_and_port, ':');
	const size_t len = colon != NULL ? (size_t)(colon - host_and_port) : strlen(host_and_port);
	sb_autofree char *host = sb_memdup0(host_and_port, len);

	return sb_host_is_loopback(host) ? "http" : "https";
}

static char *repository_url(const struct sb_reference *ref, const char *kind, const char *what)
{
	const char *host = sb_registry_host(ref->registry);

	return sb_asprintf(
		"%s://%s/v2/%s/%s/%s", scheme_of(host), host, ref->repository, kind, what);
}

char *sb_manifest_url(const struct sb_reference *ref, const char *what)
{
	return repository_url(ref, "manifests", what);
}

char *sb_blob_url(const struct sb_reference *ref, const struct sb_digest *digest)
{
	return repository_url(ref, "blobs", digest->text);
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

char *sb_token_url(const char *realm, const char *service, const char *repository)
{
	/* A fragment is never sent, and would swallow the query. */
	sb_autofree char *base = sb_memdup0(realm, strcspn(realm, "#"));
	sb_autofree char *encoded_service = service != NULL ? percent_encode(service) : NULL;
	sb_autofree char *scope = sb_asprintf("repository:%s:pull", repository);
	sb_autofree char *encoded_scope = percent_encode(scope);

	return sb_asprintf("%s%s%s%s%sscope=%s", base, strchr(base, '?') != NULL ? "&" : "?",
		encoded_service != NULL ? "service=" : "",
		encoded_service != NULL ? encoded_service : "", encoded_service != NULL ? "&" : "",
		encoded_scope);
}
