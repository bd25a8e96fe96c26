/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CLIENT_H
#define SB_REGISTRY_CLIENT_H

#include "oci/reference.h"
#include "registry/http.h"

/*
 * One repository of one registry, to read from: requests with an anonymous Bearer token where the
 * registry asks for one, tried again where that may help.
 */
struct sb_client;

/* ref is borrowed and outlives the client. keep_going as for sb_http_open. */
int sb_client_new(const struct sb_reference *ref, const struct sb_http_limits *limits,
	bool (*keep_going)(void *data), void *data, struct sb_client **out,
	struct sb_error *err) SB_MUST_USE;
void sb_client_free(struct sb_client *client);
SB_DEFINE_FREEP(sb_client)

/*
 * sb_http_get, with a token asked for after a 401, and further tries, with growing pauses or the
 * one that Retry-After asks for, after an answer that is temporary or a connection that broke. The
 * request's range_start is read anew for each try, so that on_body may raise it; where the registry
 * refuses the range (416), it is set to 0. What is got without on_body is whole or an error.
 *
 * An answer of a status that is not 2xx is success, once it is not temporary or tries have run out.
 * SB_E_AUTH where the registry does not let strangers in.
 */
int sb_client_get(struct sb_client *client, struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err) SB_MUST_USE;

/* Fails with what a registry answered: "WHAT: registry 'HOST' answers 502 (CODE: message)". The
 * code is SB_E_NOT_FOUND for 404, SB_E_AUTH for 401 and 403, SB_E_NETWORK otherwise. */
int sb_client_fail(const struct sb_client *client, const struct sb_http_answer *answer,
	const char *what, struct sb_error *err);

#endif
