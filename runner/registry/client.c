/* SPDX-License-Identifier: MIT */
#include "registry/client.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/document.h"
#include "registry/url.h"

#define NO_REGISTRY_HINT \
	"what is on this machine needs no registry: `safebuild import ROOTFS.tar NAME`, or " \
	"`--build-context NAME=oci-layout://DIR`"
#define NO_LOGIN_HINT \
	"credentials for registries are not supported yet: bring the image with a tool that has " \
	"them (`skopeo copy docker://IMAGE oci:DIR`) and use `--build-context " \
	"NAME=oci-layout://DIR`"

struct sb_client {
	const struct sb_reference *ref;
	struct sb_http *http;
	char *authorization; /* "Bearer …", or NULL */
};

int sb_client_new(const struct sb_reference *ref, const struct sb_http_limits *limits,
	bool (*keep_going)(void *data), void *data, struct sb_client **out, struct sb_error *err)
{
	SB_AUTO(sb_client) client = SB_NEW(struct sb_client);

	client->ref = ref;
	if (sb_http_open(limits, keep_going, data, &client->http, err) < 0)
		return -1;
	*out = SB_STEAL(client);
	return 0;
}

static void forget_token(struct sb_client *client)
{
	if (client->authorization != NULL)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	client->authorization = NULL;
}

void sb_client_free(struct sb_client *client)
{
	if (client == NULL)
		return;
	sb_http_free(client->http);
	forget_token(client);
	free(client);
}

/* The registry's own words, or NULL; caller frees. A registry that sends our token back to us does
 * not get it into a message. */
static char *words_of(const struct sb_client *client, const struct sb_http_answer *answer)
{
	sb_autofree char *words = sb_document_error(answer->body.data, answer->body.len);

	if (words == NULL ||
		(client->authorization != NULL &&
			strstr(words, client->authorization + strlen("Bearer ")) != NULL))
		return NULL;
	return SB_STEAL(words);
}

int sb_client_fail(const struct sb_client *client, const struct sb_http_answer *answer,
	const char *what, struct sb_error *err)
{
	const char *host = sb_registry_host(client->ref->registry);
	sb_autofree char *words = words_of(client, answer);
	const char *open = words != NULL ? " (" : "";
	const char *close = words != NULL ? ")" : "";
	const char *said = words != NULL ? words : "";

	switch (answer->status) {
	case 404:
		sb_fail(err, SB_E_NOT_FOUND, "%s not found in registry '%s'%s%s%s", what, host,
			open, said, close);
		return sb_error_hint(err, "check the name and the tag");
	case 401:
	case 403:
		sb_fail(err, SB_E_AUTH,
			"%s: registry '%s' does not let everyone read it, or does not have "
			"it%s%s%s",
			what, host, open, said, close);
		return sb_error_hint(err, NO_LOGIN_HINT);
	case 429:
		sb_fail(err, SB_E_NETWORK,
			"%s: registry '%s' gets too many requests from here%s%s%s", what, host,
			open, said, close);
		return sb_error_hint(err, "try again later");
	default:
		return sb_fail(err, SB_E_NETWORK, "%s: registry '%s' answers with status %ld%s%s%s",
			what, host, answer->status, open, said, close);
	}
}

static int fail_transport(const struct sb_client *client, unsigned n_tries, struct sb_error *err)
{
	if (err->code != SB_E_NETWORK)
		return -1;
	sb_error_hint(err, NO_REGISTRY_HINT);
	if (n_tries > 1)
		return sb_error_context(err, "registry '%s', after %u tries",
			sb_registry_host(client->ref->registry), n_tries);
	return sb_error_context(
		err, "registry '%s' can't be used", sb_registry_host(client->ref->registry));
}

/* Tries until there is an answer that is not temporary; whatever its status. */
static int get_with_retries(struct sb_client *client, struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err)
{
	unsigned n_tries = 0;

	if (sb_http_get_with_retries(client->http, request, answer, &n_tries, err) < 0)
		return fail_transport(client, n_tries, err);
	return 0;
}

static int get_token(struct sb_client *client, const struct sb_challenge *challenge,
	const char *asked_url, struct sb_error *err)
{
	sb_autofree char *url = sb_token_url(sb_challenge_param(challenge, "realm"),
		sb_challenge_param(challenge, "service"), client->ref->repository);
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	sb_autofree char *token = NULL;
	struct sb_http_request request = {.url = url, .max_body_bytes = SB_MAX_JSON};
	const char *host = sb_registry_host(client->ref->registry);

	if (sb_http_check_url(client->http, url, asked_url, false, NULL, err) < 0)
		return sb_error_context(err, "registry '%s' asks for tokens from", host);
	if (get_with_retries(client, &request, &answer, err) < 0)
		return sb_error_context(err, "ask for an anonymous token");
	if (answer.status != 200)
		return sb_client_fail(client, &answer, "anonymous token", err);
	if (sb_document_token(answer.body.data, answer.body.len, &token, err) < 0)
		return sb_error_context(err, "registry '%s'", host);
	explicit_bzero(answer.body.data, answer.body.len);
	forget_token(client);
	client->authorization = sb_asprintf("Bearer %s", token);
	explicit_bzero(token, strlen(token));
	return 0;
}

static int read_challenges(
	const struct sb_http_answer *answer, struct sb_challenges *out, struct sb_error *err)
{
	for (size_t i = 0; i < answer->authenticate.len; i++) {
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;

		/* One that does not parse stands beside one that does: proxies add their own. */
		if (sb_challenges_parse(answer->authenticate.items[i], out, &ignored) < 0 &&
			i + 1 == answer->authenticate.len && out->len == 0) {
			sb_error_move(err, &ignored);
			return -1;
		}
	}
	return 0;
}

/* After a 401: finds a way to come in that needs no credentials. */
static int authorize(struct sb_client *client, const struct sb_http_answer *answer,
	const char *asked_url, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_challenges) challenges = {0};
	const char *host = sb_registry_host(client->ref->registry);

	if (read_challenges(answer, &challenges, err) < 0)
		return sb_error_context(err, "registry '%s'", host);

	const struct sb_challenge *bearer = sb_challenges_find(&challenges, "Bearer");

	if (bearer != NULL && sb_challenge_param(bearer, "realm") != NULL)
		return get_token(client, bearer, asked_url, err);
	if (sb_challenges_find(&challenges, "Basic") != NULL)
		sb_fail(err, SB_E_AUTH, "registry '%s' wants a user name and a password", host);
	else
		sb_fail(err, SB_E_AUTH,
			"registry '%s' wants an authentication that is not known here", host);
	return sb_error_hint(err, NO_LOGIN_HINT);
}

int sb_client_get(struct sb_client *client, struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err)
{
	request->authorization = client->authorization;
	if (get_with_retries(client, request, answer, err) < 0)
		return -1;
	if (answer->status != 401)
		return 0;
	/* None yet, or one that has run out: tokens often live for five minutes only. */
	if (authorize(client, answer, request->url, err) < 0)
		return -1;
	sb_http_answer_release(answer);
	request->authorization = client->authorization;
	return get_with_retries(client, request, answer, err);
}
