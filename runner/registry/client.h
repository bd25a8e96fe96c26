/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CLIENT_H
#define SB_REGISTRY_CLIENT_H

#include "registry/access.h"
#include "registry/http.h"

/*
 * A session with a repository: requests with whatever authorization the access has, tried again
 * where that may help. It belongs to one thread; several share an access.
 */
struct sb_client;

/* The access is borrowed and outlives the client. keep_going as for sb_http_open. */
int sb_client_new(struct sb_access *access, const struct sb_http_limits *limits,
	bool (*keep_going)(void *data), void *data, struct sb_client **out,
	struct sb_error *err) SB_MUST_USE;
void sb_client_free(struct sb_client *client);
SB_DEFINE_FREEP(sb_client)

/* Borrowed. */
const char *sb_client_base(const struct sb_client *client);
const struct sb_reference *sb_client_ref(const struct sb_client *client);
struct sb_http *sb_client_http(struct sb_client *client);

/*
 * sb_http_send_with_retries, with authorization, a second time after a 401. Sets the request's
 * authorization, tls and may_be_plain. What is got without on_body is whole or an error.
 *
 * An answer of a status that is not 2xx is success, once it is not temporary or tries have run out.
 * SB_E_AUTH where the registry does not let us in.
 */
int sb_client_send(struct sb_client *client, struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err) SB_MUST_USE;

/* Where an answer to a request for `url` says to go on (its Location); caller frees. */
int sb_client_location(struct sb_client *client, const char *url,
	const struct sb_http_answer *answer, char **out, struct sb_error *err) SB_MUST_USE;

/* Fails with what a registry answered: "WHAT: registry 'HOST' answers 502 (CODE: message)". The
 * code is SB_E_NOT_FOUND for 404, SB_E_AUTH for 401 and 403, SB_E_NETWORK otherwise. */
int sb_client_fail(const struct sb_client *client, const struct sb_http_answer *answer,
	const char *what, struct sb_error *err);

#endif
