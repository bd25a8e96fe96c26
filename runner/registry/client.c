/* SPDX-License-Identifier: MIT */
#include "registry/client.h"

#include <string.h>

#include "base/mem.h"
#include "registry/credential.h"
#include "registry/document.h"
#include "registry/url.h"

#define NO_REGISTRY_HINT \
	"what is on this machine needs no registry: `safebuild import ROOTFS.tar NAME`, or " \
	"`--build-context NAME=oci-layout://DIR`"

struct sb_client {
	struct sb_access *access;
	struct sb_http *http;
	const char *base;
	const char *host; /* for messages */
};

int sb_client_new(struct sb_access *access, const struct sb_http_limits *limits,
	bool (*keep_going)(void *data), void *data, struct sb_client **out, struct sb_error *err)
{
	SB_AUTO(sb_client) client = SB_NEW(struct sb_client);

	client->access = access;
	client->host = sb_registry_host(sb_access_ref(access)->registry);
	if (sb_http_open(limits, keep_going, data, &client->http, err) < 0 ||
		sb_access_base(access, client->http, &client->base, err) < 0)
		return -1;
	*out = SB_STEAL(client);
	return 0;
}

void sb_client_free(struct sb_client *client)
{
	if (client == NULL)
		return;
	sb_http_free(client->http);
	free(client);
}

const char *sb_client_base(const struct sb_client *client)
{
	return client->base;
}

const struct sb_reference *sb_client_ref(const struct sb_client *client)
{
	return sb_access_ref(client->access);
}

struct sb_http *sb_client_http(struct sb_client *client)
{
	return client->http;
}

int sb_client_fail(const struct sb_client *client, const struct sb_http_answer *answer,
	const char *what, struct sb_error *err)
{
	sb_autofree char *words = sb_document_error(answer->body.data, answer->body.len);
	const char *open = words != NULL ? " (" : "";
	const char *close = words != NULL ? ")" : "";
	const char *said = words != NULL ? words : "";

	switch (answer->status) {
	case 404:
		sb_fail(err, SB_E_NOT_FOUND, "%s not found in registry '%s'%s%s%s", what,
			client->host, open, said, close);
		return sb_error_hint(err, "check the name and the tag");
	case 401:
	case 403:
		return sb_access_fail(client->access, what, words, err);
	case 429:
		sb_fail(err, SB_E_NETWORK,
			"%s: registry '%s' gets too many requests from here%s%s%s", what,
			client->host, open, said, close);
		return sb_error_hint(err, "try again later");
	default:
		sb_fail(err, SB_E_NETWORK, "%s: registry '%s' answers with status %ld%s%s%s", what,
			client->host, answer->status, open, said, close);
		if (answer->status == 400 && strncmp(client->base, "http:", 5) == 0 &&
			strstr(answer->body.data, "HTTPS") != NULL)
			return sb_error_hint(err,
				"it wants TLS: put its authority's certificate into "
				"~/.config/containers/certs.d/%s/ca.crt",
				client->host);
		return -1;
	}
}

static int fail_transport(const struct sb_client *client, unsigned n_tries, struct sb_error *err)
{
	if (err->code != SB_E_NETWORK)
		return -1;
	if (!sb_access_is_for_push(client->access))
		sb_error_hint(err, NO_REGISTRY_HINT);
	if (n_tries > 1)
		return sb_error_context(
			err, "registry '%s', after %u tries", client->host, n_tries);
	return sb_error_context(err, "registry '%s' can't be used", client->host);
}

/* *out_used (caller frees by sb_secret_free) is what was sent to come in. */
static int send_once_authorized(struct sb_client *client, struct sb_http_request *request,
	struct sb_http_answer *answer, char **out_used, struct sb_error *err)
{
	unsigned n_tries = 0;
	bool is_registry_itself = false;

	/* An upload may be sent on to another host, which is to know nothing. */
	if (sb_http_check_url(client->http, request->url, client->base, request->may_be_plain,
		    &is_registry_itself, err) < 0 ||
		sb_access_authorization(client->access, client->http, out_used, err) < 0)
		return -1;
	request->authorization = is_registry_itself ? *out_used : NULL;
	if (!is_registry_itself)
		request->tls = NULL;

	const int rc = sb_http_send_with_retries(client->http, request, answer, &n_tries, err);

	request->authorization = NULL;
	return rc < 0 ? fail_transport(client, n_tries, err) : 0;
}

int sb_client_send(struct sb_client *client, struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err)
{
	char *used = NULL;

	request->tls = sb_access_tls(client->access);
	request->may_be_plain = sb_access_may_be_plain(client->access);

	int rc = send_once_authorized(client, request, answer, &used, err);

	if (rc == 0 && answer->status == 401) {
		/* None yet, or one that has run out: tokens often live for five minutes only. */
		rc = sb_access_answer_challenge(
			client->access, client->http, used, request->url, answer, err);
		sb_secret_free(used);
		used = NULL;
		if (rc == 0) {
			sb_http_answer_release(answer);
			rc = send_once_authorized(client, request, answer, &used, err);
		}
	}
	sb_secret_free(used);
	return rc;
}

int sb_client_location(struct sb_client *client, const char *url,
	const struct sb_http_answer *answer, char **out, struct sb_error *err)
{
	if (sb_http_resolve(client->http, url, answer->location,
		    sb_access_may_be_plain(client->access), out, err) < 0)
		return sb_error_context(err, "registry '%s'", client->host);
	return 0;
}
